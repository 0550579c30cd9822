/* grow: random expressions and statements, typed, from what is in scope. */
#include "search/edit.h"

#include <math.h>
#include <string.h>

#define GROWN_NODES_MAX 10       /* of a random expression: larger ones hardly ever help */
#define PROBES 4                 /* tries to borrow an operator or constant from the seed */

struct grower {
    const struct elm_tree *tree;
    const struct elm_operator_context *context;
    struct elm_vocabulary words;
    struct elm_rng *rng;
    struct elm_scope scope;
    uint32_t at, function;
    struct elm_node *out;        /* prefix order, sizes set when a subtree is complete */
    uint32_t count;
};

/* Operators by type, repeated by how often they are drawn. */
static const uint8_t int_operators[] = {
    ELM_NODE_ADD, ELM_NODE_ADD, ELM_NODE_SUB, ELM_NODE_SUB, ELM_NODE_MUL, ELM_NODE_DIV,
    ELM_NODE_MOD, ELM_NODE_AND, ELM_NODE_OR, ELM_NODE_XOR, ELM_NODE_SHL, ELM_NODE_SHR,
};
static const uint8_t double_operators[] = {
    ELM_NODE_ADD, ELM_NODE_ADD, ELM_NODE_SUB, ELM_NODE_SUB, ELM_NODE_MUL, ELM_NODE_MUL,
    ELM_NODE_DIV,
};
static const uint8_t comparisons[] = {
    ELM_NODE_LT, ELM_NODE_LE, ELM_NODE_GT, ELM_NODE_GE, ELM_NODE_EQ, ELM_NODE_NE,
};
static const uint8_t int_unaries[] = {ELM_NODE_NEG, ELM_NODE_NOT, ELM_NODE_BIT_NOT};
static const int8_t int_constants[] = {0, 1, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9, 10, 16, 32, 64, 100, -1};
static const double real_constants[] = {0, 0.1, 0.25, 0.5, 1, 1, 1.5, 2, 2, 3, 4, 5, 10,
                                        3.141592653589793, -1};

enum form {
    FORM_BINARY, FORM_COMPARE, FORM_UNARY, FORM_LOGIC, FORM_COND, FORM_CALL, FORM_CONVERT, FORMS,
};
/* weight of each form and the nodes it needs at least, by type */
static const struct { uint8_t weight_int, weight_double, nodes_min; } forms[FORMS] = {
    [FORM_BINARY] = {60, 60, 3}, [FORM_COMPARE] = {12, 0, 3}, [FORM_UNARY] = {9, 6, 2},
    [FORM_LOGIC] = {5, 0, 3},    [FORM_COND] = {7, 5, 4},     [FORM_CALL] = {1, 16, 2},
    [FORM_CONVERT] = {0, 3, 2},
};

static const struct elm_node *probe(struct grower *g)
{
    const struct elm_tree *seed = &g->context->problem->seed;
    return seed->count > 0 ? &seed->nodes[elm_rng_below(g->rng, seed->count)] : &g->tree->nodes[0];
}

static uint8_t draw_kind(struct grower *g, const uint8_t *kinds, size_t count)
{
    return elm_edit_draw_kind(&g->words, g->rng, kinds, (uint32_t)count);
}

/* A literal of the seed, if probing finds one. */
static bool grow_literal(struct grower *g, enum elm_type type)
{
    uint8_t literal = type == ELM_TYPE_INT ? ELM_NODE_INT : ELM_NODE_REAL;
    for (int i = 0; i < PROBES; i++) {
        const struct elm_node *n = probe(g);
        if (n->kind == literal) {
            g->out[g->count] = *n;
            g->out[g->count].type = (uint8_t)type;
            g->count++;
            return true;
        }
    }
    return false;
}

