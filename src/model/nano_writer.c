/* nano_writer: what operators of the tree-edit model share: the model, and what was read and sampled. */
#include "elm/nano.h"

#include <math.h>
#include <stdlib.h>

/* A parent that has been asked for many children is one whose mistake the model holds for right, so
 * what it would write is written: the longer, the more it tries what it thinks unlikely
 * (docs/results/nano.md, "Too sure of itself outside the generator"). */
#define ASKED_OFTEN 100.0
#define HEAT_MAX 3.0

struct elm_nano_writer {
    struct elm_nano *model;
    struct elm_nano_sampler *sampler;
    bool read, can_edit, sampled;
    uint64_t parent, group;
    uint32_t count;
};

struct elm_nano_writer *elm_nano_writer_new(void)
{
    return elm_calloc(1, sizeof(struct elm_nano_writer));
}

void elm_nano_writer_free(struct elm_nano_writer *w)
{
    if (w == NULL)
        return;
    elm_nano_sampler_free(w->sampler);
    elm_nano_free(w->model);
    free(w);
}

static enum elm_status load(const char *path, struct elm_nano **out, struct elm_error *err)
{
    return path != NULL ? elm_nano_open(path, out, err) : elm_nano_builtin(out, err);
}

enum elm_status elm_nano_writer_model(const char *path, struct elm_error *err)
{
    struct elm_nano *model;
    ELM_TRY(load(path, &model, err));
    elm_nano_free(model);
    return ELM_OK;
}

static enum elm_status open_model(struct elm_nano_writer *w, const char *path,
                                  struct elm_error *err)
{
    if (w->sampler != NULL)
        return ELM_OK;
    if (w->model == NULL)
        ELM_TRY(load(path, &w->model, err));
    return elm_nano_sampler_new(w->model, ELM_KERNEL_AUTO, &w->sampler, err);
}

static double heat_of(const struct elm_parent *parent)
{
    return fmin(HEAT_MAX, sqrt(1 + (double)parent->asked / ASKED_OFTEN));
}

enum elm_status elm_nano_writer_ask(struct elm_nano_writer *w,
                                    const struct elm_operator_context *context,
                                    const struct elm_parent *parent, uint32_t count,
                                    double temperature, struct elm_nano_sampler **sampler,
                                    uint32_t *children, struct elm_error *err)
{
    if (parent->tree == NULL || parent->editable_count == 0)
        return elm_fail(err, ELM_NOT_FOUND, "no editable node in program %lld",
                        (long long)parent->id);
    ELM_TRY(open_model(w, context->model, err));
    uint64_t key = elm_hash_mix(elm_tree_text_hash(parent->tree), (uint64_t)parent->id);
    if (!w->read || w->parent != key) {
        w->can_edit = elm_nano_read(w->sampler, context->problem, context->evidence, parent->tree,
                                    parent->editable, context->vm == NULL, context->vm);
        w->read = true;
        w->parent = key;
        w->sampled = false;
    }
    if (!w->sampled || w->group != context->group) {
        w->count = w->can_edit ? elm_nano_sample(w->sampler, context->group, count,
                                                  temperature * heat_of(parent))
                               : 0;
        w->group = context->group;
        w->sampled = true;
    }
    *sampler = w->sampler;
    *children = w->count;
    return ELM_OK;
}

/* Are there stores that are a part of an expression, or calls that may store? Only then can an edit
 * leave an order of evaluation open. */
static bool stores_inside(const struct elm_tree *t)
{
    uint32_t stores = 0, alone = 0, functions = 0;
    for (uint32_t i = 0; i < t->count; i++) {
        const struct elm_node *n = &t->nodes[i];
        functions += n->kind == ELM_NODE_FUNCTION;
        stores += n->kind >= ELM_NODE_ASSIGN;
        if (n->kind == ELM_NODE_EVAL)
            alone += t->nodes[i + 1].kind >= ELM_NODE_ASSIGN;
        for (uint16_t k = 0; n->kind == ELM_NODE_FOR && k <= 2; k += 2)
            alone += t->nodes[elm_tree_kid(t, i, k)].kind >= ELM_NODE_ASSIGN;
    }
    return stores > alone || functions > 1;
}

static bool passes(const struct elm_problem *problem, const struct elm_tree *tree,
                   const struct elm_edit *edits, uint32_t count)
{
    struct elm_tree child;
    if (elm_tree_edit(tree, edits, count, &child, NULL) != ELM_OK)
        return false;
    bool ok = elm_tree_check(&child, problem->names, NULL) == ELM_OK;
    elm_tree_release(&child);
    return ok;
}

bool elm_nano_fits(const struct elm_problem *problem, const struct elm_tree *tree,
                   const struct elm_edit *edits, uint32_t count)
{
    uint32_t put = 0, nodes = tree->count;
    for (uint32_t i = 0; i < count; i++) {
        put += edits[i].put_count;
        nodes += edits[i].put_count;
        if (edits[i].removed > 0)
            nodes -= tree->nodes[elm_tree_kid(tree, edits[i].parent, edits[i].first)].size;
    }
    return put <= problem->edit_nodes_max && nodes <= problem->nodes_max &&
           (!stores_inside(tree) || passes(problem, tree, edits, count));
}
