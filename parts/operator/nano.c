/*
 * nano: the tree-edit model (elm/nano.h) reads the parent with what its runs say, and writes 64
 * different edits of it at once: likely ones first, found by training on programs that were broken
 * on purpose.
 */
#include "elm/nano.h"

#include <stdlib.h>
#include <string.h>

#define GROUP 64
#define TEMPERATURE 0.7

struct nano {
    struct elm_nano *model;
    struct elm_nano_sampler *sampler;
    bool read, can_edit;         /* the sampler holds the program of `parent` */
    uint64_t parent, group;
    bool sampled;
    uint32_t count;
};

static bool nano_applies(const struct elm_problem *problem, const struct elm_evidence *evidence,
                         const char **why)
{
    const char *reason = NULL;
    struct elm_nano *model = NULL;
    (void)evidence;
    if (problem->seed.count == 0) {
        reason = "the seed is outside core C";
    } else if (elm_nano_builtin(&model, NULL) != ELM_OK) {
        reason = "no model built in";
    }
    elm_nano_free(model);
    if (why != NULL && reason != NULL)
        *why = reason;
    return reason == NULL;
}

static void *nano_make(const struct elm_problem *problem)
{
    (void)problem;
    return elm_calloc(1, sizeof(struct nano));
}

static void nano_free(void *self)
{
    struct nano *s = self;
    if (s == NULL)
        return;
    elm_nano_sampler_free(s->sampler);
    elm_nano_free(s->model);
    free(s);
}

static enum elm_status open_model(struct nano *s, const char *path, struct elm_error *err)
{
    if (s->sampler != NULL)
        return ELM_OK;
    if (s->model == NULL)
        ELM_TRY(path != NULL ? elm_nano_open(path, &s->model, err)
                             : elm_nano_builtin(&s->model, err));
    return elm_nano_sampler_new(s->model, ELM_KERNEL_AUTO, &s->sampler, err);
}

static void sample(struct nano *s, const struct elm_operator_context *context,
                   const struct elm_parent *parent)
{
    uint64_t key = elm_hash_mix(elm_tree_text_hash(parent->tree), (uint64_t)parent->id);
    if (!s->read || s->parent != key) {
        s->can_edit = elm_nano_read(s->sampler, context->problem, context->evidence, parent->tree,
                                    parent->editable, context->vm == NULL, context->vm);
        s->read = true;
        s->parent = key;
        s->sampled = false;
    }
    if (s->sampled && s->group == context->group)
        return;
    s->count = s->can_edit ? elm_nano_sample(s->sampler, context->group, GROUP, TEMPERATURE) : 0;
    s->group = context->group;
    s->sampled = true;
}

static enum elm_status nano_mutate(void *self, const struct elm_operator_context *context,
                                   const struct elm_parents *parents, struct elm_rng *rng,
                                   struct elm_edit *edits, uint32_t *edit_count,
                                   struct elm_error *err)
{
    struct nano *s = self;
    const struct elm_parent *parent = &parents->parent[0];
    (void)rng;
    if (parent->tree == NULL || parent->editable_count == 0)
        return elm_fail(err, ELM_NOT_FOUND, "no editable node in program %lld",
                        (long long)parent->id);
    ELM_TRY(open_model(s, context->model, err));
    sample(s, context, parent);
    if (context->member >= s->count)
        return elm_fail(err, ELM_NOT_FOUND, "no more edits of program %lld",
                        (long long)parent->id);
    *edit_count = elm_nano_child(s->sampler, context->member, context->arena, edits, NULL);
    uint32_t put = 0, count = parent->tree->count;
    for (uint32_t i = 0; i < *edit_count; i++) {
        put += edits[i].put_count;
        count += edits[i].put_count;
        if (edits[i].removed > 0)
            count -= parent->tree->nodes[elm_tree_kid(parent->tree, edits[i].parent,
                                                      edits[i].first)].size;
    }
    if (put > context->problem->edit_nodes_max || count > context->problem->nodes_max)
        return elm_fail(err, ELM_NOT_FOUND, "an edit beyond the limits of nodes");
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
    .applies = nano_applies,
    .mutate = nano_mutate,
};
