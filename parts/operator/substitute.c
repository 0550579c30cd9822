/*
 * substitute: every copy of an expression within one statement becomes another expression, one to
 * three such changes a child. What a program says in several places at once (an index, a bound, a
 * growth rate) can so change its meaning in one step, where `tree` would have to pass through
 * programs that say it in one place only and are wrong.
 */
#include "elm/operator.h"

#include <string.h>

#define TRIES 16
#define AGAIN 0.35               /* chance of one more change */
#define CHANGES_MAX 3
#define SYMBOLS_MAX 64
#define SIZE_MAX_PUT 7           /* nodes of a fresh expression */

struct change {
    uint32_t at;                 /* node of the parent */
    const struct elm_node *put;
    uint32_t count;
};

struct work {
    const struct elm_operator_context *context;
    const struct elm_parent *parent;
    const struct elm_tree *tree;
    struct elm_rng *rng;
    struct change changes[ELM_EDITS_MAX];      /* in order of place, not overlapping */
    uint32_t count, put, removed;              /* changes; nodes they put and remove */
};

static bool is_expression(const struct elm_node *n)
{
    uint8_t cls = elm_kind_info(n->kind)->cls;
    return (cls == ELM_CLASS_EXPRESSION || cls == ELM_CLASS_LVALUE) &&
           (n->type == ELM_TYPE_INT || n->type == ELM_TYPE_DOUBLE);
}

static bool is_place(const struct elm_node *n)
{
    return n->kind == ELM_NODE_VAR || n->kind == ELM_NODE_INDEX;
}

/* Does somebody store to the node? */
static bool is_stored_to(const struct elm_tree *t, uint32_t at)
{
    uint32_t up = elm_tree_parent(t, at);
    uint8_t kind = t->nodes[up].kind;
    return at == up + 1 && ((kind >= ELM_NODE_ASSIGN && kind <= ELM_NODE_SHR_ASSIGN) ||
                            (kind >= ELM_NODE_PRE_INC && kind <= ELM_NODE_POST_DEC));
}

/* The range within which copies are looked for: an enclosing statement or the function's body. */
static uint32_t draw_scope(struct work *w, uint32_t at)
{
    uint32_t scope = at;
    for (uint32_t up = elm_tree_parent(w->tree, at); up != UINT32_MAX && up != 0;
         up = elm_tree_parent(w->tree, up)) {
        const struct elm_node *n = &w->tree->nodes[up];
        if (n->kind == ELM_NODE_FUNCTION)
            break;
        scope = up;
        if (elm_kind_info(n->kind)->cls == ELM_CLASS_STATEMENT && n->kind != ELM_NODE_EVAL &&
            elm_rng_chance(w->rng, 0.4))
            break;
    }
    return scope;
}

/* What is put instead: a variable, an expression from elsewhere in the program, or a fresh one. */
static const struct elm_node *draw_put(struct work *w, uint32_t at, uint32_t *count)
{
    const struct elm_node *old = &w->tree->nodes[at];
    double kind = elm_rng_unit(w->rng);
    if (kind < 0.4) {
        struct elm_symbol symbols[SYMBOLS_MAX];
        uint32_t n = elm_tree_scope(w->tree, at, symbols, SYMBOLS_MAX), fitting = 0;
        for (uint32_t i = 0; i < n; i++) {
            if (symbols[i].type == old->type)
                symbols[fitting++] = symbols[i];
        }
        if (fitting == 0)
            return NULL;
        struct elm_node *put = elm_arena_alloc(w->context->arena, sizeof(*put));
        *put = (struct elm_node){.kind = ELM_NODE_VAR, .type = old->type, .size = 1};
        put->name = symbols[elm_rng_below(w->rng, fitting)].name;
        *count = 1;
        return put;
    }
    if (kind < 0.75) {
        for (int i = 0; i < TRIES; i++) {
            const struct elm_node *n = &w->tree->nodes[elm_rng_below(w->rng, w->tree->count)];
            if (is_expression(n) && n->type == old->type && n->size <= SIZE_MAX_PUT) {
                *count = n->size;
                return n;
            }
        }
        return NULL;
    }
    return elm_edit_random_expression(w->tree, at, old->type,
                                      1 + elm_rng_below(w->rng, SIZE_MAX_PUT), w->context, w->rng,
                                      count);
}

/* Are all names of the expression in scope at `at`, as they are? */
static bool fits_as_is(struct work *w, uint32_t at, const struct elm_node *put, uint32_t count)
{
    struct elm_symbol symbols[SYMBOLS_MAX];
    uint32_t n = elm_tree_scope(w->tree, at, symbols, SYMBOLS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        if (!is_place(&put[i]))
            continue;
        bool found = false;
        for (uint32_t k = 0; k < n && !found; k++) {
            bool is_array = symbols[k].type >= ELM_TYPE_INT_ARRAY;
            bool scalar = put[i].kind == ELM_NODE_VAR && put[i].type < ELM_TYPE_INT_ARRAY;
            found = symbols[k].name == put[i].name && is_array == !scalar;
        }
        if (!found)
            return false;
    }
    return true;
}