static void grow_constant(struct grower *g, enum elm_type type, uint32_t budget)
{
    struct elm_node out[2];
    uint32_t nodes;
    if (type == ELM_TYPE_INT) {
        nodes = elm_edit_int(out, int_constants[elm_rng_below(g->rng, ELM_COUNT(int_constants))]);
    } else if (elm_rng_chance(g->rng, 0.3)) {
        nodes = elm_edit_real(out, elm_rng_normal(g->rng) * exp(elm_rng_normal(g->rng)));
    } else {
        nodes =
            elm_edit_real(out, real_constants[elm_rng_below(g->rng, ELM_COUNT(real_constants))]);
    }
    /* no room for the sign: the value without it */
    uint32_t skip = nodes > budget ? 1 : 0;
    memcpy(&g->out[g->count], &out[skip], (nodes - skip) * sizeof(out[0]));
    g->count += nodes - skip;
}

/* What a symbol is drawn as: itself, an element of it, or an int as double. */
static bool usable(const struct elm_symbol *s, enum elm_type type, uint32_t budget)
{
    if (s->type == type)
        return true;
    if (s->type == elm_array_of(type))
        return budget > elm_symbol_dimensions(s);
    return type == ELM_TYPE_DOUBLE && s->type == ELM_TYPE_INT && budget >= 2;
}

static void grow_symbol(struct grower *g, const struct elm_symbol *s, enum elm_type type)
{
    struct elm_node *n = &g->out[g->count++];
    *n = (struct elm_node){.kind = ELM_NODE_VAR, .type = (uint8_t)type, .size = 1, .name = s->name};
    if (s->type == type)
        return;
    if (s->type == ELM_TYPE_INT) {
        *n = (struct elm_node){.kind = ELM_NODE_TO_DOUBLE, .type = ELM_TYPE_DOUBLE, .kids = 1,
                               .size = 2};
        g->out[g->count++] = (struct elm_node){.kind = ELM_NODE_VAR, .type = ELM_TYPE_INT,
                                               .size = 1, .name = s->name};
        return;
    }
    n->kind = ELM_NODE_INDEX;
    n->kids = (uint16_t)elm_symbol_dimensions(s);
    n->size = 1 + n->kids;
    for (uint32_t k = 0; k < n->kids; k++) {
        /* a variable, or an index that is surely inside */
        if (elm_rng_chance(g->rng, 0.5)) {
            const struct elm_symbol *index = elm_scope_pick(&g->scope, g->rng, ELM_TYPE_INT, 0);
            if (index != NULL) {
                grow_symbol(g, index, ELM_TYPE_INT);
                continue;
            }
        }
        uint32_t limit = s->dims[k] > 0 ? s->dims[k] : 4;
        g->count += elm_edit_int(&g->out[g->count], elm_rng_below(g->rng, limit));
    }
}

static void grow_leaf(struct grower *g, enum elm_type type, uint32_t budget)
{
    uint32_t fitting = 0;
    for (uint32_t i = 0; i < g->scope.count; i++)
        fitting += usable(&g->scope.symbol[i], type, budget);
    if (fitting == 0 || elm_rng_chance(g->rng, g->words.literal_share)) {
        if (!grow_literal(g, type))
            grow_constant(g, type, budget);
        return;
    }
    uint32_t chosen = elm_rng_below(g->rng, fitting);
    for (uint32_t i = 0; i < g->scope.count; i++) {
        if (usable(&g->scope.symbol[i], type, budget) && chosen-- == 0) {
            grow_symbol(g, &g->scope.symbol[i], type);
            return;
        }
    }
}

static enum form draw_form(struct grower *g, enum elm_type type, uint32_t budget)
{
    uint32_t sum = 0;
    for (uint32_t f = 0; f < FORMS; f++) {
        if (forms[f].nodes_min <= budget)
            sum += type == ELM_TYPE_INT ? forms[f].weight_int : forms[f].weight_double;
    }
    uint32_t drawn = elm_rng_below(g->rng, sum);
    uint32_t f = 0;
    for (;; f++) {
        if (forms[f].nodes_min > budget)
            continue;
        uint32_t weight = type == ELM_TYPE_INT ? forms[f].weight_int : forms[f].weight_double;
        if (drawn < weight)
            return f;
        drawn -= weight;
    }
}

