/* grid: MAP-Elites over the problem's measures, one elite a cell. Source: Mouret & Clune 2015. */
#include "elm/archive.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CELLS_MAX (1u << 20)
#define EMPTY UINT32_MAX

struct grid {
    double floor;
    uint32_t seed_nodes;
    uint32_t dimensions;
    struct elm_measure measures[ELM_MEASURES_MAX];
    uint32_t cells;
    uint32_t *slot;                /* [cells]: index into elites, or EMPTY */
    struct elm_elite *elites;      /* [count], in the order their cells were first filled */
    uint32_t count, cap;
    uint32_t best;                 /* index into elites */
};

static void *grid_make(const struct elm_problem *problem, double floor)
{
    struct grid *a = elm_calloc(1, sizeof(*a));
    a->floor = floor;
    a->seed_nodes = problem->seed.count;
    a->dimensions = problem->measure_count;
    a->cells = 1;
    for (uint32_t d = 0; d < a->dimensions; d++) {
        a->measures[d] = problem->measures[d];
        ELM_ASSERT(a->measures[d].bins > 0);
        a->cells *= a->measures[d].bins;
        ELM_ASSERT(a->cells <= CELLS_MAX);
    }
    a->slot = elm_malloc(a->cells * sizeof(a->slot[0]));
    for (uint32_t i = 0; i < a->cells; i++)
        a->slot[i] = EMPTY;
    return a;
}

static void grid_free(void *self)
{
    struct grid *a = self;
    if (a == NULL)
        return;
    free(a->slot);
    free(a->elites);
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

static void put(struct grid *a, uint32_t index, uint32_t cell, int64_t id,
                const struct elm_evaluation *e, uint32_t nodes)
{
    a->elites[index] = (struct elm_elite){
        .id = id, .fitness = e->fitness, .niche = cell, .nodes = nodes};
    memcpy(a->elites[index].measures, e->measures, sizeof(e->measures));
    const struct elm_elite *best = &a->elites[a->best];
    if (e->fitness > best->fitness || (e->fitness == best->fitness && nodes < best->nodes))
        a->best = index;
}

static struct elm_add_result grid_add(void *self, int64_t id, const struct elm_evaluation *e,
                                      uint32_t nodes)
{
    struct grid *a = self;
    uint32_t cell = cell_of(a, e->measures);
    uint32_t index = a->slot[cell];
    if (index == EMPTY) {
        if (a->count == a->cap) {
            a->cap = a->cap == 0 ? 64 : a->cap * 2;
            a->elites = elm_realloc(a->elites, a->cap * sizeof(a->elites[0]));
        }
        index = a->slot[cell] = a->count++;
        put(a, index, cell, id, e, nodes);
        return (struct elm_add_result){ELM_OUTCOME_NEW, cell, -1, 0};
    }
    double old = a->elites[index].fitness;
    bool small = nodes <= a->elites[index].nodes || nodes <= a->seed_nodes;
    if (!(e->fitness > old || (e->fitness == old && small)))
        return (struct elm_add_result){ELM_OUTCOME_REJECTED, cell, -1, 0};
    struct elm_add_result r = {ELM_OUTCOME_IMPROVED, cell, a->elites[index].id, e->fitness - old};
    put(a, index, cell, id, e, nodes);
    return r;
}

static uint32_t grid_count(const void *self)
{
    return ((const struct grid *)self)->count;
}

static struct elm_elite *grid_at(void *self, uint32_t index)
{
    struct grid *a = self;
    ELM_ASSERT(index < a->count);
    return &a->elites[index];
}

static struct elm_elite *grid_best(void *self)
{
    struct grid *a = self;
    return a->count == 0 ? NULL : &a->elites[a->best];
}

static void grid_stats(const void *self, struct elm_archive_stats *out)
{
    const struct grid *a = self;
    *out = (struct elm_archive_stats){.niches = a->cells, .elites = a->count};
    for (uint32_t i = 0; i < a->count; i++) {
        out->mean += a->elites[i].fitness / a->count;
        out->qd_score += a->elites[i].fitness - a->floor;
    }
    out->best = a->count > 0 ? a->elites[a->best].fitness : 0;
    out->coverage = (double)a->count / a->cells;
}

static uint64_t grid_hash(const void *self)
{
    const struct grid *a = self;
    uint64_t hash = a->count;
    for (uint32_t i = 0; i < a->count; i++) {
        struct elm_elite elite = a->elites[i];
        elite.asked = 0;
        hash = elm_hash(&elite, sizeof(elite), hash);
    }
    return hash;
}

static void grid_save(const void *self, struct elm_buf *out)
{
    const struct grid *a = self;
    elm_buf_varint(out, a->count);
    elm_buf_varint(out, a->best);
    elm_buf_add(out, &a->floor, sizeof(a->floor));
    elm_buf_add(out, a->elites, a->count * sizeof(a->elites[0]));
}

static enum elm_status grid_load(void *self, struct elm_reader *r, struct elm_error *err)
{
    struct grid *a = self;
    uint64_t count = elm_read_varint(r), best = elm_read_varint(r);
    const void *floor_bytes = elm_read_bytes(r, sizeof(a->floor));
    if (r->bad || count > a->cells || best >= (count > 0 ? count : 1)) {
        return elm_fail(err, ELM_CORRUPT, "archive of %llu elites in a grid of %u cells",
                        (unsigned long long)count, a->cells);
    }
    const void *elites = elm_read_bytes(r, count * sizeof(a->elites[0]));
    if (r->bad)
        return elm_fail(err, ELM_CORRUPT, "the archive in the snapshot is cut short");
    memcpy(&a->floor, floor_bytes, sizeof(a->floor));
    a->count = a->cap = (uint32_t)count;
    a->best = (uint32_t)best;
    a->elites = elm_realloc(a->elites, (count + 1) * sizeof(a->elites[0]));
    memcpy(a->elites, elites, count * sizeof(a->elites[0]));
    for (uint32_t i = 0; i < a->cells; i++)
        a->slot[i] = EMPTY;
    for (uint32_t i = 0; i < a->count; i++) {
        if (a->elites[i].niche >= a->cells || a->slot[a->elites[i].niche] != EMPTY)
            return elm_fail(err, ELM_CORRUPT, "two elites in one niche of the snapshot");
        a->slot[a->elites[i].niche] = i;
    }
    return ELM_OK;
}

const struct elm_archive_kind elm_archive_grid = {
    .name = "grid",
    .summary = "MAP-Elites: the best program of every cell of the measures",
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
