/*
 * guided: the tree-edit model proposes, the values that the outputs want choose. Many edits are
 * sampled; those that put an expression in another's place are computed from the parent's runs, and
 * what meets more of the wanted values comes first, what meets fewer last. Edits whose effect can't be
 * computed so keep the place that the model gave them in between.
 */
#include "elm/nano.h"
#include "elm/tape.h"

#include <stdlib.h>

#define GROUP 32
#define PROPOSED 160
#define TEMPERATURE 0.9

struct ranked {
    uint32_t child;
    int gain;                    /* wanted values met, more than before */
};
struct guided {
    struct elm_nano_writer *writer;
    struct elm_tapes *tapes;
    bool ranked;
    uint64_t parent, group;
    struct ranked order[PROPOSED];
    uint32_t count;
    struct elm_arena arena;
};

static void *guided_make(const struct elm_problem *problem)
{
    (void)problem;
    struct guided *s = elm_calloc(1, sizeof(*s));
    s->writer = elm_nano_writer_new();
    s->tapes = elm_tapes_new();
    return s;
}

static void guided_free(void *self)
{
    struct guided *s = self;
    if (s == NULL)
        return;
    elm_nano_writer_free(s->writer);
    elm_tapes_free(s->tapes);
    elm_arena_release(&s->arena);
    free(s);
}

static int by_gain(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->gain != y->gain)
        return x->gain < y->gain ? 1 : -1;
    return x->child < y->child ? -1 : x->child > y->child;
}

/* tape NULL: none could be recorded. */
static void rank(struct guided *s, const struct elm_parent *parent, const struct elm_tape *tape,
                 struct elm_nano_sampler *sampler, uint32_t children)
{
    struct elm_edit edits[ELM_EDITS_MAX];
    for (uint32_t i = 0; i < children; i++) {
        elm_arena_clear(&s->arena);
        uint32_t count = elm_nano_child(sampler, i, &s->arena, edits, NULL);
        s->order[i] = (struct ranked){i, 0};
        if (count == 1 && tape != NULL)
            s->order[i].gain = elm_tapes_gain(s->tapes, tape, parent->tree, &edits[0]);
    }
    s->count = children;
    qsort(s->order, s->count, sizeof(s->order[0]), by_gain);
}

static void prepare(struct guided *s, const struct elm_operator_context *context,
                    const struct elm_parent *parent, struct elm_nano_sampler *sampler,
                    uint32_t children)
{
    uint64_t key = elm_hash_mix(elm_tree_text_hash(parent->tree), (uint64_t)parent->id);
    if (s->ranked && s->parent == key && s->group == context->group)
        return;
    const struct elm_tape *tape = NULL;
    if (context->vm == NULL || elm_tapes_of(s->tapes, context->problem, context->evidence, parent,
                                            &tape, NULL) != ELM_OK)
        tape = NULL;
    rank(s, parent, tape, sampler, children);
    s->parent = key;
    s->group = context->group;
    s->ranked = true;
}

static enum elm_status guided_mutate(void *self, const struct elm_operator_context *context,
                                     const struct elm_parents *parents, struct elm_rng *rng,
                                     struct elm_edit *edits, uint32_t *edit_count,
                                     struct elm_error *err)
{
    struct guided *s = self;
    const struct elm_parent *parent = &parents->parent[0];
    struct elm_nano_sampler *sampler;
    uint32_t children;
    (void)rng;
    ELM_TRY(elm_nano_writer_ask(s->writer, context, parent, PROPOSED, TEMPERATURE, &sampler,
                                &children, err));
    prepare(s, context, parent, sampler, children);
    if (context->member >= s->count)
        return elm_fail(err, ELM_NOT_FOUND, "no more edits of program %lld",
                        (long long)parent->id);
    *edit_count = elm_nano_child(sampler, s->order[context->member].child, context->arena, edits,
                                 NULL);
    if (!elm_nano_fits(context->problem, parent->tree, edits, *edit_count))
        return elm_fail(err, ELM_NOT_FOUND, "an edit beyond the limits of nodes, or one "
                        "whose order C leaves open");
    return ELM_OK;
}

const struct elm_operator_kind elm_operator_guided = {
    .name = "guided",
    .summary = "the small model proposes, the values wanted choose",
    .price_us = 200,
    .parents_min = 1,
    .group = GROUP,
    .make = guided_make,
    .free = guided_free,
    .applies = elm_operator_takes_wants,
    .model = elm_nano_writer_model,
    .mutate = guided_mutate,
};
