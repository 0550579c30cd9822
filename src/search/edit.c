/*
 * edit: what tree-editing operators share: fitting a foreign subtree into a scope, random
 * expressions and statements, picking a node. Everything here builds typed trees: what it returns
 * passes elm_tree_check where it is put, but for the order of stores and uses in one expression.
 */
#include "search/edit.h"

#include <math.h>
#include <string.h>

#define CALLABLE_MAX 32
#define FREE_NAMES_MAX 32

void elm_scope_at(struct elm_scope *s, const struct elm_tree *t, uint32_t at)
{
    s->count = elm_tree_scope(t, at, s->symbol, ELM_SCOPE_MAX);
    if (s->count > ELM_SCOPE_MAX)
        s->count = ELM_SCOPE_MAX;
}

enum elm_type elm_array_of(enum elm_type element)
{
    return element == ELM_TYPE_DOUBLE ? ELM_TYPE_DOUBLE_ARRAY : ELM_TYPE_INT_ARRAY;
}

uint32_t elm_symbol_dimensions(const struct elm_symbol *s)
{
    return s->dims[1] > 0 ? 2 : 1;
}

/* Does the symbol serve as `type`, with so many dimensions (0: any, or a scalar)? */
static bool symbol_is(const struct elm_symbol *s, enum elm_type type, uint32_t dims)
{
    return s->type == type && (dims == 0 || elm_symbol_dimensions(s) == dims);
}

const struct elm_symbol *elm_scope_pick(const struct elm_scope *s, struct elm_rng *rng,
                                        enum elm_type type, uint32_t dims)
{
    uint32_t fitting = 0;
    for (uint32_t i = 0; i < s->count; i++)
        fitting += symbol_is(&s->symbol[i], type, dims);
    if (fitting == 0)
        return NULL;
    uint32_t chosen = elm_rng_below(rng, fitting);
    for (uint32_t i = 0; i < s->count; i++) {
        if (symbol_is(&s->symbol[i], type, dims) && chosen-- == 0)
            return &s->symbol[i];
    }
    return NULL;
}

uint32_t elm_edit_int(struct elm_node out[2], int64_t v)
{
    v = v > INT32_MAX ? INT32_MAX : v < -INT32_MAX ? -INT32_MAX : v;
    struct elm_node literal = {.kind = ELM_NODE_INT, .type = ELM_TYPE_INT, .size = 1,
                               .i = v < 0 ? -v : v};
    if (v >= 0) {
        out[0] = literal;
        return 1;
    }
    out[0] = (struct elm_node){.kind = ELM_NODE_NEG, .type = ELM_TYPE_INT, .kids = 1, .size = 2};
    out[1] = literal;
    return 2;
}

uint32_t elm_edit_real(struct elm_node out[2], double v)
{
    ELM_ASSERT(isfinite(v));
    struct elm_node literal = {.kind = ELM_NODE_REAL, .type = ELM_TYPE_DOUBLE, .size = 1,
                               .d = fabs(v)};
    if (v >= 0) {
        out[0] = literal;
        return 1;
    }
    out[0] =
        (struct elm_node){.kind = ELM_NODE_NEG, .type = ELM_TYPE_DOUBLE, .kids = 1, .size = 2};
    out[1] = literal;
    return 2;
}

static bool has_name(const struct elm_node *n)
{
    return n->kind == ELM_NODE_VAR || n->kind == ELM_NODE_INDEX || n->kind == ELM_NODE_CALL ||
           n->kind == ELM_NODE_DECLARE || n->kind == ELM_NODE_PARAM;
}

static bool nodes_name(const struct elm_node *nodes, uint32_t count, uint32_t name)
{
    for (uint32_t i = 0; i < count; i++) {
        if (has_name(&nodes[i]) && nodes[i].name == name)
            return true;
    }
    return false;
}

bool elm_edit_named(const struct elm_tree *t, uint32_t function, uint32_t name)
{
    const struct elm_node *f = &t->nodes[function];
    return f->name == name || nodes_name(f, f->size, name);
}

