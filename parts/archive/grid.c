/* grid: MAP-Elites over the problem's measures, one elite a cell. Source: Mouret & Clune 2015. */
#include "elm/cells.h"

#include <stdlib.h>
#include <string.h>

struct grid {
    uint32_t dimensions;
    struct elm_measure measures[ELM_MEASURES_MAX];
    struct elm_cells cells;
};

static void *grid_make(const struct elm_problem *problem, double floor)
{
    struct grid *a = elm_calloc(1, sizeof(*a));
    a->dimensions = problem->measure_count;
    memcpy(a->measures, problem->measures, sizeof(a->measures));
    elm_cells_init(&a->cells, elm_cells_of_grid(problem), 0, problem, floor);
    return a;
}

static void grid_free(void *self)
{
    struct grid *a = self;
    if (a == NULL)
        return;
    elm_cells_release(&a->cells);
    free(a);
}

static struct elm_add_result grid_add(void *self, const struct elm_entrant *x)
{
    struct grid *a = self;
    uint32_t cell = elm_cells_at_grid(a->measures, a->dimensions, x->evaluation->measures);
    return elm_cells_add(&a->cells, cell, x);
}

static uint32_t grid_count(const void *self)
{
    return ((const struct grid *)self)->cells.count;
}

static struct elm_elite *grid_at(void *self, uint32_t index)
{
    struct grid *a = self;
    ELM_ASSERT(index < a->cells.count);
    return &a->cells.elites[index];
}

static struct elm_elite *grid_best(void *self)
{
    return elm_cells_best(&((struct grid *)self)->cells);
}

static void grid_stats(const void *self, struct elm_archive_stats *out)
{
    elm_cells_stats(&((const struct grid *)self)->cells, out);
}

static uint64_t grid_hash(const void *self)
{
    return elm_cells_hash(&((const struct grid *)self)->cells);
}

static void grid_save(const void *self, struct elm_buf *out)
{
    elm_cells_save(&((const struct grid *)self)->cells, out);
}

static enum elm_status grid_load(void *self, struct elm_reader *r, struct elm_error *err)
{
    return elm_cells_load(&((struct grid *)self)->cells, r, err);
}

const struct elm_archive_kind elm_archive_grid = {
    .name = "grid",
    .summary = "MAP-Elites: the best program of every cell of the measures",
    .needs_measures = true,
    .make = grid_make,
    .free = grid_free,
    .add = grid_add,
    .count = grid_count,
    .at = grid_at,
    .best = grid_best,
    .stats = grid_stats,
    .hash = grid_hash,
    .save = grid_save,
    .load = grid_load,
};
