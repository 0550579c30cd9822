/* sequential: one program. A child takes its place when it is as good: the simplest search there is. */
#include "elm/cells.h"

#include <stdlib.h>

static void *sequential_make(const struct elm_problem *problem, double floor)
{
    struct elm_cells *c = elm_calloc(1, sizeof(*c));
    elm_cells_init(c, 1, 0, problem, floor);
    return c;
}

static void sequential_free(void *self)
{
    if (self == NULL)
        return;
    elm_cells_release(self);
    free(self);
}

static struct elm_add_result sequential_add(void *self, const struct elm_entrant *x)
{
    return elm_cells_add(self, 0, x);
}

static uint32_t sequential_count(const void *self)
{
    return ((const struct elm_cells *)self)->count;
}

static struct elm_elite *sequential_at(void *self, uint32_t index)
{
    struct elm_cells *c = self;
    ELM_ASSERT(index < c->count);
    return &c->elites[index];
}

static struct elm_elite *sequential_best(void *self)
{
    return elm_cells_best(self);
}

static void sequential_stats(const void *self, struct elm_archive_stats *out)
{
    elm_cells_stats(self, out);
}

static uint64_t sequential_hash(const void *self)
{
    return elm_cells_hash(self);
}

static void sequential_save(const void *self, struct elm_buf *out)
{
    elm_cells_save(self, out);
}

static enum elm_status sequential_load(void *self, struct elm_reader *r, struct elm_error *err)
{
    return elm_cells_load(self, r, err);
}

const struct elm_archive_kind elm_archive_sequential = {
    .name = "sequential",
    .summary = "one program, the last that was no worse than the one before it: a baseline",
    .make = sequential_make,
    .free = sequential_free,
    .add = sequential_add,
    .count = sequential_count,
    .at = sequential_at,
    .best = sequential_best,
    .stats = sequential_stats,
    .hash = sequential_hash,
    .save = sequential_save,
    .load = sequential_load,
};
