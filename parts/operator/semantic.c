/*
 * semantic: puts in an expression's place another one whose values are what the outputs want
 * there. The wants come from the shown cases' outputs, computed back through the program's runs
 * (elm/tape.h); the candidates are leaves in scope, constants that fit, small expressions, and
 * the old expression with something added; the one that meets most wants, if it meets more than
 * the old one, is the child. Source: Pawlak, Wieloch & Krawiec 2015; Wieloch & Krawiec 2013.
 *
 * Trying a candidate costs no evaluation: it is computed from the variables' values at that node.
 */
#include "elm/operator.h"
#include "elm/tape.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CASES ELM_TAPE_CASES_MAX
#define SPOTS 4                  /* nodes tried before giving up */
#define PARTS_MAX 56
#define ELEMENTS 4               /* parts made of each array in scope */
#define CANDIDATES 64            /* besides the parts themselves */
#define PLAIN_SHARE 0.1          /* of calls answered by `tree`: what no want reaches */

/* An expression that may stand at the spot, alone or as an operand. */
struct part {
    const struct elm_node *nodes;
    uint32_t count;
    struct elm_column column;
};

struct candidate {
    uint8_t op;                  /* ELM_NODE_NONE: part a alone */
    const struct part *a, *b;    /* b NULL: unary */
    uint32_t nodes;
    double score;
};

struct semantic {
    struct elm_tapes *tapes;
    struct part parts[PARTS_MAX];
    struct elm_column symbols[ELM_VIEW_SYMBOLS_MAX];
};

struct spot {
    struct semantic *self;
    const struct elm_operator_context *context;
    const struct elm_tree *tree;
    const struct elm_tape *tape;
    struct elm_rng *rng;
    struct elm_vocabulary words;
    uint32_t at;
    uint32_t room;               /* nodes that may be put here */
    bool truths;                 /* only its truth matters */
    struct elm_view view;        /* of the cases with a want */
    struct elm_want wants[CASES];
    bool exact;                  /* each want is one int: */
    int64_t values[CASES];
    double scale;                /* of the doubles wanted */
    uint32_t part_count;
    uint32_t operands;           /* parts after the first that are the old expression's kids */
    struct candidate best;
    uint32_t ties;
};

static bool is_editable(const struct elm_parent *p, uint32_t i)
{
    return p->editable[i / 8] >> (i % 8) & 1;
}

/* ---- scores ---- */

static double score_at(const struct spot *s, uint32_t i, union elm_value v)
{
    const struct elm_want *w = &s->wants[i];
    if (elm_want_met(w, v))
        return 1;
    if (w->kind == ELM_WANT_REAL && isfinite(v.d))
        return 0.9 / (1 + fabs(v.d - w->d[0]) / s->scale);
    if (w->kind == ELM_WANT_BITS && s->tape->bits) {
        uint32_t wrong = ((uint32_t)v.i ^ w->value) & w->mask;
        return 1 - (double)__builtin_popcount(wrong) / __builtin_popcount(w->mask);
    }
    return 0;
}

static double score(const struct spot *s, const struct elm_column *c)
{
    double sum = 0;
    if (s->exact) {
        uint32_t count = 0;
        for (uint32_t i = 0; i < s->view.cases; i++)
            count += c->ok[i] & (c->v[i].i == s->values[i]);
        return count;
    }
    for (uint32_t i = 0; i < s->view.cases; i++)
        sum += c->ok[i] ? score_at(s, i, c->v[i]) : 0;
    return sum;
}

/* Keeps the best; among equals the smaller, then any. */
static void offer(struct spot *s, struct candidate c, const struct elm_column *column)
{
    bool real = s->tree->nodes[s->at].type == ELM_TYPE_DOUBLE;
    if (c.nodes > s->room || column->real != real)
        return;
    c.score = score(s, column);
    double gain = c.score - s->best.score;
    if (gain < -1e-9 || (gain <= 1e-9 && (s->best.a == NULL || c.nodes > s->best.nodes)))
        return;
    bool tie = gain <= 1e-9 && c.nodes == s->best.nodes;
    s->ties = tie ? s->ties + 1 : 1;
    if (elm_rng_below(s->rng, s->ties) == 0)
        s->best = c;
}

