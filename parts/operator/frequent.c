/*
 * frequent: plain genetic programming whose choices follow a table counted from edits that did well
 * (elm/frequencies.h): which node is replaced, by which kind, how a literal changes. What stands
 * below the new node is drawn at random. A control: it knows nothing of where in a program it is.
 */
#include "elm/frequencies.h"
#include "elm/operator.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TRIES 24
#define DRAWS 16                 /* of a subtree, until its root is of the kind wanted */
#define SIZE_MAX_PUT 9
#define KEEP_KIDS 0.5

struct frequent {
    struct elm_frequencies table;      /* weights, not their logarithms */
    double rows[ELM_FREQUENCY_KINDS];  /* sums */
    bool read;
};

struct work {
    const struct frequent *self;
    const struct elm_operator_context *context;
    const struct elm_parent *parent;
    const struct elm_tree *tree;
    struct elm_rng *rng;
    const struct elm_node *put;
    uint32_t count;
};

static void *frequent_make(const struct elm_problem *problem)
{
    (void)problem;
    return elm_calloc(1, sizeof(struct frequent));
}

static void frequent_free(void *self)
{
    free(self);
}

static enum elm_status frequent_model(const char *path, struct elm_error *err)
{
    struct elm_frequencies table;
    if (path == NULL)
        return elm_fail(err, ELM_NOT_FOUND, "no table is built in; elm train RUN --trainer "
                        "frequencies makes one");
    return elm_frequencies_read(path, &table, err);
}

static enum elm_status read_table(struct frequent *s, const char *path, struct elm_error *err)
{
    if (s->read)
        return ELM_OK;
    if (path == NULL)
        return frequent_model(path, err);
    ELM_TRY(elm_frequencies_read(path, &s->table, err));
    for (int a = 0; a < ELM_FREQUENCY_KINDS; a++) {
        for (int b = 0; b < ELM_FREQUENCY_KINDS; b++) {
            s->table.replace[a][b] = expf(s->table.replace[a][b]);
            s->rows[a] += (double)s->table.replace[a][b];
        }
    }
    for (int k = 0; k < ELM_LITERAL_CHANGES; k++)
        s->table.literal[k] = expf(s->table.literal[k]);
    s->read = true;
    return ELM_OK;
}

static uint32_t draw(struct elm_rng *rng, const float *weights, uint32_t count)
{
    double sum = 0, at;
    uint32_t k = 0;
    for (uint32_t i = 0; i < count; i++)
        sum += (double)weights[i];
    at = elm_rng_unit(rng) * sum;
    while (k + 1 < count && (at -= (double)weights[k]) >= 0)
        k++;
    return k;
}

static bool is_editable(const struct elm_parent *p, uint32_t i)
{
    return (p->editable[i / 8] >> (i % 8) & 1) != 0;
}

static bool in_block(const struct work *w, uint32_t at)
{
    return w->tree->nodes[elm_tree_parent(w->tree, at)].kind == ELM_NODE_BLOCK;
}

/* A statement of a block, or a number. */
static bool is_spot(const struct work *w, uint32_t at)
{
    const struct elm_node *n = &w->tree->nodes[at];
    uint8_t cls = elm_kind_info(n->kind)->cls;
    if (!is_editable(w->parent, at) || n->kind == ELM_NODE_BLOCK)
        return false;
    if (cls == ELM_CLASS_STATEMENT)
        return in_block(w, at);
    return (cls == ELM_CLASS_EXPRESSION || cls == ELM_CLASS_LVALUE) &&
           (n->type == ELM_TYPE_INT || n->type == ELM_TYPE_DOUBLE);
}

/* An editable node by how often its kind was replaced; *insert: something is put before it. */
static uint32_t draw_spot(const struct work *w, bool *insert)
{
    double sum = 0, statements = 0, at;
    for (uint32_t pass = 0;; pass++) {
        double so_far = 0, each = statements > 0 ? w->self->rows[ELM_NODE_NONE] / statements : 0;
        at = pass == 1 ? elm_rng_unit(w->rng) * (sum + each * statements) : INFINITY;
        for (uint32_t i = 1; i < w->tree->count; i++) {
            const struct elm_node *n = &w->tree->nodes[i];
            if (!is_spot(w, i))
                continue;
            bool statement = elm_kind_info(n->kind)->cls == ELM_CLASS_STATEMENT;
            if (pass == 0)
                statements += statement;
            so_far += w->self->rows[n->kind];
            *insert = so_far <= at;
            so_far += statement ? each : 0;
            if (so_far > at)
                return i;
        }
        if (pass == 1 || so_far == 0)
            return UINT32_MAX;
        sum = so_far;
    }
}

static bool put_literal(struct work *w, const struct elm_node *old)
{
    struct elm_node *put = elm_arena_alloc(w->context->arena, 2 * sizeof(*put));
    bool real = old->kind == ELM_NODE_REAL;
    double v = real ? old->d : (double)old->i, to = v;
    switch (draw(w->rng, w->self->table.literal, ELM_LITERAL_CHANGES)) {
    case ELM_LITERAL_MORE: to = v + 1; break;
    case ELM_LITERAL_LESS: to = v - 1; break;
    case ELM_LITERAL_TWICE: to = 2 * v; break;
    case ELM_LITERAL_HALF: to = v / 2; break;
    case ELM_LITERAL_NEAR: to = v * exp2(2 * elm_rng_unit(w->rng) - 1); break;
    default: to = elm_rng_normal(w->rng) * 10; break;
    }
    if (!isfinite(to))
        return false;
    w->count = real ? elm_edit_real(put, to)
                    : elm_edit_int(put, llround(fmax(-2e9, fmin(to, 2e9))));
    w->put = put;
    return true;
}

