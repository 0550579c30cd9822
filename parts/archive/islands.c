/*
 * islands: small populations that evolve apart, each the few best it has found, whatever they
 * measure: with a grid in each, search did worse (docs/results/archives.md). Children contend where
 * their parents live. From time to time the best of each island is copied to the next one, round a
 * ring; and an island of the worse half that has not improved for long is emptied, and begins again
 * from the best of one of the better half.
 * Source: Romera-Paredes et al. 2023 (FunSearch), who reset all of the worse half at once, and let
 * nobody migrate.
 */
#include "elm/cells.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ISLANDS 4
#define PLACES 8                 /* of an island */
/* in calls of tend, one a batch */
#define MIGRATION 32
#define STAGNATION 256

struct island {
    struct elm_cells cells;
    uint64_t improved;           /* the turn in which its best last rose */
    int64_t before;              /* ids up to this one were admitted before it was last emptied */
};

struct ids {
    int64_t *at;
    uint32_t count, cap;
};

struct islands {
    uint64_t turn;               /* calls of tend */
    int64_t newest;              /* id admitted last */
    struct island island[ISLANDS];
    struct ids copied, dropped;  /* by the last tend */
};

static void *islands_make(const struct elm_problem *problem, double floor)
{
    struct islands *a = elm_calloc(1, sizeof(*a));
    a->newest = -1;
    for (uint32_t i = 0; i < ISLANDS; i++) {
        elm_cells_init(&a->island[i].cells, PLACES, i * PLACES, problem, floor);
        a->island[i].before = -1;
    }
    return a;
}

static void islands_free(void *self)
{
    struct islands *a = self;
    if (a == NULL)
        return;
    for (uint32_t i = 0; i < ISLANDS; i++)
        elm_cells_release(&a->island[i].cells);
    free(a->copied.at);
    free(a->dropped.at);
    free(a);
}

/* The place to give up: the worst; among equals the oldest, so that search moves on. */
static const struct elm_elite *worst(const struct elm_cells *c)
{
    const struct elm_elite *w = &c->elites[0];
    for (uint32_t i = 1; i < c->count; i++) {
        const struct elm_elite *e = &c->elites[i];
        if (e->fitness < w->fitness || (e->fitness == w->fitness && e->id < w->id))
            w = e;
    }
    return w;
}

/* The cell of the island that a newcomer contends for. */
static uint32_t cell_of(const struct elm_cells *c)
{
    return c->count < PLACES ? c->count : worst(c)->niche - c->first;
}

static double best_fitness(const struct island *home)
{
    const struct elm_elite *best = elm_cells_best(&home->cells);
    return best == NULL ? -INFINITY : best->fitness;
}

/* Its parent was drawn before the island was emptied: it belongs to what has ended, unless it is
 * better than all that has begun since. */
static bool comes_late(const struct island *home, const struct elm_entrant *x)
{
    return x->parent >= 0 && x->parent <= home->before &&
           x->evaluation->fitness <= best_fitness(home) &&
           elm_cells_find(&home->cells, x->parent) == NULL;
}

static struct elm_add_result islands_add(void *self, const struct elm_entrant *x)
{
    struct islands *a = self;
    struct island *home = &a->island[x->group % ISLANDS];
    uint32_t cell = cell_of(&home->cells);
    double best = best_fitness(home);
    if (comes_late(home, x))
        return (struct elm_add_result){ELM_OUTCOME_REJECTED, home->cells.first + cell, -1, 0};
    struct elm_add_result r = elm_cells_add(&home->cells, cell, x);
    if (r.outcome >= ELM_OUTCOME_IMPROVED)
        a->newest = x->id;
    if (best_fitness(home) > best)
        home->improved = a->turn;
    return r;
}

/* Fitness under a comparison judge is the length of the chain of wins that led here. */
static struct elm_add_result islands_beat(void *self, const struct elm_entrant *x,
                                          int64_t opponent)
{
    struct islands *a = self;
    struct island *home = &a->island[x->group % ISLANDS];
    struct elm_cells *c = &home->cells;
    if (c->count < PLACES || comes_late(home, x))
        return islands_add(a, x);
    const struct elm_elite *beaten = elm_cells_find(c, opponent);
    if (beaten == NULL) {
        const struct elm_elite *w = worst(c);
        return (struct elm_add_result){ELM_OUTCOME_NONE, w->niche, w->id, 0};
    }
    double best = best_fitness(home);
    struct elm_add_result r = elm_cells_replace(c, beaten->niche - c->first, x);
    a->newest = x->id;
    if (best_fitness(home) > best)
        home->improved = a->turn;
    return r;
}

