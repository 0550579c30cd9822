/* cells: one elite a niche: the part of an archive that is the same wherever niches come from. */
#include "elm/cells.h"

#include <stdlib.h>
#include <string.h>

static void empty(struct elm_cells *c)
{
    for (uint32_t i = 0; i < c->cells; i++)
        c->slot[i] = ELM_CELL_EMPTY;
}

void elm_cells_init(struct elm_cells *c, uint32_t cells, uint32_t first,
                    const struct elm_problem *problem, double floor)
{
    ELM_ASSERT(cells > 0 && cells <= ELM_CELLS_MAX);
    *c = (struct elm_cells){.cells = cells, .first = first, .seed_nodes = problem->seed.count,
                            .floor = floor};
    c->slot = elm_malloc(cells * sizeof(c->slot[0]));
    empty(c);
}

void elm_cells_release(struct elm_cells *c)
{
    free(c->slot);
    free(c->elites);
    *c = (struct elm_cells){0};
}

void elm_cells_clear(struct elm_cells *c)
{
    empty(c);
    c->count = c->best = 0;
}

static bool better(const struct elm_elite *a, const struct elm_elite *b)
{
    return a->fitness > b->fitness || (a->fitness == b->fitness && a->nodes < b->nodes);
}

static void put(struct elm_cells *c, uint32_t index, uint32_t cell, const struct elm_entrant *x)
{
    struct elm_elite *e = &c->elites[index];
    *e = (struct elm_elite){.id = x->id, .fitness = x->evaluation->fitness,
                            .niche = c->first + cell, .nodes = x->nodes};
    memcpy(e->measures, x->evaluation->measures, sizeof(e->measures));
    if (better(e, &c->elites[c->best]))
        c->best = index;
}

struct elm_add_result elm_cells_add(struct elm_cells *c, uint32_t cell,
                                    const struct elm_entrant *x)
{
    uint32_t index = c->slot[cell];
    if (index == ELM_CELL_EMPTY) {
        if (c->count == c->cap) {
            c->cap = c->cap == 0 ? 64 : c->cap * 2;
            c->elites = elm_realloc(c->elites, c->cap * sizeof(c->elites[0]));
        }
        index = c->slot[cell] = c->count++;
        put(c, index, cell, x);
        return (struct elm_add_result){ELM_OUTCOME_NEW, c->first + cell, -1, 0};
    }
    const struct elm_elite *old = &c->elites[index];
    double fitness = x->evaluation->fitness;
    bool small = x->nodes <= old->nodes || x->nodes <= c->seed_nodes;
    if (!(fitness > old->fitness || (fitness == old->fitness && small)))
        return (struct elm_add_result){ELM_OUTCOME_REJECTED, old->niche, -1, 0};
    return elm_cells_replace(c, cell, x);
}

struct elm_add_result elm_cells_replace(struct elm_cells *c, uint32_t cell,
                                        const struct elm_entrant *x)
{
    uint32_t index = c->slot[cell];
    ELM_ASSERT(index != ELM_CELL_EMPTY);
    struct elm_elite old = c->elites[index];
    put(c, index, cell, x);
    bool fell = index == c->best && x->evaluation->fitness < old.fitness;
    for (uint32_t i = 0; fell && i < c->count; i++) {
        if (better(&c->elites[i], &c->elites[c->best]))
            c->best = i;
    }
    return (struct elm_add_result){ELM_OUTCOME_IMPROVED, old.niche, old.id,
                                   x->evaluation->fitness - old.fitness};
}

struct elm_elite *elm_cells_find(const struct elm_cells *c, int64_t id)
{
    for (uint32_t i = 0; i < c->count; i++) {
        if (c->elites[i].id == id)
            return &c->elites[i];
    }
    return NULL;
}

struct elm_elite *elm_cells_best(const struct elm_cells *c)
{
    return c->count == 0 ? NULL : &c->elites[c->best];
}

void elm_cells_stats(const struct elm_cells *c, struct elm_archive_stats *out)
{
    *out = (struct elm_archive_stats){.niches = c->cells, .elites = c->count};
    for (uint32_t i = 0; i < c->count; i++) {
        out->mean += c->elites[i].fitness / c->count;
        out->qd_score += c->elites[i].fitness - c->floor;
    }
    out->best = c->count > 0 ? c->elites[c->best].fitness : 0;
    out->coverage = (double)c->count / c->cells;
}

uint64_t elm_cells_hash(const struct elm_cells *c)
{
    uint64_t hash = c->count;
    for (uint32_t i = 0; i < c->count; i++) {
        struct elm_elite elite = c->elites[i];
        elite.asked = 0;
        hash = elm_hash(&elite, sizeof(elite), hash);
    }
    return hash;
}

void elm_cells_save(const struct elm_cells *c, struct elm_buf *out)
{
    elm_buf_varint(out, c->count);
    elm_buf_varint(out, c->best);
    elm_buf_add(out, &c->floor, sizeof(c->floor));
    elm_buf_add(out, c->elites, c->count * sizeof(c->elites[0]));
}

enum elm_status elm_cells_load(struct elm_cells *c, struct elm_reader *r, struct elm_error *err)
{
    uint64_t count = elm_read_varint(r), best = elm_read_varint(r);
    const void *floor_bytes = elm_read_bytes(r, sizeof(c->floor));
    if (r->bad || count > c->cells || best >= (count > 0 ? count : 1)) {
        return elm_fail(err, ELM_CORRUPT, "%llu elites in the %u cells of the archive",
                        (unsigned long long)count, c->cells);
    }
    const void *elites = elm_read_bytes(r, count * sizeof(c->elites[0]));
    if (r->bad)
        return elm_fail(err, ELM_CORRUPT, "the archive in the snapshot is cut short");
    memcpy(&c->floor, floor_bytes, sizeof(c->floor));
    c->count = c->cap = (uint32_t)count;
    c->best = (uint32_t)best;
    c->elites = elm_realloc(c->elites, (count + 1) * sizeof(c->elites[0]));
    memcpy(c->elites, elites, count * sizeof(c->elites[0]));
    empty(c);
    for (uint32_t i = 0; i < c->count; i++) {
        /* one below `first` wraps to a large one */
        uint32_t cell = c->elites[i].niche - c->first;
        if (cell >= c->cells || c->slot[cell] != ELM_CELL_EMPTY)
            return elm_fail(err, ELM_CORRUPT, "two elites in one niche of the snapshot");
        c->slot[cell] = i;
    }
    return ELM_OK;
}