static void grow(struct grower *g, enum elm_type type, uint32_t budget);

/* Kids of one type under a node just written, sharing the budget. */
static void grow_kids(struct grower *g, enum elm_type type, uint32_t kids, uint32_t budget)
{
    for (; kids > 0; kids--) {
        uint32_t most = budget - (kids - 1);
        uint32_t part = kids == 1 ? most : 1 + elm_rng_below(g->rng, most);
        uint32_t before = g->count;
        grow(g, type, part);
        budget -= g->count - before;
    }
}

static void grow_call(struct grower *g, struct elm_node *n, enum elm_type type, uint32_t budget)
{
    int arguments = 1;
    enum elm_type result = ELM_TYPE_NONE;
    uint32_t name;
    do {
        name = elm_rng_below(g->rng, ELM_MATH_FUNCTIONS);
        elm_math_name(name, &arguments, &result);
    } while (result != type || (uint32_t)arguments >= budget);
    n->kind = ELM_NODE_CALL;
    n->name = name;
    n->kids = (uint16_t)arguments;
    grow_kids(g, type, n->kids, budget - 1);
}

/* The head of an expression of the seed, over new operands, if probing finds one that fits. */
static bool grow_alike(struct grower *g, enum elm_type type, uint32_t budget)
{
    for (int i = 0; i < PROBES; i++) {
        const struct elm_node *like = probe(g);
        int arguments;
        enum elm_type result;
        bool fits = like->type == type && like->kids > 0 && like->kids < budget &&
                    ((like->kind >= ELM_NODE_NEG && like->kind <= ELM_NODE_COND) ||
                     (like->kind == ELM_NODE_CALL &&
                      elm_math_name(like->name, &arguments, &result)));
        if (!fits)
            continue;
        uint32_t at = g->count++;
        g->out[at] = *like;
        budget--;
        const struct elm_node *kid = like + 1;
        for (uint16_t k = 0; k < like->kids; k++, kid += kid->size) {
            uint32_t most = budget - (like->kids - 1u - k), before = g->count;
            grow(g, kid->type, k + 1 == like->kids ? most : 1 + elm_rng_below(g->rng, most));
            budget -= g->count - before;
        }
        g->out[at].size = g->count - at;
        return true;
    }
    return false;
}

static void grow(struct grower *g, enum elm_type type, uint32_t budget)
{
    if (budget < 2 || elm_rng_chance(g->rng, 0.25)) {
        grow_leaf(g, type, budget);
        return;
    }
    if (!elm_rng_chance(g->rng, g->words.novelty) && grow_alike(g, type, budget))
        return;
    uint32_t at = g->count++;
    struct elm_node *n = &g->out[at];
    *n = (struct elm_node){.type = (uint8_t)type, .kids = 2};
    enum elm_type operand = type;
    switch (draw_form(g, type, budget)) {
    case FORM_BINARY:
        n->kind = type == ELM_TYPE_INT
                      ? draw_kind(g, int_operators, ELM_COUNT(int_operators))
                      : draw_kind(g, double_operators, ELM_COUNT(double_operators));
        break;
    case FORM_COMPARE:
        n->kind = draw_kind(g, comparisons, ELM_COUNT(comparisons));
        if (elm_scope_pick(&g->scope, g->rng, ELM_TYPE_DOUBLE, 0) != NULL &&
            elm_rng_chance(g->rng, 0.5))
            operand = ELM_TYPE_DOUBLE;
        break;
    case FORM_UNARY:
        n->kind = type == ELM_TYPE_INT ? draw_kind(g, int_unaries, ELM_COUNT(int_unaries))
                                       : ELM_NODE_NEG;
        n->kids = 1;
        break;
    case FORM_LOGIC:
        n->kind = elm_rng_chance(g->rng, 0.5) ? ELM_NODE_LOGIC_AND : ELM_NODE_LOGIC_OR;
        break;
    case FORM_COND:
        n->kind = ELM_NODE_COND;
        n->kids = 3;
        grow_kids(g, ELM_TYPE_INT, 1, 1 + elm_rng_below(g->rng, budget - 3));
        budget -= g->count - at - 1;
        grow_kids(g, type, 2, budget - 1);
        n->size = g->count - at;
        return;
    case FORM_CALL:
        grow_call(g, n, type, budget);
        n->size = g->count - at;
        return;
    case FORM_CONVERT:
    case FORMS:
        n->kind = ELM_NODE_TO_DOUBLE;
        n->kids = 1;
        operand = ELM_TYPE_INT;
        break;
    }
    grow_kids(g, operand, n->kids, budget - 1);
    n->size = g->count - at;
}