/* ---- parts ---- */

/* Adds a part, and offers it alone; false when its values can't be computed here. */
static bool add_part(struct spot *s, const struct elm_node *nodes, uint32_t count)
{
    if (s->part_count == PARTS_MAX || nodes == NULL)
        return false;
    struct part *p = &s->self->parts[s->part_count];
    if (!elm_view_evaluate(&s->view, nodes, &p->column))
        return false;
    p->nodes = nodes;
    p->count = count;
    s->part_count++;
    offer(s, (struct candidate){.a = p, .nodes = count}, &p->column);
    return true;
}

static struct elm_node *new_nodes(const struct spot *s, uint32_t count)
{
    return elm_arena_alloc(s->context->arena, count * sizeof(struct elm_node));
}

static void add_int(struct spot *s, int64_t v)
{
    struct elm_node *n = new_nodes(s, 2);
    add_part(s, n, elm_edit_int(n, v));
}

static void add_real(struct spot *s, double v)
{
    struct elm_node *n = new_nodes(s, 2);
    if (isfinite(v))
        add_part(s, n, elm_edit_real(n, v));
}

/* A value that the want of a case admits; false when it names none. */
static bool value_of(const struct elm_want *w, struct elm_rng *rng, union elm_value *v)
{
    switch (w->kind) {
    case ELM_WANT_BITS: v->i = (int32_t)w->value; return true;
    case ELM_WANT_RESIDUE: v->i = w->lo; return true;
    case ELM_WANT_RANGE:
        v->i = w->lo == INT32_MIN || (w->hi != INT32_MAX && elm_rng_chance(rng, 0.5)) ? w->hi
                                                                                   : w->lo;
        return true;
    case ELM_WANT_REAL: v->d = w->d[0]; return true;
    case ELM_WANT_REAL_RANGE:
        v->d = !isfinite(w->d[0]) ? w->d[1] : !isfinite(w->d[1]) ? w->d[0]
                                                                 : (w->d[0] + w->d[1]) / 2;
        return isfinite(v->d);
    default: return false;
    }
}

static bool is_wrong(const struct spot *s, uint32_t i)
{
    return !elm_want_met(&s->wants[i], s->tape->events[s->view.events[i]].value);
}

/* A case whose want the old expression does not meet. There is one. */
static uint32_t wrong_case(const struct spot *s)
{
    uint32_t i = elm_rng_below(s->rng, s->view.cases);
    while (!is_wrong(s, i))
        i = (i + 1) % s->view.cases;
    return i;
}

static void add_constants(struct spot *s)
{
    bool real = s->tree->nodes[s->at].type == ELM_TYPE_DOUBLE;
    union elm_value v;
    for (int k = 0; k < 3; k++) {
        if (!value_of(&s->wants[wrong_case(s)], s->rng, &v))
            continue;
        if (real)
            add_real(s, v.d);
        else
            add_int(s, v.i);
    }
    static const int8_t small[] = {0, 1, 2, -1, 3, 10};
    for (size_t k = 0; k < ELM_COUNT(small); k++) {
        if (real)
            add_real(s, small[k]);
        else
            add_int(s, small[k]);
    }
    /* the program's own */
    uint8_t literal = real ? ELM_NODE_REAL : ELM_NODE_INT;
    for (int k = 0; k < 4; k++) {
        const struct elm_node *n = &s->tree->nodes[elm_rng_below(s->rng, s->tree->count)];
        if (n->kind == literal)
            add_part(s, n, 1);
    }
}

