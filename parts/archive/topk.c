/* topk: the k best programs, whatever they measure; with a comparison judge, a ladder of k. */
#include "elm/archive.h"

#include <stdlib.h>
#include <string.h>

#define CAPACITY 8

struct topk {
    double floor;
    uint32_t seed_nodes;
    uint32_t count;
    struct elm_elite elites[CAPACITY];
};

static void *topk_make(const struct elm_problem *problem, double floor)
{
    struct topk *a = elm_calloc(1, sizeof(*a));
    a->floor = floor;
    a->seed_nodes = problem->seed.count;
    return a;
}

static struct elm_elite elite_of(const struct elm_entrant *x, uint32_t niche)
{
    struct elm_elite elite = {.id = x->id, .fitness = x->evaluation->fitness, .niche = niche,
                              .nodes = x->nodes};
    memcpy(elite.measures, x->evaluation->measures, sizeof(elite.measures));
    return elite;
}

/* The place to give up: the worst; among equals the oldest, so that search moves on. */
static uint32_t worst(const struct topk *a)
{
    uint32_t w = 0;
    for (uint32_t i = 1; i < a->count; i++) {
        const struct elm_elite *e = &a->elites[i], *b = &a->elites[w];
        if (e->fitness < b->fitness || (e->fitness == b->fitness && e->id < b->id))
            w = i;
    }
    return w;
}

static struct elm_add_result topk_add(void *self, const struct elm_entrant *x)
{
    struct topk *a = self;
    if (a->count < CAPACITY) {
        uint32_t niche = a->count++;
        a->elites[niche] = elite_of(x, niche);
        return (struct elm_add_result){ELM_OUTCOME_NEW, niche, -1, 0};
    }
    uint32_t w = worst(a);
    struct elm_elite *old = &a->elites[w];
    double fitness = x->evaluation->fitness;
    bool small = x->nodes <= old->nodes || x->nodes <= a->seed_nodes;
    bool wins = fitness > old->fitness || (fitness == old->fitness && small);
    if (!wins)
        return (struct elm_add_result){ELM_OUTCOME_REJECTED, w, -1, 0};
    struct elm_add_result r = {ELM_OUTCOME_IMPROVED, w, old->id, fitness - old->fitness};
    *old = elite_of(x, w);
    return r;
}

static struct elm_elite *find(struct topk *a, int64_t id)
{
    for (uint32_t i = 0; i < a->count; i++) {
        if (a->elites[i].id == id)
            return &a->elites[i];
    }
    return NULL;
}

/* Fitness under a comparison judge is the length of the chain of wins that led here. */
static struct elm_add_result topk_beat(void *self, const struct elm_entrant *x, int64_t opponent)
{
    struct topk *a = self;
    if (a->count < CAPACITY)
        return topk_add(a, x);
    struct elm_elite *beaten = find(a, opponent);
    if (beaten == NULL) {
        uint32_t w = worst(a);
        return (struct elm_add_result){ELM_OUTCOME_NONE, w, a->elites[w].id, 0};
    }
    struct elm_add_result r = {ELM_OUTCOME_IMPROVED, beaten->niche, opponent,
                               x->evaluation->fitness - beaten->fitness};
    *beaten = elite_of(x, beaten->niche);
    return r;
}

static uint32_t topk_count(const void *self)
{
    return ((const struct topk *)self)->count;
}

static struct elm_elite *topk_at(void *self, uint32_t index)
{
    struct topk *a = self;
    ELM_ASSERT(index < a->count);
    return &a->elites[index];
}

static struct elm_elite *topk_best(void *self)
{
    struct topk *a = self;
    struct elm_elite *best = NULL;
    for (uint32_t i = 0; i < a->count; i++) {
        struct elm_elite *e = &a->elites[i];
        if (best == NULL || e->fitness > best->fitness ||
            (e->fitness == best->fitness && e->nodes < best->nodes))
            best = e;
    }
    return best;
}

static void topk_stats(const void *self, struct elm_archive_stats *out)
{
    const struct topk *a = self;
    *out = (struct elm_archive_stats){.niches = CAPACITY, .elites = a->count};
    for (uint32_t i = 0; i < a->count; i++) {
        double f = a->elites[i].fitness;
        out->best = i == 0 || f > out->best ? f : out->best;
        out->mean += f / a->count;
        out->qd_score += f - a->floor;
    }
    out->coverage = (double)a->count / CAPACITY;
}

static uint64_t topk_hash(const void *self)
{
    const struct topk *a = self;
    uint64_t hash = a->count;
    for (uint32_t i = 0; i < a->count; i++) {
        struct elm_elite elite = a->elites[i];
        elite.asked = 0;
        hash = elm_hash(&elite, sizeof(elite), hash);
    }
    return hash;
}

static void topk_save(const void *self, struct elm_buf *out)
{
    const struct topk *a = self;
    elm_buf_varint(out, a->count);
    elm_buf_add(out, &a->floor, sizeof(a->floor));
    elm_buf_add(out, a->elites, a->count * sizeof(a->elites[0]));
}

static enum elm_status topk_load(void *self, struct elm_reader *r, struct elm_error *err)
{
    struct topk *a = self;
    uint64_t count = elm_read_varint(r);
    if (count > CAPACITY) {
        return elm_fail(err, ELM_CORRUPT, "archive of %llu elites, at most %d are possible",
                        (unsigned long long)count, CAPACITY);
    }
    const void *floor_bytes = elm_read_bytes(r, sizeof(a->floor));
    const void *elites = elm_read_bytes(r, count * sizeof(a->elites[0]));
    if (r->bad)
        return elm_fail(err, ELM_CORRUPT, "the archive in the snapshot is cut short");
    memcpy(&a->floor, floor_bytes, sizeof(a->floor));
    memcpy(a->elites, elites, count * sizeof(a->elites[0]));
    a->count = (uint32_t)count;
    return ELM_OK;
}

const struct elm_archive_kind elm_archive_topk = {
    .name = "topk",
    .summary = "the 8 best programs, whatever they measure",
    .make = topk_make,
    .free = free,
    .add = topk_add,
    .beat = topk_beat,
    .count = topk_count,
    .at = topk_at,
    .best = topk_best,
    .stats = topk_stats,
    .hash = topk_hash,
    .save = topk_save,
    .load = topk_load,
};
