/* best_of: the seed, of which all children are made, and the best of these: sampling without search. */
#include "elm/cells.h"

#include <stdlib.h>

enum { SEED, BEST };

static void *best_of_make(const struct elm_problem *problem, double floor)
{
    struct elm_cells *c = elm_calloc(1, sizeof(*c));
    elm_cells_init(c, 2, 0, problem, floor);
    return c;
}

static void best_of_free(void *self)
{
    if (self == NULL)
        return;
    elm_cells_release(self);
    free(self);
}

static struct elm_add_result best_of_add(void *self, const struct elm_entrant *x)
{
    const struct elm_cells *c = self;
    return elm_cells_add(self, c->count == 0 ? SEED : BEST, x);
}

/* The seed alone. */
static uint32_t best_of_group(const void *self, struct elm_rng *rng, uint32_t *first,
                              uint32_t *count)
{
    (void)self, (void)rng;
    *first = SEED;
    *count = 1;
    return SEED;
}

static uint32_t best_of_count(const void *self)
{
    return ((const struct elm_cells *)self)->count;
}

static struct elm_elite *best_of_at(void *self, uint32_t index)
{
    struct elm_cells *c = self;
    ELM_ASSERT(index < c->count);
    return &c->elites[index];
}

static struct elm_elite *best_of_best(void *self)
{
    return elm_cells_best(self);
}

static void best_of_stats(const void *self, struct elm_archive_stats *out)
{
    elm_cells_stats(self, out);
}

static uint64_t best_of_hash(const void *self)
{
    return elm_cells_hash(self);
}

static void best_of_save(const void *self, struct elm_buf *out)
{
    elm_cells_save(self, out);
}

static enum elm_status best_of_load(void *self, struct elm_reader *r, struct elm_error *err)
{
    return elm_cells_load(self, r, err);
}

const struct elm_archive_kind elm_archive_best_of = {
    .name = "best_of",
    .summary = "the seed, parent of all, and the best of its children: a baseline, no search",
    .make = best_of_make,
    .free = best_of_free,
    .add = best_of_add,
    .group = best_of_group,
    .count = best_of_count,
    .at = best_of_at,
    .best = best_of_best,
    .stats = best_of_stats,
    .hash = best_of_hash,
    .save = best_of_save,
    .load = best_of_load,
};