/* The old node as another kind, its kids as they are. */
static bool keep_kids(struct work *w, const struct elm_node *old, uint8_t kind)
{
    uint32_t count;
    const uint8_t *kinds = elm_edit_alternatives(old, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (kinds[i] != kind || kind == old->kind)
            continue;
        struct elm_node *put = elm_arena_alloc(w->context->arena, old->size * sizeof(*put));
        memcpy(put, old, old->size * sizeof(*put));
        put->kind = kind;
        w->put = put;
        w->count = old->size;
        return true;
    }
    return false;
}

static bool put_fresh(struct work *w, uint32_t at, uint8_t kind)
{
    const struct elm_node *old = &w->tree->nodes[at];
    bool statement = elm_kind_info(old->kind)->cls == ELM_CLASS_STATEMENT;
    enum elm_type type = statement ? ELM_TYPE_NONE : (enum elm_type)old->type;
    for (int i = 0; i < DRAWS; i++) {
        const struct elm_node *pooled = NULL;
        if (w->context->pool != NULL && elm_rng_chance(w->rng, 0.5))
            pooled = elm_pool_draw(w->context->pool, w->rng, type, SIZE_MAX_PUT);
        if (pooled != NULL) {
            if (pooled->kind != kind ||
                !elm_edit_fit(w->tree, at, pooled, w->context, w->rng, &w->put, &w->count))
                continue;
        } else {
            w->put = statement ? elm_edit_random_statement(w->tree, at, SIZE_MAX_PUT, w->context,
                                                           w->rng, &w->count)
                               : elm_edit_random_expression(w->tree, at, type, SIZE_MAX_PUT,
                                                            w->context, w->rng, &w->count);
        }
        if (w->put != NULL && w->put->kind == kind)
            return true;
    }
    return false;
}

static bool make_edit(struct work *w, struct elm_edit *edit)
{
    bool insert;
    uint32_t at = draw_spot(w, &insert);
    if (at == UINT32_MAX)
        return false;
    const struct elm_node *old = &w->tree->nodes[at];
    uint8_t from = insert ? ELM_NODE_NONE : old->kind;
    uint8_t kind = (uint8_t)draw(w->rng, w->self->table.replace[from], ELM_FREQUENCY_KINDS);
    bool literal = old->kind == ELM_NODE_INT || old->kind == ELM_NODE_REAL;
    w->put = NULL;
    w->count = 0;
    if (kind == ELM_NODE_NONE) {
        if (insert || elm_kind_info(old->kind)->cls != ELM_CLASS_STATEMENT)
            return false;
    } else if (literal && kind == old->kind) {
        if (!put_literal(w, old))
            return false;
    } else if (insert || !elm_rng_chance(w->rng, KEEP_KIDS) || !keep_kids(w, old, kind)) {
        if (!put_fresh(w, at, kind))
            return false;
    }
    *edit = elm_edit_replace(w->tree, at, w->put, w->count);
    edit->put_kids = kind != ELM_NODE_NONE;
    edit->removed = !insert;
    return true;
}

static bool fits(const struct work *w, const struct elm_edit *edit)
{
    const struct elm_problem *p = w->context->problem;
    uint32_t removed = 0;
    if (edit->removed > 0)
        removed = w->tree->nodes[elm_tree_kid(w->tree, edit->parent, edit->first)].size;
    return edit->put_count <= p->edit_nodes_max &&
           w->tree->count - removed + edit->put_count <= p->nodes_max;
}

/* Would the child build? */
static bool passes(const struct work *w, const struct elm_edit *edit)
{
    struct elm_tree child;
    if (elm_tree_edit(w->tree, edit, 1, &child, NULL) != ELM_OK)
        return false;
    bool good = elm_tree_check(&child, w->context->problem->names, NULL) == ELM_OK;
    elm_tree_release(&child);
    return good;
}

static enum elm_status frequent_mutate(void *self, const struct elm_operator_context *context,
                                       const struct elm_parents *parents, struct elm_rng *rng,
                                       struct elm_edit *edits, uint32_t *edit_count,
                                       struct elm_error *err)
{
    const struct elm_parent *parent = &parents->parent[0];
    struct work w = {.self = self, .context = context, .parent = parent, .tree = parent->tree,
                     .rng = rng};
    if (parent->tree == NULL || parent->editable_count == 0)
        return elm_fail(err, ELM_NOT_FOUND, "no editable node in program %lld",
                        (long long)parent->id);
    ELM_TRY(read_table(self, context->model, err));
    for (int i = 0; i < TRIES; i++) {
        if (make_edit(&w, edits) && fits(&w, edits) && passes(&w, edits)) {
            *edit_count = 1;
            return ELM_OK;
        }
    }
    return elm_fail(err, ELM_NOT_FOUND, "no edit of the table fits program %lld",
                    (long long)parent->id);
}

const struct elm_operator_kind elm_operator_frequent = {
    .name = "frequent",
    .summary = "replaces nodes as often as a table of good edits says: a control",
    .price_us = 4,
    .parents_min = 1,
    .make = frequent_make,
    .free = frequent_free,
    .applies = elm_operator_takes_core_c,
    .model = frequent_model,
    .mutate = frequent_mutate,
};