static void add_variables(struct spot *s)
{
    bool real = s->tree->nodes[s->at].type == ELM_TYPE_DOUBLE;
    for (uint32_t k = 0; k < s->view.symbol_count; k++) {
        uint8_t type = s->view.symbols[k].type;
        if (type != ELM_TYPE_INT && (type != ELM_TYPE_DOUBLE || (!real && !s->truths)))
            continue;
        struct elm_node *n = new_nodes(s, 2);
        n[0] = (struct elm_node){.kind = ELM_NODE_TO_DOUBLE, .type = ELM_TYPE_DOUBLE, .kids = 1,
                                 .size = 2};
        n[1] = (struct elm_node){.kind = ELM_NODE_VAR, .type = type, .size = 1,
                                 .name = s->view.symbols[k].name};
        bool cast = real && type == ELM_TYPE_INT;
        add_part(s, cast ? n : n + 1, cast ? 2 : 1);
    }
}

/* Elements of the arrays in scope: at small indices, and where an int in scope points. */
static void add_elements(struct spot *s)
{
    bool real = s->tree->nodes[s->at].type == ELM_TYPE_DOUBLE;
    uint8_t type = real ? ELM_TYPE_DOUBLE_ARRAY : ELM_TYPE_INT_ARRAY;
    for (uint32_t k = 0; k < s->view.symbol_count; k++) {
        const struct elm_symbol *array = &s->view.symbols[k];
        uint16_t kids = array->dims[1] > 0 ? 2 : 1;
        for (int i = 0; i < ELEMENTS && array->type == type; i++) {
            struct elm_node *n = new_nodes(s, 3);
            n[0] = (struct elm_node){.kind = ELM_NODE_INDEX,
                                     .type = real ? ELM_TYPE_DOUBLE : ELM_TYPE_INT, .kids = kids,
                                     .size = 1u + kids, .name = array->name};
            for (uint16_t d = 0; d < kids; d++) {
                const struct elm_symbol *index = &s->view.symbols[elm_rng_below(s->rng,
                                                                          s->view.symbol_count)];
                uint32_t limit = array->dims[d] > 0 && array->dims[d] < 8 ? array->dims[d] : 8;
                if (index->type == ELM_TYPE_INT && elm_rng_chance(s->rng, 0.5))
                    n[1 + d] = (struct elm_node){.kind = ELM_NODE_VAR, .type = ELM_TYPE_INT,
                                                 .size = 1, .name = index->name};
                else
                    elm_edit_int(&n[1 + d], elm_rng_below(s->rng, limit));
            }
            add_part(s, n, n->size);
        }
    }
}

/* The old expression, with the values that it had; it may hold what `evaluate` can't compute. */
static void add_old(struct spot *s)
{
    struct part *p = &s->self->parts[s->part_count++];
    p->nodes = &s->tree->nodes[s->at];
    p->count = p->nodes->size;
    p->column.real = p->nodes->type == ELM_TYPE_DOUBLE;
    for (uint32_t i = 0; i < s->view.cases; i++) {
        p->column.v[i] = s->tape->events[s->view.events[i]].value;
        p->column.ok[i] = true;
    }
    s->best.score = score(s, &p->column);
    /* its operands in its place, or under another operator */
    uint32_t kid = s->at + 1;
    for (uint16_t k = 0; k < p->nodes->kids && k < 3; k++, kid += s->tree->nodes[kid].size) {
        uint8_t type = s->tree->nodes[kid].type;
        if (type == ELM_TYPE_INT || type == ELM_TYPE_DOUBLE)
            s->operands += add_part(s, &s->tree->nodes[kid], s->tree->nodes[kid].size);
    }
}

static void add_expressions(struct spot *s, uint32_t count)
{
    enum elm_type type = s->tree->nodes[s->at].type;
    const struct elm_node *nodes;
    uint32_t size;
    for (uint32_t k = 0; k < count && s->part_count < PARTS_MAX; k++) {
        if (s->context->pool != NULL && elm_rng_chance(s->rng, 0.4)) {
            uint32_t most = s->room < 12 ? s->room : 12;
            const struct elm_node *seen = elm_pool_draw(s->context->pool, s->rng, type, most);
            if (seen != NULL && elm_edit_fit(s->tree, s->at, seen, s->context, s->rng, &nodes,
                                             &size))
                add_part(s, nodes, size);
            continue;
        }
        nodes = elm_edit_random_expression(s->tree, s->at, type, s->room < 5 ? s->room : 5,
                                           s->context, s->rng, &size);
        add_part(s, nodes, size);
    }
}

