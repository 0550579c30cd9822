/* grid: MAP-Elites over the problem's measures, one elite a cell. Source: Mouret & Clune 2015. */
#include "elm/cells.h"

#include <math.h>
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
    uint32_t cells = 1;
    for (uint32_t d = 0; d < a->dimensions; d++) {
        a->measures[d] = problem->measures[d];
        ELM_ASSERT(a->measures[d].bins > 0);
        cells *= a->measures[d].bins;
        ELM_ASSERT(cells <= ELM_CELLS_MAX);
    }
    elm_cells_init(&a->cells, cells, 0, problem, floor);
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

static uint32_t cell_of(const struct grid *a, const double *measures)
{
    uint32_t cell = 0;
    for (uint32_t d = 0; d < a->dimensions; d++) {
        const struct elm_measure *m = &a->measures[d];
        double place = floor((measures[d] - m->lo) / (m->hi - m->lo) * m->bins);
        /* written so that NaN lands in the first bin */
        uint32_t bin = place >= m->bins ? m->bins - 1 : place > 0 ? (uint32_t)place : 0;
        cell = cell * m->bins + bin;
    }
    return cell;
}

static struct elm_add_result grid_add(void *self, const struct elm_entrant *x)
{
    struct grid *a = self;
    return elm_cells_add(&a->cells, cell_of(a, x->evaluation->measures), x);
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