uint32_t elm_fresh_name(const struct elm_tree *t, uint32_t function,
                        const struct elm_node *taken, uint32_t taken_count)
{
    for (uint32_t name = ELM_NAMES_FRESH; name < ELM_NAMES_FIXED; name++) {
        if (!elm_edit_named(t, function, name) && !nodes_name(taken, taken_count, name))
            return name;
    }
    return UINT32_MAX;
}

static bool is_loop(uint8_t kind)
{
    return kind == ELM_NODE_FOR || kind == ELM_NODE_WHILE || kind == ELM_NODE_DO;
}

bool elm_inside_loop(const struct elm_tree *t, uint32_t function, uint32_t at)
{
    uint32_t i = function;
    while (i != at) {
        if (is_loop(t->nodes[i].kind))
            return true;
        uint32_t kid = i + 1;
        while (kid + t->nodes[kid].size <= at)
            kid += t->nodes[kid].size;
        i = kid;
    }
    return false;
}

/* ---- fitting ---- */

struct fitter {
    const struct elm_tree *tree;
    uint32_t at, function;
    struct elm_rng *rng;
    struct elm_scope scope;
    struct elm_node *nodes;      /* the copy */
    uint32_t count;
    struct rename {
        uint32_t from, to;
        uint8_t type;            /* of the symbol wanted; NONE: declared by the subtree itself */
        uint8_t dims;
    } rename[FREE_NAMES_MAX];
    uint32_t renames;
};

static struct rename *find_rename(struct fitter *f, uint32_t name, uint8_t type, uint8_t dims)
{
    for (uint32_t i = 0; i < f->renames; i++) {
        struct rename *r = &f->rename[i];
        if (r->from == name && (r->type == ELM_TYPE_NONE || (r->type == type && r->dims == dims)))
            return r;
    }
    return NULL;
}

static bool is_taken(const struct fitter *f, uint32_t name)
{
    for (uint32_t i = 0; i < f->renames; i++) {
        if (f->rename[i].to == name)
            return true;
    }
    return elm_edit_named(f->tree, f->function, name) || nodes_name(f->nodes, f->count, name);
}

/* Name for a declaration of the subtree: its own unless the function uses it already. */
static bool fit_declared(struct fitter *f, const struct elm_node *n)
{
    if (find_rename(f, n->name, ELM_TYPE_NONE, 0) != NULL)
        return true;
    if (f->renames == FREE_NAMES_MAX)
        return false;
    uint32_t to = n->name;
    if (elm_edit_named(f->tree, f->function, to))
        to = ELM_NAMES_FRESH;
    while (to != n->name && to < ELM_NAMES_FIXED && is_taken(f, to))
        to++;
    if (to != n->name && to == ELM_NAMES_FIXED)
        return false;
    f->rename[f->renames++] = (struct rename){.from = n->name, .to = to, .type = ELM_TYPE_NONE};
    return true;
}

static bool fit_used(struct fitter *f, const struct elm_node *n)
{
    uint8_t type = n->type;
    uint8_t dims = 0;
    if (n->kind == ELM_NODE_INDEX) {
        type = elm_array_of(n->type);
        dims = (uint8_t)n->kids;
    }
    if (find_rename(f, n->name, type, dims) != NULL)
        return true;
    if (f->renames == FREE_NAMES_MAX)
        return false;
    uint32_t to = UINT32_MAX;
    for (uint32_t i = 0; i < f->scope.count; i++) {
        const struct elm_symbol *s = &f->scope.symbol[i];
        if (s->name == n->name && symbol_is(s, type, dims))
            to = s->name;
    }
    if (to == UINT32_MAX) {
        const struct elm_symbol *s = elm_scope_pick(&f->scope, f->rng, type, dims);
        if (s == NULL)
            return false;
        to = s->name;
    }
    f->rename[f->renames++] =
        (struct rename){.from = n->name, .to = to, .type = type, .dims = dims};
    return true;
}

