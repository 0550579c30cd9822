/*
 * rooted: the seed for ever, which is the parent of every second child, and beside it the few best that
 * differ in fitness. What is better by half a step is often no step on the way; so half of the search
 * begins again from where nothing is lost yet, and less of it once that has been done many times
 * (docs/results/archives.md says what it is worth).
 */
#include "elm/cells.h"

#include <math.h>
#include <stdlib.h>

#define PLACES 8                 /* beside the seed */
#define SEED_SHARE 0.5           /* of the choices, until the seed was chosen so many times; then the
                                    number falls with them, so that it grows with a square root */
#define SEED_OFTEN 1000

enum { SEED, OTHERS };           /* groups; the seed's cell is 0 too, and so is its index */

static void *rooted_make(const struct elm_problem *problem, double floor)
{
    struct elm_cells *c = elm_calloc(1, sizeof(*c));
    elm_cells_init(c, OTHERS + PLACES, 0, problem, floor);
    return c;
}

static void rooted_free(void *self)
{
    if (self == NULL)
        return;
    elm_cells_release(self);
    free(self);
}

/* The cell that a newcomer contends for: of its equal, or an empty one, or the worst's. */
static uint32_t cell_of(const struct elm_cells *c, double fitness)
{
    uint32_t worst = OTHERS;
    for (uint32_t i = OTHERS; i < c->count; i++) {
        const struct elm_elite *e = &c->elites[i], *w = &c->elites[worst];
        if (e->fitness == fitness)
            return i;
        if (e->fitness < w->fitness || (e->fitness == w->fitness && e->id < w->id))
            worst = i;
    }
    return c->count < c->cells ? c->count : worst;
}

/* Cells are filled in order, so the elite of a cell has its number for an index. */
static struct elm_add_result rooted_add(void *self, const struct elm_entrant *x)
{
    return elm_cells_add(self, cell_of(self, x->evaluation->fitness), x);
}

static uint32_t rooted_group(const void *self, struct elm_rng *rng, uint32_t *first,
                             uint32_t *count)
{
    const struct elm_cells *c = self;
    double asked = fmax(c->elites[SEED].asked, SEED_OFTEN);
    bool seed = elm_rng_chance(rng, SEED_SHARE * SEED_OFTEN / asked) || c->count == OTHERS;
    *first = seed ? SEED : OTHERS;
    *count = seed ? 1 : c->count - OTHERS;
    return seed ? SEED : OTHERS;
}

static uint32_t rooted_count(const void *self)
{
    return ((const struct elm_cells *)self)->count;
}

static struct elm_elite *rooted_at(void *self, uint32_t index)
{
    struct elm_cells *c = self;
    ELM_ASSERT(index < c->count);
    return &c->elites[index];
}

static struct elm_elite *rooted_best(void *self)
{
    return elm_cells_best(self);
}

static void rooted_stats(const void *self, struct elm_archive_stats *out)
{
    elm_cells_stats(self, out);
}

static uint64_t rooted_hash(const void *self)
{
    return elm_cells_hash(self);
}

static void rooted_save(const void *self, struct elm_buf *out)
{
    elm_cells_save(self, out);
}

static enum elm_status rooted_load(void *self, struct elm_reader *r, struct elm_error *err)
{
    return elm_cells_load(self, r, err);
}

const struct elm_archive_kind elm_archive_rooted = {
    .name = "rooted",
    .summary = "the seed, for long the parent of every second child, and the 8 best that differ in fitness",
    .make = rooted_make,
    .free = rooted_free,
    .add = rooted_add,
    .group = rooted_group,
    .count = rooted_count,
    .at = rooted_at,
    .best = rooted_best,
    .stats = rooted_stats,
    .hash = rooted_hash,
    .save = rooted_save,
    .load = rooted_load,
};
