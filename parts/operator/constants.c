/*
 * constants: numeric search over the literals; the code stays as it is.
 *
 * A child moves one literal or a few. Step sizes are drawn anew for each child, log-uniformly over
 * six decades relative to the literal: a heavy-tailed (1+1)-ES that needs no memory, so a child is
 * a function of its parents alone. When the second parent has the same code with other literals,
 * their difference is a step too (differential evolution: Storn & Price 1997).
 */
#include "elm/operator.h"

#include <math.h>
#include <string.h>

#define TRIES 8

struct literal {
    uint32_t at;             /* the node replaced: the literal, or the NEG above it */
    bool real;
    double value;            /* signed; ints are exact in a double */
};

static bool is_editable(const struct elm_parent *p, uint32_t i)
{
    return p->editable[i / 8] >> (i % 8) & 1;
}

/* In order of place. Literals of [count] nodes fit in out. */
static uint32_t find_literals(const struct elm_parent *p, struct literal *out)
{
    uint32_t found = 0;
    for (uint32_t i = 1; i < p->tree->count; i++) {
        const struct elm_node *n = &p->tree->nodes[i];
        if ((n->kind != ELM_NODE_INT && n->kind != ELM_NODE_REAL) || !is_editable(p, i))
            continue;
        bool real = n->kind == ELM_NODE_REAL;
        double value = real ? n->d : (double)n->i;
        bool negative = n[-1].kind == ELM_NODE_NEG && is_editable(p, i - 1);
        out[found++] = (struct literal){.at = negative ? i - 1 : i, .real = real,
                                        .value = negative ? -value : value};
    }
    return found;
}

/* Do both trees differ in literals and their signs only? */
static bool same_code(const struct elm_tree *a, const struct elm_tree *b)
{
    uint32_t i = 0, j = 0;
    while (i < a->count && j < b->count) {
        const struct elm_node *x = &a->nodes[i], *y = &b->nodes[j];
        bool x_sign = x->kind == ELM_NODE_NEG && x->size == 2 && x[1].kind >= ELM_NODE_INT &&
                      x[1].kind <= ELM_NODE_REAL;
        bool y_sign = y->kind == ELM_NODE_NEG && y->size == 2 && y[1].kind >= ELM_NODE_INT &&
                      y[1].kind <= ELM_NODE_REAL;
        if (x_sign != y_sign) {
            i += x_sign;
            j += y_sign;
            continue;
        }
        if (x->kind != y->kind || x->kids != y->kids)
            return false;
        bool named = x->kind == ELM_NODE_VAR || x->kind == ELM_NODE_INDEX ||
                     x->kind == ELM_NODE_CALL || x->kind == ELM_NODE_DECLARE;
        if (named && x->name != y->name)
            return false;
        i++;
        j++;
    }
    return i == a->count && j == b->count;
}

static double step_int(struct elm_rng *rng, double v)
{
    switch (elm_rng_below(rng, 10)) {
    case 0: return v * 2;
    case 1: return trunc(v / 2);
    case 2: return -v;
    case 3: case 4: case 5: {
        /* heavy-tailed: small steps mostly, now and then as large as the number */
        double scale = 1 + fabs(v) * pow(10, -3 * elm_rng_unit(rng));
        return v + rint(scale * elm_rng_normal(rng));
    }
    default: return v + (elm_rng_chance(rng, 0.5) ? 1 : -1);
    }
}

static double step_real(struct elm_rng *rng, double v)
{
    uint32_t form = elm_rng_below(rng, 20);
    if (form == 0)
        return -v;
    if (form == 1) {
        /* to a round number near it */
        double digits = elm_rng_chance(rng, 0.5) ? 1 : 10;
        return rint(v * digits) / digits;
    }
    double scale = pow(10, 0.5 - 6 * elm_rng_unit(rng));
    double size = form < 5 || v == 0 ? 1 : fabs(v);
    return v + scale * size * elm_rng_normal(rng);
}

