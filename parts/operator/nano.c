/*
 * nano: the tree-edit model (elm/nano.h) reads the parent with what its runs say, and writes many
 * different edits of it at once. It learnt what to write from programs that were broken on purpose.
 */
#include "elm/nano.h"

#define GROUP 64
#define TEMPERATURE 0.7

static void *nano_make(const struct elm_problem *problem)
{
    (void)problem;
    return elm_nano_writer_new();
}

static void nano_free(void *self)
{
    elm_nano_writer_free(self);
}

static enum elm_status nano_mutate(void *self, const struct elm_operator_context *context,
                                   const struct elm_parents *parents, struct elm_rng *rng,
                                   struct elm_edit *edits, uint32_t *edit_count,
                                   struct elm_error *err)
{
    const struct elm_parent *parent = &parents->parent[0];
    struct elm_nano_sampler *sampler;
    uint32_t children;
    (void)rng;
    ELM_TRY(elm_nano_writer_ask(self, context, parent, GROUP, TEMPERATURE, &sampler, &children,
                                err));
    if (context->member >= children)
        return elm_fail(err, ELM_NOT_FOUND, "no more edits of program %lld",
                        (long long)parent->id);
    *edit_count = elm_nano_child(sampler, context->member, context->arena, edits, NULL);
    if (!elm_nano_fits(context->problem, parent->tree, edits, *edit_count))
        return elm_fail(err, ELM_NOT_FOUND, "an edit beyond the limits of nodes, or one "
                        "whose order C leaves open");
    return ELM_OK;
}

const struct elm_operator_kind elm_operator_nano = {
    .name = "nano",
    .summary = "a small model trained on broken programs writes edits of the tree",
    .price_us = 60,
    .parents_min = 1,
    .group = GROUP,
    .make = nano_make,
    .free = nano_free,
    .applies = elm_operator_takes_core_c,
    .model = elm_nano_writer_model,
    .mutate = nano_mutate,
};
