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

static uint32_t pick(const struct elm_selection *from, struct elm_rng *rng)
{
    uint32_t chosen = from->first + elm_rng_below(rng, from->count);
    for (int i = 1; i < TOURNAMENT; i++) {
        uint32_t other = from->first + elm_rng_below(rng, from->count);
        if (promise(from->kind->at(from->archive, other)) >
            promise(from->kind->at(from->archive, chosen)))
            chosen = other;
    }
    return chosen;
}

/* Of equals a small one. */
static uint32_t best_index(const struct elm_selection *from)
{
    const struct elm_elite *best = from->kind->at(from->archive, from->first);
    uint32_t at = from->first;
    for (uint32_t i = from->first + 1; i < from->first + from->count; i++) {
        const struct elm_elite *e = from->kind->at(from->archive, i);
        if (e->fitness > best->fitness ||
            (e->fitness == best->fitness && e->nodes < best->nodes)) {
            best = e;
            at = i;
        }
    }
    return at;
}

static void curiosity_select(const struct elm_selection *from, struct elm_rng *rng, uint32_t n,
                             uint32_t *indices)
{
    indices[0] = elm_rng_chance(rng, BEST_SHARE) ? best_index(from) : pick(from, rng);
    if (n == 2) {
        indices[1] = from->first + elm_rng_below(rng, from->count > 1 ? from->count - 1 : 1);
        if (from->count > 1 && indices[1] >= indices[0])
            indices[1]++;
    }
}

const struct elm_selector_kind elm_selector_curiosity = {
    .name = "curiosity",
    .summary = "elites whose children did well, and the best, are asked more often",
    .select = curiosity_select,
};
