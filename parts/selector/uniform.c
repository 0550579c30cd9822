/* uniform: every elite is as likely a parent as any other. */
#include "elm/archive.h"

static void uniform_select(const struct elm_selection *from, struct elm_rng *rng, uint32_t n,
                           uint32_t *indices)
{
    indices[0] = from->first + elm_rng_below(rng, from->count);
    if (n == 2) {
        /* distinct where possible */
        indices[1] = from->first + elm_rng_below(rng, from->count > 1 ? from->count - 1 : 1);
        if (from->count > 1 && indices[1] >= indices[0])
            indices[1]++;
    }
}

const struct elm_selector_kind elm_selector_uniform = {
    .name = "uniform",
    .summary = "every elite is as likely as any other",
    .select = uniform_select,
};
