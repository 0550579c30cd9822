/*
 * taught: small changes (elm/points.h), each drawn as often as the change model (elm/changes.h) holds it for what
 * mends. The model was taught on broken programs whose answer is known, and sees of a change its kind, its place
 * and what runs of the parent say of it. The more a parent has been asked, the less eagerly what is likely is drawn.
 */
#include "elm/changes.h"

#include <math.h>
#include <stdlib.h>

#define SLOTS 16                 /* parents whose changes are remembered */
#define ASKED_OFTEN 200.0
#define LEVELS_MAX 12            /* of heat: doubled by eight */
#define STEPS 4.0                /* levels while what has been asked doubles */

struct slot {
    uint64_t key, used;
    struct elm_point_list list;
    float *scores;               /* [list.count] */
    double *upto;                /* running sums of the weights at that level */
    int level;
};
struct taught {
    struct elm_changes model;
    bool read;
    struct elm_tapes *tapes;
    struct elm_clues *clues;
    struct slot slots[SLOTS];
    uint64_t calls;
    struct elm_arena arena;      /* of edits that are only scored */
    /* of a call */
    const struct slot *slot;
    const struct elm_tree *tree;
    struct elm_arena *nodes;
};

static void *taught_make(const struct elm_problem *problem)
{
    (void)problem;
    struct taught *s = elm_calloc(1, sizeof(*s));
    s->tapes = elm_tapes_new();
    s->clues = elm_clues_new();
    return s;
}

static void taught_free(void *self)
{
    struct taught *s = self;
    if (s == NULL)
        return;
    for (uint32_t i = 0; i < SLOTS; i++) {
        free(s->slots[i].list.points);
        free(s->slots[i].scores);
        free(s->slots[i].upto);
    }
    elm_tapes_free(s->tapes);
    elm_clues_free(s->clues);
    elm_arena_release(&s->arena);
    free(s);
}

static enum elm_status taught_model(const char *path, struct elm_error *err)
{
    struct elm_changes model;
    return elm_changes_read(path, &model, err);
}

/* Scores all changes of a parent. */
static void fill(struct taught *s, struct slot *slot, const struct elm_operator_context *context,
                 const struct elm_parent *parent)
{
    const struct elm_tape *tape = NULL;
    float clues[ELM_CLUES];
    /* without a vm the evaluator is opaque */
    if (context->vm == NULL ||
        elm_tapes_of(s->tapes, context->problem, context->evidence, parent, &tape, NULL) != ELM_OK)
        tape = NULL;
    elm_clues_begin(s->clues, parent->tree, tape);
    elm_points_list(parent, true, &slot->list);
    slot->level = -1;
    slot->scores = elm_realloc(slot->scores, (slot->list.count + 1) * sizeof(slot->scores[0]));
    slot->upto = elm_realloc(slot->upto, (slot->list.count + 1) * sizeof(slot->upto[0]));
    for (uint32_t i = 0; i < slot->list.count; i++) {
        const struct elm_point *point = &slot->list.points[i];
        elm_arena_clear(&s->arena);
        struct elm_edit edit = elm_points_edit(parent->tree, point, &s->arena);
        elm_clues_of(s->clues, point, &edit, clues);
        slot->scores[i] = elm_changes_score(&s->model, clues, NULL);
    }
}

static struct slot *slot_of(struct taught *s, const struct elm_operator_context *context,
                            const struct elm_parent *parent)
{
    uint64_t key = elm_hash_mix(elm_tree_text_hash(parent->tree), (uint64_t)parent->id);
    struct slot *oldest = &s->slots[0];
    s->calls++;
    for (uint32_t i = 0; i < SLOTS; i++) {
        struct slot *slot = &s->slots[i];
        if (slot->used > 0 && slot->key == key) {
            slot->used = s->calls;
            return slot;
        }
        oldest = slot->used < oldest->used ? slot : oldest;
    }
    fill(s, oldest, context, parent);
    oldest->key = key;
    oldest->used = s->calls;
    return oldest;
}

static void weigh(struct slot *slot, uint64_t asked)
{
    double often = floor(STEPS * log2(1 + (double)asked / ASKED_OFTEN)), sum = 0;
    int level = often < LEVELS_MAX ? (int)often : LEVELS_MAX;
    if (slot->level == level)
        return;
    const double cool = exp2(-level / (2 * STEPS));
    float most = -INFINITY;
    slot->level = level;
    for (uint32_t i = 0; i < slot->list.count; i++)
        most = fmaxf(most, slot->scores[i]);
    for (uint32_t i = 0; i < slot->list.count; i++)
        slot->upto[i] = sum += exp(((double)slot->scores[i] - (double)most) * cool);
}

static bool choose(void *ctx, struct elm_points *p, struct elm_rng *rng, struct elm_edit *edit)
{
    const struct taught *s = ctx;
    uint32_t lo = 0, hi = s->slot->list.count;
    (void)p;
    if (hi == 0)
        return false;
    const double at = elm_rng_unit(rng) * s->slot->upto[hi - 1];
    while (hi - lo > 1) {
        uint32_t middle = (lo + hi) / 2;
        if (s->slot->upto[middle - 1] > at)
            hi = middle;
        else
            lo = middle;
    }
    *edit = elm_points_edit(s->tree, &s->slot->list.points[lo], s->nodes);
    return true;
}

static enum elm_status taught_mutate(void *self, const struct elm_operator_context *context,
                                     const struct elm_parents *parents, struct elm_rng *rng,
                                     struct elm_edit *edits, uint32_t *edit_count,
                                     struct elm_error *err)
{
    struct taught *s = self;
    const struct elm_parent *parent = &parents->parent[0];
    if (parent->tree == NULL || parent->editable_count == 0)
        return elm_fail(err, ELM_NOT_FOUND, "no editable node in program %lld",
                        (long long)parent->id);
    if (!s->read)
        ELM_TRY(elm_changes_read(context->model, &s->model, err));
    s->read = true;
    struct slot *slot = slot_of(s, context, parent);
    weigh(slot, parent->asked);
    s->slot = slot;
    s->tree = parent->tree;
    s->nodes = context->arena;
    return elm_points_child(context, parent, rng, choose, s, edits, edit_count, err);
}

const struct elm_operator_kind elm_operator_taught = {
    .name = "taught",
    .summary = "small changes, those first that a small model was taught to try",
    .price_us = 100,
    .parents_min = 1,
    .make = taught_make,
    .free = taught_free,
    /* where nothing is wanted every child has another parent, and scoring it all costs more than it is worth */
    .applies = elm_operator_takes_wants,
    .model = taught_model,
    .mutate = taught_mutate,
};