static uint32_t islands_group(const void *self, struct elm_rng *rng, uint32_t *first,
                              uint32_t *count)
{
    const struct islands *a = self;
    uint32_t of[ISLANDS] = {0}, settled = 0;
    for (uint32_t i = 0; i < ISLANDS; i++) {
        if (a->island[i].cells.count > 0)
            of[settled++] = i;
    }
    ELM_ASSERT(settled > 0);
    uint32_t group = of[elm_rng_below(rng, settled)];
    *first = 0;
    for (uint32_t i = 0; i < group; i++)
        *first += a->island[i].cells.count;
    *count = a->island[group].cells.count;
    return group;
}

static void push(struct ids *ids, int64_t id)
{
    if (ids->count == ids->cap) {
        ids->cap = ids->cap == 0 ? 16 : ids->cap * 2;
        ids->at = elm_realloc(ids->at, ids->cap * sizeof(ids->at[0]));
    }
    ids->at[ids->count++] = id;
}

/* A copy of an elite contends in another island. */
static void copy_to(struct islands *a, struct island *to, const struct elm_elite *elite)
{
    if (elm_cells_find(&to->cells, elite->id) != NULL)
        return;
    struct elm_evaluation e = {.status = ELM_EVAL_OK, .fitness = elite->fitness};
    memcpy(e.measures, elite->measures, sizeof(e.measures));
    struct elm_entrant x = {.id = elite->id, .parent = -1, .nodes = elite->nodes,
                            .evaluation = &e};
    double best = best_fitness(to);
    struct elm_add_result r = elm_cells_add(&to->cells, cell_of(&to->cells), &x);
    if (r.outcome < ELM_OUTCOME_IMPROVED)
        return;
    if (best_fitness(to) > best)
        to->improved = a->turn;
    /* every place of a program counts the same, so that it does not matter which was drawn */
    struct elm_elite *copy = elm_cells_find(&to->cells, elite->id);
    copy->asked = elite->asked;
    copy->wins = elite->wins;
    push(&a->copied, elite->id);
    if (r.evicted >= 0)
        push(&a->dropped, r.evicted);
}

static void migrate(struct islands *a)
{
    struct elm_elite best[ISLANDS];
    for (uint32_t i = 0; i < ISLANDS; i++)
        best[i] = *elm_cells_best(&a->island[i].cells);
    for (uint32_t i = 0; i < ISLANDS; i++)
        copy_to(a, &a->island[(i + 1) % ISLANDS], &best[i]);
}

/* Empties an island and begins it again from the best of another. */
static void spawn(struct islands *a, struct island *at, const struct island *from)
{
    for (uint32_t i = 0; i < at->cells.count; i++)
        push(&a->dropped, at->cells.elites[i].id);
    elm_cells_clear(&at->cells);
    at->before = a->newest;
    at->improved = a->turn;
    copy_to(a, at, elm_cells_best(&from->cells));
}

/* From the best island to the worst; of equals the one whose best is small, then by number. */
static void rank(struct islands *a, struct island *order[ISLANDS])
{
    for (uint32_t i = 0; i < ISLANDS; i++) {
        const struct elm_elite *best = elm_cells_best(&a->island[i].cells);
        uint32_t at = i;
        for (; at > 0; at--) {
            const struct elm_elite *above = elm_cells_best(&order[at - 1]->cells);
            if (above->fitness > best->fitness ||
                (above->fitness == best->fitness && above->nodes <= best->nodes))
                break;
            order[at] = order[at - 1];
        }
        order[at] = &a->island[i];
    }
}

static void end_stagnation(struct islands *a)
{
    struct island *order[ISLANDS];
    rank(a, order);
    for (uint32_t i = ISLANDS - 1; i >= ISLANDS / 2; i--) {
        if (a->turn - order[i]->improved < STAGNATION)
            continue;
        struct elm_rng rng = elm_rng(0, a->turn);
        spawn(a, order[i], order[elm_rng_below(&rng, ISLANDS / 2)]);
        return;
    }
}

