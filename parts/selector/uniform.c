/* uniform: every elite is as likely a parent as any other. */
#include "elm/archive.h"

static void uniform_select(const struct elm_archive_kind *kind, void *archive, struct elm_rng *rng,
                           uint32_t n, uint32_t *indices)
{
    uint32_t count = kind->count(archive);
    indices[0] = elm_rng_below(rng, count);
    if (n == 2) {
        /* distinct where possible */
        indices[1] = elm_rng_below(rng, count > 1 ? count - 1 : 1);
        if (count > 1 && indices[1] >= indices[0])
            indices[1]++;
    }
}

const struct elm_selector_kind elm_selector_uniform = {
    .name = "uniform",
    .summary = "every elite is as likely as any other",
    .select = uniform_select,
};