/* ---- operators over parts ---- */

static const uint8_t int_operators[] = {
    ELM_NODE_ADD, ELM_NODE_SUB, ELM_NODE_MUL, ELM_NODE_DIV, ELM_NODE_MOD, ELM_NODE_AND,
    ELM_NODE_OR,  ELM_NODE_XOR, ELM_NODE_SHL, ELM_NODE_SHR,
};
static const uint8_t truth_operators[] = {
    ELM_NODE_EQ, ELM_NODE_NE, ELM_NODE_LT, ELM_NODE_LE, ELM_NODE_GT, ELM_NODE_GE,
    ELM_NODE_LOGIC_AND, ELM_NODE_LOGIC_OR, ELM_NODE_AND, ELM_NODE_OR, ELM_NODE_MOD,
};
static const uint8_t double_operators[] = {ELM_NODE_ADD, ELM_NODE_SUB, ELM_NODE_MUL, ELM_NODE_DIV};

static uint8_t draw_operator(struct spot *s, bool real)
{
    const uint8_t *list = int_operators;
    uint32_t count = ELM_COUNT(int_operators);
    if (real) {
        list = double_operators;
        count = ELM_COUNT(double_operators);
    } else if (s->truths || elm_rng_chance(s->rng, 0.15)) {
        list = truth_operators;
        count = ELM_COUNT(truth_operators);
    }
    return elm_edit_draw_kind(&s->words, s->rng, list, count);
}

static bool int_only(uint8_t op)
{
    return elm_kind_info(op)->int_only;
}

static void offer_pair(struct spot *s, uint8_t op, const struct part *a, const struct part *b)
{
    struct elm_column result;
    if (int_only(op) && (a->column.real || b->column.real))
        return;
    elm_view_combine(&s->view, op, &a->column, &b->column, &result);
    offer(s, (struct candidate){.op = op, .a = a, .b = b, .nodes = 1 + a->count + b->count},
          &result);
}

/* The old operands under every other operator, both ways round. */
static void offer_swaps(struct spot *s)
{
    const struct part *old = &s->self->parts[0], *a = old + 1, *b = old + 2;
    if (old->nodes->kids != 2 || s->operands != 2)
        return;
    for (uint8_t op = ELM_NODE_ADD; op <= ELM_NODE_LOGIC_OR; op++) {
        offer_pair(s, op, a, b);
        offer_pair(s, op, b, a);
    }
}

static void offer_unary(struct spot *s, const struct part *a)
{
    static const uint8_t unaries[] = {ELM_NODE_NOT, ELM_NODE_NEG, ELM_NODE_BIT_NOT};
    bool real = s->tree->nodes[s->at].type == ELM_TYPE_DOUBLE;
    uint8_t op = real ? ELM_NODE_NEG : unaries[elm_rng_below(s->rng, ELM_COUNT(unaries))];
    struct elm_column result;
    if (int_only(op) && a->column.real)
        return;
    elm_view_combine(&s->view, op, &a->column, &a->column, &result);
    offer(s, (struct candidate){.op = op, .a = a, .nodes = 1 + a->count}, &result);
}

/* old op c, c being what the want of one case asks for. */
static void offer_fitted(struct spot *s)
{
    bool real = s->tree->nodes[s->at].type == ELM_TYPE_DOUBLE;
    const struct part *old = &s->self->parts[0];
    uint8_t op = draw_operator(s, real);
    uint32_t i = wrong_case(s), before = s->part_count;
    union elm_value v, x = old->column.v[i];
    struct elm_want w = elm_want_operand(&s->wants[i], op, real, 1, x, x, true);
    if (before == PARTS_MAX || !elm_want_useful(&w) || !value_of(&w, s->rng, &v))
        return;
    if (real)
        add_real(s, v.d);
    else
        add_int(s, v.i);
    if (s->part_count > before)
        offer_pair(s, op, old, &s->self->parts[before]);
}