static bool fit_call(const struct fitter *f, const struct elm_node *n)
{
    int arguments;
    enum elm_type type;
    if (elm_math_name(n->name, &arguments, &type))
        return true;
    uint32_t functions[CALLABLE_MAX];
    uint32_t count = elm_tree_callable(f->tree, f->at, functions, CALLABLE_MAX);
    for (uint32_t i = 0; i < count && i < CALLABLE_MAX; i++) {
        const struct elm_node *callee = &f->tree->nodes[functions[i]];
        if (callee->name != n->name || callee->type != n->type ||
            callee->kids != n->kids + 1)
            continue;
        /* same kinds of parameters: numbers convert, arrays must be equal */
        const struct elm_node *argument = n + 1;
        bool same = true;
        for (uint32_t k = 0; k < n->kids; k++, argument += argument->size) {
            uint8_t want = callee[1 + k].type;
            bool array = want == ELM_TYPE_INT_ARRAY || want == ELM_TYPE_DOUBLE_ARRAY;
            same &= array ? argument->type == want
                          : argument->type == ELM_TYPE_INT || argument->type == ELM_TYPE_DOUBLE;
        }
        if (same)
            return true;
    }
    return false;
}

/* Are the jumps of the subtree allowed at the spot? */
static bool fit_jumps(const struct fitter *f)
{
    const struct elm_node *function = &f->tree->nodes[f->function];
    bool in_loop = elm_inside_loop(f->tree, f->function, f->at);
    uint32_t loop_end = 0;       /* end of the outermost loop of the subtree that is open */
    for (uint32_t i = 0; i < f->count; i++) {
        const struct elm_node *n = &f->nodes[i];
        if (is_loop(n->kind) && i >= loop_end)
            loop_end = i + n->size;
        if ((n->kind == ELM_NODE_BREAK || n->kind == ELM_NODE_CONTINUE) && i >= loop_end &&
            !in_loop)
            return false;
        if (n->kind == ELM_NODE_RETURN && (n->kids == 0) != (function->type == ELM_TYPE_NONE))
            return false;
    }
    return true;
}

/* What may change is said once: markers stay where they are. */
static bool holds_marker(const struct elm_node *subtree, const struct elm_names *names)
{
    for (uint32_t i = 0; i < subtree->size; i++) {
        if (subtree[i].kind == ELM_NODE_COMMENT &&
            strstr(elm_names_text(names, subtree[i].name).ptr, "EVOLVE-BLOCK-") != NULL)
            return true;
    }
    return false;
}

static bool fit_names(struct fitter *f)
{
    /* a subtree's own declarations first: its uses of them are not free */
    for (uint32_t i = 0; i < f->count; i++) {
        if (f->nodes[i].kind == ELM_NODE_DECLARE && !fit_declared(f, &f->nodes[i]))
            return false;
    }
    for (uint32_t i = 0; i < f->count; i++) {
        const struct elm_node *n = &f->nodes[i];
        if ((n->kind == ELM_NODE_VAR || n->kind == ELM_NODE_INDEX) && !fit_used(f, n))
            return false;
        if (n->kind == ELM_NODE_CALL && !fit_call(f, n))
            return false;
    }
    return true;
}

bool elm_edit_fit(const struct elm_tree *t, uint32_t at, const struct elm_node *subtree,
                  const struct elm_operator_context *context, struct elm_rng *rng,
                  const struct elm_node **fitted, uint32_t *count)
{
    struct fitter f = {.tree = t, .at = at, .function = elm_tree_function(t, at), .rng = rng,
                       .count = subtree->size};
    if (f.function == UINT32_MAX || holds_marker(subtree, context->problem->names))
        return false;
    f.nodes = elm_arena_alloc(context->arena, f.count * sizeof(f.nodes[0]));
    memcpy(f.nodes, subtree, f.count * sizeof(f.nodes[0]));
    elm_scope_at(&f.scope, t, at);
    if (!fit_jumps(&f) || !fit_names(&f))
        return false;
    for (uint32_t i = 0; i < f.count; i++) {
        struct elm_node *n = &f.nodes[i];
        struct rename *r = NULL;
        if (n->kind == ELM_NODE_VAR)
            r = find_rename(&f, n->name, n->type, 0);
        else if (n->kind == ELM_NODE_INDEX)
            r = find_rename(&f, n->name, elm_array_of(n->type), (uint8_t)n->kids);
        else if (n->kind == ELM_NODE_DECLARE)
            r = find_rename(&f, n->name, ELM_TYPE_NONE, 0);
        if (r != NULL)
            n->name = r->to;
    }
    *fitted = f.nodes;
    *count = f.count;
    return true;
}