const struct elm_node *elm_edit_random_expression(const struct elm_tree *t, uint32_t at,
                                                  enum elm_type type, uint32_t size_max,
                                                  const struct elm_operator_context *context,
                                                  struct elm_rng *rng, uint32_t *count)
{
    if (size_max == 0 || type == ELM_TYPE_NONE)
        return NULL;
    struct grower g = {.tree = t, .context = context, .rng = rng};
    elm_edit_vocabulary(context->problem, &g.words);
    elm_scope_at(&g.scope, t, at);
    if (type == ELM_TYPE_INT_ARRAY || type == ELM_TYPE_DOUBLE_ARRAY) {
        const struct elm_symbol *s = elm_scope_pick(&g.scope, rng, type, 0);
        if (s == NULL)
            return NULL;
        struct elm_node *n = elm_arena_alloc(context->arena, sizeof(*n));
        *n = (struct elm_node){.kind = ELM_NODE_VAR, .type = (uint8_t)type, .size = 1,
                               .name = s->name};
        *count = 1;
        return n;
    }
    uint32_t budget = size_max < GROWN_NODES_MAX ? size_max : GROWN_NODES_MAX;
    g.out = elm_arena_alloc(context->arena, (budget + 1) * sizeof(g.out[0]));
    grow(&g, type, 1 + elm_rng_below(rng, budget));
    *count = g.count;
    return g.out;
}

/* ---- statements ---- */

enum statement_form {
    STATEMENT_ASSIGN, STATEMENT_DECLARE, STATEMENT_IF, STATEMENT_LEAVE, STATEMENT_FOR,
    STATEMENT_WHILE, STATEMENT_FORMS,
};
static const struct { uint8_t weight, nodes_min; } statement_forms[STATEMENT_FORMS] = {
    [STATEMENT_ASSIGN] = {56, 4}, [STATEMENT_DECLARE] = {10, 2}, [STATEMENT_IF] = {16, 7},
    [STATEMENT_LEAVE] = {8, 5},   [STATEMENT_FOR] = {7, 13},     [STATEMENT_WHILE] = {3, 7},
};
static const uint8_t int_assigns[] = {
    ELM_NODE_ADD_ASSIGN, ELM_NODE_ADD_ASSIGN, ELM_NODE_SUB_ASSIGN, ELM_NODE_MUL_ASSIGN,
    ELM_NODE_AND_ASSIGN, ELM_NODE_OR_ASSIGN, ELM_NODE_XOR_ASSIGN,
};
static const uint8_t double_assigns[] = {
    ELM_NODE_ADD_ASSIGN, ELM_NODE_SUB_ASSIGN, ELM_NODE_MUL_ASSIGN, ELM_NODE_DIV_ASSIGN,
};

static uint32_t put(struct grower *g, enum elm_kind kind, enum elm_type type, uint16_t kids)
{
    g->out[g->count] = (struct elm_node){.kind = (uint8_t)kind, .type = (uint8_t)type,
                                         .kids = kids, .size = 1};
    return g->count++;
}

static void put_var(struct grower *g, uint32_t name)
{
    g->out[put(g, ELM_NODE_VAR, ELM_TYPE_INT, 0)].name = name;
}

static void close_node(struct grower *g, uint32_t at)
{
    g->out[at].size = g->count - at;
}