static void offer_combinations(struct spot *s)
{
    bool real = s->tree->nodes[s->at].type == ELM_TYPE_DOUBLE;
    for (int k = 0; k < CANDIDATES; k++) {
        const struct part *old = &s->self->parts[0];
        const struct part *a = &s->self->parts[elm_rng_below(s->rng, s->part_count)];
        const struct part *b = &s->self->parts[elm_rng_below(s->rng, s->part_count)];
        uint32_t form = elm_rng_below(s->rng, 16);
        if (form < 1)
            offer_unary(s, a);
        else if (form < 3)
            offer_fitted(s);
        else if (form < 7)
            offer_pair(s, draw_operator(s, real), old, b);
        else if (form < 10)
            offer_pair(s, draw_operator(s, real), a, old);
        else
            offer_pair(s, draw_operator(s, real), a, b);
    }
}

/* ---- the child ---- */

static const struct elm_node *build(const struct spot *s, uint32_t *count)
{
    const struct candidate *c = &s->best;
    *count = c->nodes;
    struct elm_node *out = new_nodes(s, c->nodes);
    if (c->op == ELM_NODE_NONE) {
        memcpy(out, c->a->nodes, c->nodes * sizeof(out[0]));
        return out;
    }
    out[0] = (struct elm_node){.kind = c->op, .type = s->tree->nodes[s->at].type,
                               .kids = c->b != NULL ? 2 : 1, .size = c->nodes};
    memcpy(out + 1, c->a->nodes, c->a->count * sizeof(out[0]));
    if (c->b != NULL)
        memcpy(out + 1 + c->a->count, c->b->nodes, c->b->count * sizeof(out[0]));
    return out;
}

/* Gathers cases, wants and scope of the node. */
static void open_spot(struct spot *s)
{
    double sum = 0, spread = 0;
    uint32_t reals = 0;
    s->truths = s->tree->nodes[s->at].type == ELM_TYPE_INT;
    s->exact = !s->tape->bits;
    for (uint32_t c = 0; c < s->tape->case_count; c++) {
        uint32_t e = s->tape->chosen[(size_t)s->at * s->tape->case_count + c];
        if (e == 0)
            continue;
        const struct elm_want *w = &s->tape->wants[e];
        bool one = w->kind == ELM_WANT_BITS && w->mask == UINT32_MAX;
        s->exact &= one;
        s->values[s->view.cases] = one ? (int32_t)w->value : 0;
        s->view.events[s->view.cases] = e;
        s->wants[s->view.cases++] = *w;
        s->truths &= w->kind == ELM_WANT_DIFFER || (one && w->value <= 1);
        if (w->kind == ELM_WANT_REAL) {
            sum += w->d[0];
            reals++;
        }
    }
    for (uint32_t i = 0; i < s->view.cases; i++) {
        if (s->wants[i].kind == ELM_WANT_REAL)
            spread += fabs(s->wants[i].d[0] - sum / reals);
    }
    s->scale = spread > 0 && isfinite(spread) ? spread / reals : 1;
    elm_edit_vocabulary(s->context->problem, &s->words);
    s->view.symbol_count = elm_tree_scope(s->tree, s->at, s->view.symbols, ELM_VIEW_SYMBOLS_MAX);
}

static bool try_spot(struct spot *s, struct elm_edit *edit)
{
    open_spot(s);
    add_old(s);
    add_variables(s);
    add_elements(s);
    add_constants(s);
    add_expressions(s, 12);
    offer_swaps(s);
    offer_combinations(s);
    if (s->best.a == NULL)
        return false;
    uint32_t count;
    const struct elm_node *put = build(s, &count);
    *edit = elm_edit_replace(s->tree, s->at, put, count);
    return true;
}

