/*
 * curiosity: elites whose children were admitted are asked more often, and the best one always
 * gets a share. Source: Cully & Demiris 2018, curiosity score; here as a posterior mean, so that
 * an elite nobody asked yet counts as promising.
 */
#include "elm/archive.h"

#define BEST_SHARE 0.2
#define TOURNAMENT 4

static double promise(const struct elm_elite *e)
{
    return (e->wins + 1.0) / (e->asked + 4.0);
}

static uint32_t pick(const struct elm_archive_kind *kind, void *archive, struct elm_rng *rng)
{
    uint32_t count = kind->count(archive);
    uint32_t chosen = elm_rng_below(rng, count);
    for (int i = 1; i < TOURNAMENT; i++) {
        uint32_t other = elm_rng_below(rng, count);
        if (promise(kind->at(archive, other)) > promise(kind->at(archive, chosen)))
            chosen = other;
    }
    return chosen;
}

static uint32_t best_index(const struct elm_archive_kind *kind, void *archive)
{
    const struct elm_elite *best = kind->best(archive);
    uint32_t count = kind->count(archive);
    for (uint32_t i = 0; i < count; i++) {
        if (kind->at(archive, i) == best)
            return i;
    }
    return 0;
}

static void curiosity_select(const struct elm_archive_kind *kind, void *archive,
                             struct elm_rng *rng, uint32_t n, uint32_t *indices)
{
    indices[0] = elm_rng_chance(rng, BEST_SHARE) ? best_index(kind, archive)
                                                 : pick(kind, archive, rng);
    if (n == 2) {
        uint32_t count = kind->count(archive);
        indices[1] = elm_rng_below(rng, count > 1 ? count - 1 : 1);
        if (count > 1 && indices[1] >= indices[0])
            indices[1]++;
    }
}

const struct elm_selector_kind elm_selector_curiosity = {
    .name = "curiosity",
    .summary = "elites whose children did well, and the best, are asked more often",
    .select = curiosity_select,
};