/* ---- vocabulary ---- */

void elm_edit_vocabulary(const struct elm_problem *problem, struct elm_vocabulary *out)
{
    const struct elm_tree *seed = &problem->seed;
    uint32_t operators = 0;
    memset(out->uses, 0, sizeof(out->uses));
    for (uint32_t i = 0; i < seed->count; i++)
        out->uses[seed->nodes[i].kind]++;
    for (uint32_t kind = ELM_NODE_CALL; kind <= ELM_NODE_COND; kind++)
        operators += out->uses[kind];
    uint32_t literals = out->uses[ELM_NODE_INT] + out->uses[ELM_NODE_REAL];
    uint32_t reads = out->uses[ELM_NODE_VAR] + out->uses[ELM_NODE_INDEX];
    /* Laplace's rule of succession, and never so sure that nothing new is tried */
    double share = (literals + 1.0) / (literals + reads + 2.0);
    out->novelty = operators < 19 ? 1 / (operators + 1.0) : 0.05;
    out->literal_share = share < 0.35 ? share : 0.35;
}

uint8_t elm_edit_draw_kind(const struct elm_vocabulary *v, struct elm_rng *rng,
                           const uint8_t *kinds, uint32_t count)
{
    uint32_t uses = 0;
    for (uint32_t i = 0; i < count; i++)
        uses += v->uses[kinds[i]];
    if (uses == 0 || elm_rng_chance(rng, v->novelty))
        return kinds[elm_rng_below(rng, count)];
    uint32_t drawn = elm_rng_below(rng, uses), i = 0;
    while (drawn >= v->uses[kinds[i]])
        drawn -= v->uses[kinds[i++]];
    return kinds[i];
}

/* ---- point mutations ---- */

static const uint8_t int_binaries[] = {
    ELM_NODE_ADD, ELM_NODE_SUB, ELM_NODE_MUL, ELM_NODE_DIV, ELM_NODE_MOD, ELM_NODE_AND,
    ELM_NODE_OR,  ELM_NODE_XOR, ELM_NODE_SHL, ELM_NODE_SHR, ELM_NODE_EQ,  ELM_NODE_LT,
};
static const uint8_t double_binaries[] = {ELM_NODE_ADD, ELM_NODE_SUB, ELM_NODE_MUL, ELM_NODE_DIV};
static const uint8_t comparisons[] = {
    ELM_NODE_EQ, ELM_NODE_NE, ELM_NODE_LT, ELM_NODE_LE, ELM_NODE_GT, ELM_NODE_GE,
};
static const uint8_t int_unaries[] = {ELM_NODE_NEG, ELM_NODE_NOT, ELM_NODE_BIT_NOT};
static const uint8_t logics[] = {ELM_NODE_LOGIC_AND, ELM_NODE_LOGIC_OR, ELM_NODE_AND, ELM_NODE_OR};
static const uint8_t int_assigns[] = {
    ELM_NODE_ASSIGN,     ELM_NODE_ADD_ASSIGN, ELM_NODE_SUB_ASSIGN, ELM_NODE_MUL_ASSIGN,
    ELM_NODE_AND_ASSIGN, ELM_NODE_OR_ASSIGN,  ELM_NODE_XOR_ASSIGN, ELM_NODE_DIV_ASSIGN,
    ELM_NODE_MOD_ASSIGN,
};
static const uint8_t double_assigns[] = {
    ELM_NODE_ASSIGN, ELM_NODE_ADD_ASSIGN, ELM_NODE_SUB_ASSIGN, ELM_NODE_MUL_ASSIGN,
    ELM_NODE_DIV_ASSIGN,
};
static const uint8_t steps[] = {
    ELM_NODE_PRE_INC, ELM_NODE_PRE_DEC, ELM_NODE_POST_INC, ELM_NODE_POST_DEC,
};