/* May an expression be put there without a change to what is stored? */
static bool pure(const struct elm_tree *t, uint32_t at)
{
    for (uint32_t i = at; i < at + t->nodes[at].size; i++) {
        if (t->nodes[i].kind >= ELM_NODE_ASSIGN)
            return false;
    }
    return true;
}

static bool is_lvalue(const struct elm_tree *t, uint32_t at)
{
    uint32_t parent = elm_tree_parent(t, at);
    return t->nodes[parent].kind >= ELM_NODE_ASSIGN && at == parent + 1;
}

static bool is_target(const struct elm_parent *p, const struct elm_tape *tape, uint32_t i)
{
    uint8_t type = p->tree->nodes[i].type, cls = elm_kind_info(p->tree->nodes[i].kind)->cls;
    return tape->wrong[i] > 0 && is_editable(p, i) &&
           (cls == ELM_CLASS_EXPRESSION || cls == ELM_CLASS_LVALUE) &&
           (type == ELM_TYPE_INT || type == ELM_TYPE_DOUBLE) && pure(p->tree, i) &&
           !is_lvalue(p->tree, i);
}

static enum elm_status semantic_mutate(void *self, const struct elm_operator_context *context,
                                       const struct elm_parents *parents, struct elm_rng *rng,
                                       struct elm_edit *edits, uint32_t *edit_count,
                                       struct elm_error *err)
{
    const struct elm_parent *parent = &parents->parent[0];
    const struct elm_problem *problem = context->problem;
    const struct elm_operator_kind *tree = elm_operator_find("tree");
    const struct elm_tape *tape;
    if (parent->tree == NULL || parent->editable_count == 0)
        return elm_fail(err, ELM_NOT_FOUND, "no editable node in program %lld",
                        (long long)parent->id);
    if (tree != NULL && elm_rng_chance(rng, PLAIN_SHARE))
        return tree->mutate(NULL, context, parents, rng, edits, edit_count, err);
    ELM_TRY(elm_tapes_of(((struct semantic *)self)->tapes, problem, context->evidence, parent, &tape,
                         err));
    uint32_t *targets = elm_arena_alloc(context->arena, parent->tree->count * sizeof(targets[0]));
    uint32_t count = 0;
    for (uint32_t i = 1; i < parent->tree->count && tape->failing > 0; i++) {
        if (is_target(parent, tape, i))
            targets[count++] = i;
    }
    for (int k = 0; k < SPOTS && count > 0; k++) {
        uint32_t drawn = elm_rng_below(rng, count), at = targets[drawn];
        targets[drawn] = targets[--count];
        uint32_t left = parent->tree->count - parent->tree->nodes[at].size;
        struct spot *s = elm_arena_alloc(context->arena, sizeof(*s));
        *s = (struct spot){.self = self, .context = context, .tree = parent->tree, .tape = tape,
                           .rng = rng, .at = at,
                           .view = {.tape = tape, .columns = ((struct semantic *)self)->symbols}};
        s->room = problem->nodes_max > left ? problem->nodes_max - left : 0;
        s->room = s->room < problem->edit_nodes_max ? s->room : problem->edit_nodes_max;
        if (s->room > 0 && try_spot(s, edits)) {
            *edit_count = 1;
            return ELM_OK;
        }
    }
    return elm_fail(err, ELM_NOT_FOUND, "nothing that the outputs want is found for program %lld",
                    (long long)parent->id);
}

static void *semantic_make(const struct elm_problem *problem)
{
    (void)problem;
    struct semantic *s = elm_calloc(1, sizeof(*s));
    s->tapes = elm_tapes_new();
    return s;
}

static void semantic_free(void *self)
{
    struct semantic *s = self;
    if (s == NULL)
        return;
    elm_tapes_free(s->tapes);
    free(s);
}

const struct elm_operator_kind elm_operator_semantic = {
    .name = "semantic",
    .summary = "puts expressions where their values are wanted, computed back from the cases",
    .price_us = 100,
    .parents_min = 1,
    .make = semantic_make,
    .free = semantic_free,
    .applies = elm_operator_takes_wants,
    .mutate = semantic_mutate,
    .traces = true,
};