/* The literal moved along the difference to the second parent's. */
static double step_difference(struct elm_rng *rng, const struct literal *l, double other)
{
    double factor = elm_rng_chance(rng, 0.4) ? 1 : 2 * elm_rng_unit(rng) - 0.5;
    double v = l->value + factor * (other - l->value);
    return l->real ? v : rint(v);
}

static double step(struct elm_rng *rng, const struct literal *l)
{
    for (int i = 0; i < TRIES; i++) {
        double v = l->real ? step_real(rng, l->value) : step_int(rng, l->value);
        if (isfinite(v) && v != l->value && (l->real || fabs(v) <= INT32_MAX))
            return v;
    }
    return l->value + 1;
}

/* How many literals move: one mostly, sometimes a few. */
static uint32_t draw_count(struct elm_rng *rng, uint32_t most)
{
    uint32_t count = 1;
    while (count < most && elm_rng_chance(rng, 0.4))
        count++;
    return count;
}

static void put_literal(const struct elm_operator_context *context, const struct elm_tree *t,
                        const struct literal *l, double v, struct elm_edit *edit)
{
    struct elm_node *put = elm_arena_alloc(context->arena, 2 * sizeof(put[0]));
    uint32_t count = l->real ? elm_edit_real(put, v) : elm_edit_int(put, (int64_t)v);
    *edit = elm_edit_replace(t, l->at, put, count);
}

static enum elm_status constants_mutate(void *self, const struct elm_operator_context *context,
                                        const struct elm_parents *parents, struct elm_rng *rng,
                                        struct elm_edit *edits, uint32_t *edit_count,
                                        struct elm_error *err)
{
    (void)self;
    const struct elm_parent *parent = &parents->parent[0];
    const struct elm_problem *problem = context->problem;
    if (parent->tree == NULL || parent->editable_count == 0 || problem->edit_nodes_max < 2)
        return elm_fail(err, ELM_NOT_FOUND, "no literal may change");
    uint32_t nodes = parent->tree->count;
    struct literal *mine = elm_arena_alloc(context->arena, nodes * sizeof(mine[0]));
    uint32_t found = find_literals(parent, mine);
    /* each may gain a sign */
    uint32_t most = found < ELM_EDITS_MAX ? found : ELM_EDITS_MAX;
    if (most > problem->edit_nodes_max / 2)
        most = problem->edit_nodes_max / 2;
    if (problem->nodes_max < nodes + most)
        most = problem->nodes_max > nodes ? problem->nodes_max - nodes : 0;
    if (most == 0)
        return elm_fail(err, ELM_NOT_FOUND, "no literal may change");

    struct literal *theirs = NULL;
    if (parents->count > 1 && parents->parent[1].tree != NULL && elm_rng_chance(rng, 0.35) &&
        same_code(parent->tree, parents->parent[1].tree)) {
        theirs = elm_arena_alloc(context->arena,
                                 parents->parent[1].tree->count * sizeof(theirs[0]));
        if (find_literals(&parents->parent[1], theirs) != found)
            theirs = NULL;
    }
    uint32_t wanted = draw_count(rng, most), count = 0;
    for (uint32_t i = 0; i < found && count < wanted; i++) {
        /* Knuth's selection sampling: keeps the order */
        if (elm_rng_below(rng, found - i) >= wanted - count)
            continue;
        double v = step(rng, &mine[i]);
        if (theirs != NULL && theirs[i].value != mine[i].value) {
            double moved = step_difference(rng, &mine[i], theirs[i].value);
            v = isfinite(moved) && moved != mine[i].value ? moved : v;
        }
        put_literal(context, parent->tree, &mine[i], v, &edits[count++]);
    }
    *edit_count = count;
    return ELM_OK;
}

const struct elm_operator_kind elm_operator_constants = {
    .name = "constants",
    .summary = "numeric search over the literals",
    .price_us = 2,
    .parents_min = 1,
    .applies = elm_operator_takes_core_c,
    .mutate = constants_mutate,
};