static const uint8_t *listed(const uint8_t *kinds, uint32_t size, uint32_t *count)
{
    *count = size;
    return kinds;
}
#define LISTED(array) listed((array), ELM_COUNT(array), count)

const uint8_t *elm_edit_alternatives(const struct elm_node *n, uint32_t *count)
{
    *count = 0;
    if (n->kids == 0 || n->type == ELM_TYPE_NONE)
        return NULL;
    const struct elm_node *first = n + 1, *second = n->kids > 1 ? first + first->size : first;
    bool ints = first->type == ELM_TYPE_INT && second->type == ELM_TYPE_INT;
    switch (n->kind) {
    case ELM_NODE_NEG: case ELM_NODE_NOT: case ELM_NODE_BIT_NOT:
        return ints ? LISTED(int_unaries) : NULL;
    case ELM_NODE_EQ: case ELM_NODE_NE: case ELM_NODE_LT: case ELM_NODE_LE: case ELM_NODE_GT:
    case ELM_NODE_GE:
        return LISTED(comparisons);
    case ELM_NODE_LOGIC_AND: case ELM_NODE_LOGIC_OR:
        return listed(logics, ints ? 4 : 2, count);
    default: break;
    }
    if (n->kind >= ELM_NODE_ADD && n->kind <= ELM_NODE_SHR)
        return n->type == ELM_TYPE_INT ? LISTED(int_binaries) : LISTED(double_binaries);
    if (n->kind >= ELM_NODE_ASSIGN && n->kind <= ELM_NODE_SHR_ASSIGN)
        return ints ? LISTED(int_assigns) : LISTED(double_assigns);
    return n->kind >= ELM_NODE_PRE_INC ? LISTED(steps) : NULL;
}

bool elm_edit_same(const struct elm_node *a, const struct elm_node *b, uint32_t count)
{
    if (a->size != count)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (a[i].kind != b[i].kind || a[i].kids != b[i].kids)
            return false;
        bool wide = a[i].kind == ELM_NODE_INT || a[i].kind == ELM_NODE_REAL;
        if ((wide && a[i].i != b[i].i) || (has_name(&a[i]) && a[i].name != b[i].name))
            return false;
    }
    return true;
}

/* ---- picking ---- */

static bool is_editable(const struct elm_parent *p, uint32_t i)
{
    return p->editable[i / 8] >> (i % 8) & 1;
}

uint32_t elm_edit_pick(const struct elm_parent *parent, struct elm_rng *rng,
                       bool (*accept)(const struct elm_node *node))
{
    const struct elm_tree *t = parent->tree;
    if (parent->editable_count == 0)
        return UINT32_MAX;
    /* rejection is quick where many nodes fit, and as uniform as the count that follows */
    for (int i = 0; i < 16; i++) {
        uint32_t at = elm_rng_below(rng, t->count);
        if (is_editable(parent, at) && (accept == NULL || accept(&t->nodes[at])))
            return at;
    }
    uint32_t fitting = 0;
    for (uint32_t i = 0; i < t->count; i++)
        fitting += is_editable(parent, i) && (accept == NULL || accept(&t->nodes[i]));
    if (fitting == 0)
        return UINT32_MAX;
    uint32_t chosen = elm_rng_below(rng, fitting);
    for (uint32_t i = 0; i < t->count; i++) {
        if (is_editable(parent, i) && (accept == NULL || accept(&t->nodes[i])) && chosen-- == 0)
            return i;
    }
    return UINT32_MAX;
}