/* An expression of 1 up to `most` nodes, small ones more often. */
static void grow_some(struct grower *g, enum elm_type type, uint32_t most)
{
    most = most < GROWN_NODES_MAX ? most : GROWN_NODES_MAX;
    grow(g, type, 1 + elm_rng_below(g->rng, most));
}

/* `symbol = expression;`, `symbol += expression;`. False without a symbol. */
static bool grow_assign(struct grower *g, uint32_t budget)
{
    if (g->scope.count == 0)
        return false;
    const struct elm_symbol *s = &g->scope.symbol[elm_rng_below(g->rng, g->scope.count)];
    /* a scalar argument is seldom worth its old value */
    bool argument = s->is_param && (s->type == ELM_TYPE_INT || s->type == ELM_TYPE_DOUBLE);
    if (argument && elm_rng_chance(g->rng, 0.75))
        s = &g->scope.symbol[elm_rng_below(g->rng, g->scope.count)];
    bool array = s->type == ELM_TYPE_INT_ARRAY || s->type == ELM_TYPE_DOUBLE_ARRAY;
    uint32_t lvalue = array ? 1 + elm_symbol_dimensions(s) : 1;
    if (budget < 3 + lvalue)
        return false;
    enum elm_type type = s->type == ELM_TYPE_DOUBLE || s->type == ELM_TYPE_DOUBLE_ARRAY
                             ? ELM_TYPE_DOUBLE
                             : ELM_TYPE_INT;
    uint8_t kind = ELM_NODE_ASSIGN;
    if (elm_rng_chance(g->rng, 0.25)) {
        kind = type == ELM_TYPE_INT ? int_assigns[elm_rng_below(g->rng, ELM_COUNT(int_assigns))]
                                    : double_assigns[elm_rng_below(g->rng,
                                                                   ELM_COUNT(double_assigns))];
    }
    uint32_t eval = put(g, ELM_NODE_EVAL, ELM_TYPE_NONE, 1);
    uint32_t assign = put(g, kind, type, 2);
    grow_symbol(g, s, type);
    grow_some(g, type, budget - 2 - lvalue);
    close_node(g, assign);
    close_node(g, eval);
    return true;
}

static bool grow_declare(struct grower *g, uint32_t budget)
{
    uint32_t name = elm_fresh_name(g->tree, g->function, NULL, 0);
    if (name == UINT32_MAX)
        return false;
    bool doubles = elm_scope_pick(&g->scope, g->rng, ELM_TYPE_DOUBLE, 0) != NULL;
    enum elm_type type = doubles && elm_rng_chance(g->rng, 0.7) ? ELM_TYPE_DOUBLE : ELM_TYPE_INT;
    uint32_t declare = put(g, ELM_NODE_DECLARE, type, 1);
    g->out[declare].name = name;
    grow_some(g, type, budget - 1);
    close_node(g, declare);
    return true;
}

/* `if (condition) return expression;`, or a jump out of the loop. */
static bool grow_leave(struct grower *g, uint32_t budget)
{
    const struct elm_node *function = &g->tree->nodes[g->function];
    uint32_t top = put(g, ELM_NODE_IF, ELM_TYPE_NONE, 2);
    grow_some(g, ELM_TYPE_INT, budget - 4);
    uint32_t block = put(g, ELM_NODE_BLOCK, ELM_TYPE_NONE, 1);
    if (elm_inside_loop(g->tree, g->function, g->at) && elm_rng_chance(g->rng, 0.6)) {
        put(g, elm_rng_chance(g->rng, 0.7) ? ELM_NODE_BREAK : ELM_NODE_CONTINUE, ELM_TYPE_NONE, 0);
    } else {
        bool value = function->type != ELM_TYPE_NONE;
        uint32_t leave = put(g, ELM_NODE_RETURN, ELM_TYPE_NONE, value);
        if (value)
            grow_some(g, function->type, budget - (g->count - top));
        close_node(g, leave);
    }
    close_node(g, block);
    close_node(g, top);
    return true;
}