/* A call or a store may not come to stand in a function that can't make it. */
static bool has_effect(const struct elm_node *put, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint8_t kind = put[i].kind;
        if ((kind >= ELM_NODE_ASSIGN && kind <= ELM_NODE_POST_DEC) ||
            (kind == ELM_NODE_CALL && put[i].name >= ELM_MATH_FUNCTIONS))
            return true;
    }
    return false;
}

static void add_change(struct work *w, struct change c)
{
    uint32_t end = c.at + w->tree->nodes[c.at].size, at = 0;
    for (uint32_t i = 0; i < w->count; i++) {
        const struct change *k = &w->changes[i];
        if (c.at < k->at + w->tree->nodes[k->at].size && k->at < end)
            return;
        at += k->at < c.at;
    }
    const struct elm_problem *problem = w->context->problem;
    uint32_t put = w->put + c.count, removed = w->removed + end - c.at;
    if (w->count == ELM_EDITS_MAX || put > problem->edit_nodes_max ||
        w->tree->count - removed + put > problem->nodes_max)
        return;
    memmove(&w->changes[at + 1], &w->changes[at], (w->count - at) * sizeof(c));
    w->changes[at] = c;
    w->count++;
    w->put = put;
    w->removed = removed;
}

static bool is_editable(const struct elm_node *node)
{
    return is_expression(node);
}

static void substitute(struct work *w)
{
    uint32_t at = elm_edit_pick(w->parent, w->rng, is_editable), count = 0;
    if (at == UINT32_MAX)
        return;
    const struct elm_node *old = &w->tree->nodes[at];
    uint32_t scope = draw_scope(w, at);
    const struct elm_node *put = draw_put(w, at, &count);
    if (put == NULL || has_effect(put, count) || elm_edit_same(old, put, count) ||
        old->size > SIZE_MAX_PUT)
        return;
    uint32_t end = scope + w->tree->nodes[scope].size;
    for (uint32_t i = scope; i < end; i++) {
        const struct elm_node *n = &w->tree->nodes[i];
        if (n->kind == old->kind && n->size == old->size && elm_edit_same(n, old, old->size) &&
            (w->parent->editable[i / 8] >> (i % 8) & 1) != 0 &&
            (!is_stored_to(w->tree, i) || is_place(put)) && fits_as_is(w, i, put, count))
            add_change(w, (struct change){i, put, count});
    }
}

/* What a tree can't show here: dimensions of arrays, a function that no longer returns. */
static bool passes(struct work *w, struct elm_edit *edits)
{
    for (uint32_t i = 0; i < w->count; i++) {
        const struct change *c = &w->changes[i];
        edits[i] = elm_edit_replace(w->tree, c->at, c->put, c->count);
    }
    struct elm_tree child;
    struct elm_error ignored;
    if (elm_tree_edit(w->tree, edits, w->count, &child, &ignored) != ELM_OK)
        return false;
    bool ok = elm_tree_check(&child, w->context->problem->names, &ignored) == ELM_OK;
    elm_tree_release(&child);
    return ok;
}

static enum elm_status substitute_mutate(void *self, const struct elm_operator_context *context,
                                         const struct elm_parents *parents, struct elm_rng *rng,
                                         struct elm_edit *edits, uint32_t *edit_count,
                                         struct elm_error *err)
{
    (void)self;
    struct work w = {.context = context, .parent = &parents->parent[0],
                     .tree = parents->parent[0].tree, .rng = rng};
    if (w.tree == NULL || w.parent->editable_count == 0)
        return elm_fail(err, ELM_NOT_FOUND, "no editable node in program %lld",
                        (long long)w.parent->id);
    uint32_t wanted = 1, made = 0;
    while (wanted < CHANGES_MAX && elm_rng_chance(rng, AGAIN))
        wanted++;
    for (int i = 0; i < TRIES && made < wanted; i++) {
        uint32_t before = w.count;
        substitute(&w);
        made += w.count > before;
        if (made == wanted && !passes(&w, edits)) {
            made = w.count = 0;
            w.put = w.removed = 0;
        }
    }
    if (made < wanted)
        return elm_fail(err, ELM_NOT_FOUND, "nothing to substitute in program %lld",
                        (long long)w.parent->id);
    *edit_count = w.count;
    return ELM_OK;
}

const struct elm_operator_kind elm_operator_substitute = {
    .name = "substitute",
    .summary = "every copy of an expression in a statement becomes another",
    .price_us = 4,
    .parents_min = 1,
    .applies = elm_operator_takes_core_c,
    .mutate = substitute_mutate,
};
