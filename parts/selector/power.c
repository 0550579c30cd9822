/*
 * power: the r-th best elite is asked with a probability proportional to 1 / r. Of equals the smaller
 * program ranks first, then the one that stands first. Source: ShinkaEvolve (Lange et al. 2025),
 * power-law selection with exponent 1.
 */
#include "elm/archive.h"

#include <stdlib.h>

struct ranked {
    double fitness;
    uint32_t nodes, index;
};

static bool above(const struct ranked *a, const struct ranked *b)
{
    if (a->fitness != b->fitness)
        return a->fitness > b->fitness;
    return a->nodes != b->nodes ? a->nodes < b->nodes : a->index < b->index;
}

/* The elite of rank r, 0 the best, by Hoare's selection. */
static uint32_t index_of_rank(struct ranked *e, uint32_t count, uint32_t r)
{
    uint32_t lo = 0, hi = count;
    while (hi - lo > 1) {
        /* never the last one: then k ends before it, and the range shrinks */
        struct ranked pivot = e[lo + (hi - lo - 1) / 2];
        uint32_t i = lo, k = hi - 1;
        for (;; i++, k--) {
            while (above(&e[i], &pivot))
                i++;
            while (above(&pivot, &e[k]))
                k--;
            if (i >= k)
                break;
            struct ranked t = e[i];
            e[i] = e[k];
            e[k] = t;
        }
        if (r <= k)
            hi = k + 1;
        else
            lo = k + 1;
    }
    return e[lo].index;
}

/* A rank below count with weight 1 / (rank + 1), never `except`. */
static uint32_t draw(struct elm_rng *rng, uint32_t count, uint32_t except)
{
    double total = 0, sum = 0;
    for (uint32_t r = 0; r < count; r++)
        total += r == except ? 0 : 1.0 / (r + 1);
    double at = elm_rng_unit(rng) * total;
    uint32_t last = 0;
    for (uint32_t r = 0; r < count; r++) {
        if (r == except)
            continue;
        last = r;
        sum += 1.0 / (r + 1);
        if (at < sum)
            break;
    }
    return last;
}

static void power_select(const struct elm_selection *from, struct elm_rng *rng, uint32_t n,
                         uint32_t *indices)
{
    struct ranked *e = elm_malloc(from->count * sizeof(e[0]));
    for (uint32_t i = 0; i < from->count; i++) {
        const struct elm_elite *elite = from->kind->at(from->archive, from->first + i);
        e[i] = (struct ranked){elite->fitness, elite->nodes, from->first + i};
    }
    uint32_t first = draw(rng, from->count, from->count);
    indices[0] = index_of_rank(e, from->count, first);
    if (n == 2) {
        uint32_t second = from->count > 1 ? draw(rng, from->count, first) : first;
        indices[1] = index_of_rank(e, from->count, second);
    }
    free(e);
}

const struct elm_selector_kind elm_selector_power = {
    .name = "power",
    .summary = "the r-th best elite is asked in proportion to 1 / r",
    .select = power_select,
};