/* `for (int i = 0; i < bound; i++) { assignment }` */
static bool grow_for(struct grower *g, uint32_t budget)
{
    uint32_t name = elm_fresh_name(g->tree, g->function, NULL, 0);
    if (name == UINT32_MAX)
        return false;
    uint32_t top = put(g, ELM_NODE_FOR, ELM_TYPE_NONE, 4);
    uint32_t declare = put(g, ELM_NODE_DECLARE, ELM_TYPE_INT, 1);
    g->out[declare].name = name;
    g->count += elm_edit_int(&g->out[g->count], 0);
    close_node(g, declare);
    uint32_t condition = put(g, ELM_NODE_LT, ELM_TYPE_INT, 2);
    put_var(g, name);
    grow_leaf(g, ELM_TYPE_INT, 1);
    close_node(g, condition);
    uint32_t step = put(g, ELM_NODE_POST_INC, ELM_TYPE_INT, 1);
    put_var(g, name);
    close_node(g, step);
    uint32_t block = put(g, ELM_NODE_BLOCK, ELM_TYPE_NONE, 1);
    if (!grow_assign(g, budget - (g->count - top)))
        return false;
    /* the counter stands in for some of the body's values */
    for (uint32_t i = block + 4; i < g->count; i++) {
        bool replaceable = g->out[i].kind == ELM_NODE_VAR && g->out[i].type == ELM_TYPE_INT;
        if (replaceable && elm_rng_chance(g->rng, 0.5))
            g->out[i].name = name;
    }
    close_node(g, block);
    close_node(g, top);
    return true;
}

static bool grow_guarded(struct grower *g, enum elm_kind kind, uint32_t budget)
{
    uint32_t top = put(g, kind, ELM_TYPE_NONE, 2);
    grow_some(g, ELM_TYPE_INT, budget - 6);
    uint32_t block = put(g, ELM_NODE_BLOCK, ELM_TYPE_NONE, 1);
    if (!grow_assign(g, budget - (g->count - top)))
        return false;
    close_node(g, block);
    close_node(g, top);
    return true;
}

static bool grow_statement(struct grower *g, uint32_t form, uint32_t budget)
{
    switch (form) {
    case STATEMENT_DECLARE: return grow_declare(g, budget);
    case STATEMENT_IF: return grow_guarded(g, ELM_NODE_IF, budget);
    case STATEMENT_LEAVE: return grow_leave(g, budget);
    case STATEMENT_FOR: return grow_for(g, budget);
    case STATEMENT_WHILE: return grow_guarded(g, ELM_NODE_WHILE, budget);
    default: return grow_assign(g, budget);
    }
}

const struct elm_node *elm_edit_random_statement(const struct elm_tree *t, uint32_t at,
                                                 uint32_t size_max,
                                                 const struct elm_operator_context *context,
                                                 struct elm_rng *rng, uint32_t *count)
{
    struct grower g = {.tree = t, .context = context, .rng = rng, .at = at,
                       .function = elm_tree_function(t, at)};
    elm_edit_vocabulary(context->problem, &g.words);
    if (g.function == UINT32_MAX)
        return NULL;
    elm_scope_at(&g.scope, t, at);
    uint32_t sum = 0;
    for (uint32_t f = 0; f < STATEMENT_FORMS; f++)
        sum += statement_forms[f].nodes_min <= size_max ? statement_forms[f].weight : 0;
    if (sum == 0)
        return NULL;
    uint32_t drawn = elm_rng_below(rng, sum);
    uint32_t form = 0;
    for (; form < STATEMENT_FORMS; form++) {
        uint32_t weight =
            statement_forms[form].nodes_min <= size_max ? statement_forms[form].weight : 0;
        if (drawn < weight)
            break;
        drawn -= weight;
    }
    uint32_t budget = size_max < 2 * GROWN_NODES_MAX ? size_max : 2 * GROWN_NODES_MAX;
    g.out = elm_arena_alloc(context->arena, (budget + 2) * sizeof(g.out[0]));
    if (!grow_statement(&g, form, budget))
        return NULL;
    *count = g.count;
    return g.out;
}