static void islands_tend(void *self, struct elm_moves *moves)
{
    struct islands *a = self;
    const struct island *settled = NULL;
    a->copied.count = a->dropped.count = 0;
    a->turn++;
    for (uint32_t i = 0; i < ISLANDS && settled == NULL; i++)
        settled = a->island[i].cells.count > 0 ? &a->island[i] : NULL;
    ELM_ASSERT(settled != NULL);
    for (uint32_t i = 0; i < ISLANDS; i++) {
        if (a->island[i].cells.count == 0)
            spawn(a, &a->island[i], settled);
    }
    if (a->turn % MIGRATION == 0)
        migrate(a);
    end_stagnation(a);
    *moves = (struct elm_moves){a->copied.at, a->dropped.at, a->copied.count, a->dropped.count};
}

static uint32_t islands_count(const void *self)
{
    const struct islands *a = self;
    uint32_t count = 0;
    for (uint32_t i = 0; i < ISLANDS; i++)
        count += a->island[i].cells.count;
    return count;
}

static struct elm_elite *islands_at(void *self, uint32_t index)
{
    struct islands *a = self;
    uint32_t i = 0;
    for (; i + 1 < ISLANDS && index >= a->island[i].cells.count; i++)
        index -= a->island[i].cells.count;
    ELM_ASSERT(index < a->island[i].cells.count);
    return &a->island[i].cells.elites[index];
}

static struct elm_elite *islands_best(void *self)
{
    struct islands *a = self;
    struct elm_elite *best = NULL;
    for (uint32_t i = 0; i < ISLANDS; i++) {
        struct elm_elite *e = elm_cells_best(&a->island[i].cells);
        if (e != NULL && (best == NULL || e->fitness > best->fitness ||
                          (e->fitness == best->fitness && e->nodes < best->nodes)))
            best = e;
    }
    return best;
}

static void islands_stats(const void *self, struct elm_archive_stats *out)
{
    const struct islands *a = self;
    double sum = 0;
    *out = (struct elm_archive_stats){0};
    for (uint32_t i = 0; i < ISLANDS; i++) {
        struct elm_archive_stats one;
        elm_cells_stats(&a->island[i].cells, &one);
        if (one.elites > 0 && (out->elites == 0 || one.best > out->best))
            out->best = one.best;
        out->niches += one.niches;
        out->elites += one.elites;
        out->qd_score += one.qd_score;
        sum += one.mean * one.elites;
    }
    out->mean = out->elites > 0 ? sum / out->elites : 0;
    out->coverage = (double)out->elites / out->niches;
}

static uint64_t islands_hash(const void *self)
{
    const struct islands *a = self;
    uint64_t hash = elm_hash_mix(a->turn, (uint64_t)a->newest);
    for (uint32_t i = 0; i < ISLANDS; i++) {
        const struct island *at = &a->island[i];
        hash = elm_hash_mix(hash, elm_cells_hash(&at->cells));
        hash = elm_hash_mix(hash, elm_hash_mix(at->improved, (uint64_t)at->before));
    }
    return hash;
}

static void islands_save(const void *self, struct elm_buf *out)
{
    const struct islands *a = self;
    elm_buf_varint(out, a->turn);
    elm_buf_zigzag(out, a->newest);
    for (uint32_t i = 0; i < ISLANDS; i++) {
        elm_buf_varint(out, a->island[i].improved);
        elm_buf_zigzag(out, a->island[i].before);
        elm_cells_save(&a->island[i].cells, out);
    }
}

static enum elm_status islands_load(void *self, struct elm_reader *r, struct elm_error *err)
{
    struct islands *a = self;
    a->turn = elm_read_varint(r);
    a->newest = elm_read_zigzag(r);
    for (uint32_t i = 0; i < ISLANDS; i++) {
        struct island *at = &a->island[i];
        at->improved = elm_read_varint(r);
        at->before = elm_read_zigzag(r);
        if (at->improved > a->turn || a->turn > INT64_MAX)
            return elm_fail(err, ELM_CORRUPT, "an island in the snapshot improved in the future");
        ELM_TRY(elm_cells_load(&at->cells, r, err));
    }
    return ELM_OK;
}

const struct elm_archive_kind elm_archive_islands = {
    .name = "islands",
    .summary = "4 populations apart, with migration, renewed where they stagnate",
    .make = islands_make,
    .free = islands_free,
    .add = islands_add,
    .beat = islands_beat,
    .group = islands_group,
    .tend = islands_tend,
    .count = islands_count,
    .at = islands_at,
    .best = islands_best,
    .stats = islands_stats,
    .hash = islands_hash,
    .save = islands_save,
    .load = islands_load,
};
