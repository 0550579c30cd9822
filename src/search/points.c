/* points: small changes of a program, and how likely each is what mends. */
#include "elm/points.h"

#include <math.h>
#include <string.h>

#define SYMBOLS_MAX 32
#define LIST_MAX 256             /* changes of one node */
#define LITERALS_MAX 8           /* that stand elsewhere and are tried here */
#define TRIES 64                 /* nodes drawn for a change */
#define EDITS_TRIED 16           /* changes drawn for a child */
#define CHANGES_MAX 3
#define PER_NODE 8               /* single changes, about */

/* How likely a change is what mends, beside the others; of names and functions together. */
#define NEXT 8                   /* + for -, < for <=, && for ||, a number one off */
#define LIKE 3                   /* another operator of the family */
#define OTHER 12                 /* another name */
#define SHAPE 3                  /* something dropped, or exchanged with its neighbour */
#define RARE 1
#define WILD 0.3
#define MOST 36                  /* of one node, about: in proportion to it a node is drawn */

struct elm_points {
    const struct elm_operator_context *context;
    const struct elm_parent *parent;
    const struct elm_tree *tree;
    struct elm_point list[LIST_MAX]; /* of the node that was drawn */
    uint32_t count;
    double sum;                  /* of their weights */
};

static void add(struct elm_points *w, double weight, struct elm_point p)
{
    if (w->count == LIST_MAX)
        return;
    p.weight = weight;
    w->list[w->count++] = p;
    w->sum += weight;
}

static bool is_number(const struct elm_node *n)
{
    return n->kind == ELM_NODE_INT || n->kind == ELM_NODE_REAL;
}

static bool is_scalar(uint8_t type)
{
    return type == ELM_TYPE_INT || type == ELM_TYPE_DOUBLE;
}

static bool is_assignment(uint8_t kind)
{
    return kind >= ELM_NODE_ASSIGN && kind <= ELM_NODE_SHR_ASSIGN;
}

static bool is_step(uint8_t kind)
{
    return kind >= ELM_NODE_PRE_INC && kind <= ELM_NODE_POST_DEC;
}

static bool is_expression(const struct elm_node *n)
{
    uint8_t cls = elm_kind_info(n->kind)->cls;
    return cls == ELM_CLASS_EXPRESSION || cls == ELM_CLASS_LVALUE;
}

static bool is_editable(const struct elm_parent *p, uint32_t i)
{
    return p->editable[i / 8] >> (i % 8) & 1;
}

/* ---- the lists ---- */

/* Operators that are taken for each other. */
static const uint8_t families[][6] = {
    {ELM_NODE_ADD, ELM_NODE_SUB, ELM_NODE_MUL, ELM_NODE_DIV, ELM_NODE_MOD},
    {ELM_NODE_AND, ELM_NODE_OR, ELM_NODE_XOR},
    {ELM_NODE_SHL, ELM_NODE_SHR},
    {ELM_NODE_LT, ELM_NODE_LE, ELM_NODE_GT, ELM_NODE_GE, ELM_NODE_EQ, ELM_NODE_NE},
    {ELM_NODE_LOGIC_AND, ELM_NODE_LOGIC_OR},
    {ELM_NODE_ADD_ASSIGN, ELM_NODE_SUB_ASSIGN, ELM_NODE_MUL_ASSIGN, ELM_NODE_DIV_ASSIGN,
     ELM_NODE_ASSIGN, ELM_NODE_MOD_ASSIGN},
    {ELM_NODE_AND_ASSIGN, ELM_NODE_OR_ASSIGN, ELM_NODE_XOR_ASSIGN},
    {ELM_NODE_SHL_ASSIGN, ELM_NODE_SHR_ASSIGN},
    {ELM_NODE_POST_INC, ELM_NODE_POST_DEC},
    {ELM_NODE_PRE_INC, ELM_NODE_PRE_DEC},
};

/* The first two of a family, and the next two, are each other's next. */
enum elm_kin elm_points_kin(uint8_t from, uint8_t to)
{
    for (size_t f = 0; f < ELM_COUNT(families); f++) {
        const uint8_t *a = memchr(families[f], from, sizeof(families[f]));
        const uint8_t *b = memchr(families[f], to, sizeof(families[f]));
        if (a == NULL && b == NULL)
            continue;
        if (a == NULL || b == NULL)
            return ELM_KIN_NONE;
        return (a - families[f]) / 2 == (b - families[f]) / 2 ? ELM_KIN_NEXT : ELM_KIN_FAMILY;
    }
    return ELM_KIN_NONE;
}

static double weight_of(uint8_t from, uint8_t to)
{
    static const double weights[] = {WILD, LIKE, NEXT};
    return weights[elm_points_kin(from, to)];
}

static void list_kinds(struct elm_points *w, uint32_t at)
{
    const struct elm_node *n = &w->tree->nodes[at];
    uint32_t count;
    const uint8_t *kinds = elm_edit_alternatives(n, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (kinds[i] != n->kind)
            add(w, weight_of(n->kind, kinds[i]),
                (struct elm_point){.at = at, .change = ELM_POINT_KIND, .arg = kinds[i]});
    }
}

/* Other names of the same type, for a variable, an array's element or an array. */
static void list_names(struct elm_points *w, uint32_t at, bool value)
{
    const struct elm_node *n = &w->tree->nodes[at];
    struct elm_symbol symbols[SYMBOLS_MAX];
    uint8_t type = n->type;
    if (n->kind == ELM_NODE_INDEX)
        type = type == ELM_TYPE_INT ? ELM_TYPE_INT_ARRAY : ELM_TYPE_DOUBLE_ARRAY;
    uint32_t count = elm_tree_scope(w->tree, at, symbols, SYMBOLS_MAX), fit = 0;
    for (uint32_t i = 0; i < count && i < SYMBOLS_MAX; i++) {
        const struct elm_symbol *s = &symbols[i];
        bool dims = n->kind != ELM_NODE_INDEX || (s->dims[1] > 0 ? 2 : 1) == n->kids;
        if (s->type == type && dims && (is_number(n) || s->name != n->name))
            symbols[fit++] = *s;
    }
    if (is_number(n) && !value)
        return;
    for (uint32_t i = 0; i < fit; i++) {
        if (is_number(n))
            add(w, (double)SHAPE / fit,
                (struct elm_point){.at = at, .change = ELM_POINT_VARIABLE, .arg = symbols[i].name});
        else
            add(w, (double)OTHER / fit,
                (struct elm_point){.at = at, .change = ELM_POINT_NAME, .arg = symbols[i].name});
    }
}

static void list_numbers(struct elm_points *w, uint32_t at)
{
    const struct elm_node *n = &w->tree->nodes[at];
    bool real = n->type == ELM_TYPE_DOUBLE;
    double v = n->kind == ELM_NODE_INT ? (double)n->i : n->kind == ELM_NODE_REAL ? n->d : NAN;
    const double next[] = {v + 1, v - 1}, far[] = {0, 1, 2, v * 2, v / 2, v * 10, v / 10};
    for (size_t i = 0; isfinite(v) && i < ELM_COUNT(next); i++)
        add(w, NEXT, (struct elm_point){.at = at, .change = ELM_POINT_NUMBER, .number = next[i]});
    for (size_t i = 0; i < ELM_COUNT(far); i++) {
        if (isfinite(far[i]) && far[i] != v && (real || far[i] == trunc(far[i])))
            add(w, isfinite(v) ? RARE : WILD,
                (struct elm_point){.at = at, .change = ELM_POINT_NUMBER, .number = far[i]});
    }
    uint32_t elsewhere = 0;
    for (uint32_t i = 0; i < w->tree->count && elsewhere < LITERALS_MAX; i++) {
        const struct elm_node *o = &w->tree->nodes[i];
        if (!is_number(o) || o->type != n->type || i == at)
            continue;
        add(w, isfinite(v) ? RARE : WILD,
            (struct elm_point){.at = at, .change = ELM_POINT_NUMBER, .number = real ? o->d : (double)o->i});
        elsewhere++;
    }
}

/* Do the two operands mean something else the other way round, and fit there? */
static bool is_ordered(const struct elm_node *n)
{
    const struct elm_node *first = n + 1;
    if (n->kids != 2 || first->type != first[first->size].type)
        return false;
    return n->kind == ELM_NODE_CALL || (n->kind >= ELM_NODE_ADD && n->kind < ELM_NODE_COND &&
                                        !elm_kind_info(n->kind)->commutative);
}

static void list_value(struct elm_points *w, uint32_t at)
{
    const struct elm_node *n = &w->tree->nodes[at];
    if (n->kids == 0)
        list_numbers(w, at);
    if (n->type == ELM_TYPE_INT && !is_number(n)) {
        add(w, RARE, (struct elm_point){.at = at, .change = ELM_POINT_AROUND, .arg = ELM_NODE_ADD, .number = 1});
        add(w, RARE, (struct elm_point){.at = at, .change = ELM_POINT_AROUND, .arg = ELM_NODE_SUB, .number = 1});
        add(w, WILD, (struct elm_point){.at = at, .change = ELM_POINT_AROUND, .arg = ELM_NODE_NOT});
    }
    add(w, WILD, (struct elm_point){.at = at, .change = ELM_POINT_AROUND, .arg = ELM_NODE_NEG});
    uint32_t kid = at + 1;
    for (uint16_t k = 0; k < n->kids; k++) {
        if (w->tree->nodes[kid].type == n->type)
            add(w, SHAPE, (struct elm_point){.at = at, .change = ELM_POINT_KID, .arg = kid});
        kid += w->tree->nodes[kid].size;
    }
    if (is_ordered(n))
        add(w, SHAPE, (struct elm_point){.at = at, .change = ELM_POINT_EXCHANGE});
    if (n->kind == ELM_NODE_COND)
        add(w, SHAPE, (struct elm_point){.at = at, .change = ELM_POINT_EXCHANGE, .arg = 1});
}

static void add_term(struct elm_points *w, uint32_t at, uint32_t name, double number)
{
    static const uint8_t ops[] = {ELM_NODE_ADD, ELM_NODE_SUB, ELM_NODE_MUL, ELM_NODE_DIV};
    static const uint8_t before[] = {ELM_NODE_SUB, ELM_NODE_DIV};
    struct elm_point p = {.at = at, .change = ELM_POINT_TERM, .arg = name, .number = number};
    for (size_t i = 0; i < ELM_COUNT(ops); i++) {
        p.op = ops[i];
        if (name != UINT32_MAX || number != 1 || i < 2)
            add(w, WILD, p);
    }
    p.before = true;
    for (size_t i = 0; i < ELM_COUNT(before); i++) {
        p.op = before[i];
        add(w, WILD, p);
    }
}

/* What a person leaves out: a term, a factor; and an element for a leaf. */
static void list_wide(struct elm_points *w, uint32_t at)
{
    const struct elm_node *n = &w->tree->nodes[at];
    struct elm_symbol symbols[SYMBOLS_MAX];
    uint32_t count = elm_tree_scope(w->tree, at, symbols, SYMBOLS_MAX);
    uint8_t array = n->type == ELM_TYPE_INT ? ELM_TYPE_INT_ARRAY : ELM_TYPE_DOUBLE_ARRAY;
    count = count < SYMBOLS_MAX ? count : SYMBOLS_MAX;
    add_term(w, at, UINT32_MAX, 1);
    add_term(w, at, UINT32_MAX, 2);
    for (uint32_t i = 0; i < count; i++) {
        if (symbols[i].type == n->type)
            add_term(w, at, symbols[i].name, 0);
        for (uint32_t k = 0; k < count && n->kids == 0 && symbols[i].type == array && symbols[i].dims[1] == 0; k++) {
            if (symbols[k].type == ELM_TYPE_INT)
                add(w, WILD, (struct elm_point){.at = at, .change = ELM_POINT_ELEMENT, .arg = symbols[i].name,
                                                .index = symbols[k].name});
        }
    }
}

static void list_functions(struct elm_points *w, uint32_t at)
{
    int arguments, others;
    enum elm_type type, other;
    uint32_t name = w->tree->nodes[at].name;
    if (!elm_math_name(name, &arguments, &type))
        return;
    for (uint32_t i = 0; i < ELM_MATH_FUNCTIONS; i++) {
        elm_math_name(i, &others, &other);
        if (i != name && others == arguments && other == type)
            add(w, RARE, (struct elm_point){.at = at, .change = ELM_POINT_NAME, .arg = i});
    }
}

static bool is_statement(const struct elm_points *w, uint32_t at)
{
    const struct elm_node *n = &w->tree->nodes[at];
    return is_editable(w->parent, at) && elm_kind_info(n->kind)->cls == ELM_CLASS_STATEMENT;
}

static void list_statement(struct elm_points *w, uint32_t block, uint32_t at)
{
    const struct elm_node *nodes = w->tree->nodes;
    uint16_t k = 0;
    for (uint32_t i = block + 1; i < at; i += nodes[i].size)
        k++;
    add(w, SHAPE, (struct elm_point){.at = block, .change = ELM_POINT_DROP, .arg = k});
    if (k + 1 < nodes[block].kids && is_statement(w, at + nodes[at].size))
        add(w, SHAPE, (struct elm_point){.at = block, .change = ELM_POINT_EXCHANGE, .arg = k});
}

/* Is the node a number that somebody reads? */
static bool is_value(const struct elm_points *w, uint32_t up, uint32_t at)
{
    uint8_t kind = w->tree->nodes[up].kind;
    if (kind == ELM_NODE_EVAL || !is_scalar(w->tree->nodes[at].type))
        return false;
    if (kind == ELM_NODE_FOR)
        return at == elm_tree_kid(w->tree, up, 1);
    return !is_step(kind) && !(is_assignment(kind) && at == up + 1);
}

static void list_node(struct elm_points *w, uint32_t at, bool wide)
{
    const struct elm_node *n = &w->tree->nodes[at];
    uint32_t up = elm_tree_parent(w->tree, at);
    w->sum = w->count = 0;
    if (w->tree->nodes[up].kind == ELM_NODE_BLOCK && is_statement(w, at))
        list_statement(w, up, at);
    if (!is_expression(n))
        return;
    bool value = is_value(w, up, at);
    list_kinds(w, at);
    if (n->kind == ELM_NODE_CALL)
        list_functions(w, at);
    else if (n->kids == 0 || n->kind == ELM_NODE_INDEX)
        list_names(w, at, value);
    if (value)
        list_value(w, at);
    if (value && wide && !(n->kind >= ELM_NODE_EQ && n->kind <= ELM_NODE_LOGIC_OR))
        list_wide(w, at);
}

/* ---- a child ---- */

/* Kids k and k + 1 of the node, the other way round. */
static struct elm_edit exchange(const struct elm_tree *t, uint32_t at, uint32_t k,
                                struct elm_arena *arena)
{
    const struct elm_node *first = &t->nodes[elm_tree_kid(t, at, k)];
    const struct elm_node *second = first + first->size;
    struct elm_node *put = elm_arena_alloc(arena, (first->size + second->size) * sizeof(put[0]));
    memcpy(put, second, second->size * sizeof(put[0]));
    memcpy(put + second->size, first, first->size * sizeof(put[0]));
    return (struct elm_edit){.parent = at, .first = (uint16_t)k, .removed = 2, .put_kids = 2,
                             .put_count = first->size + second->size, .put = put};
}

/* x op y, or y op x; put has room. */
static uint32_t put_term(const struct elm_node *n, const struct elm_point *p, struct elm_node *put)
{
    uint32_t leaf = p->before ? 1 : 1 + n->size, x = p->before ? 2 : 1;
    if (p->arg != UINT32_MAX) {
        put[leaf] = (struct elm_node){.kind = ELM_NODE_VAR, .type = n->type, .size = 1};
        put[leaf].name = p->arg;
    } else if (n->type == ELM_TYPE_DOUBLE) {
        elm_edit_real(put + leaf, p->number);
    } else {
        elm_edit_int(put + leaf, (int64_t)p->number);
    }
    memcpy(put + x, n, n->size * sizeof(*n));
    *put = (struct elm_node){.kind = p->op, .type = n->type, .size = n->size + 2, .kids = 2};
    return n->size + 2;
}

struct elm_edit elm_points_edit(const struct elm_tree *t, const struct elm_point *p,
                                struct elm_arena *arena)
{
    const struct elm_node *n = &t->nodes[p->at];
    struct elm_node *put = elm_arena_alloc(arena, (n->size + 3) * sizeof(put[0]));
    memcpy(put, n, n->size * sizeof(put[0]));
    switch (p->change) {
    case ELM_POINT_KIND: put->kind = (uint8_t)p->arg; break;
    case ELM_POINT_NAME: put->name = p->arg; break;
    case ELM_POINT_NUMBER: {
        uint32_t count = n->type == ELM_TYPE_DOUBLE ? elm_edit_real(put, p->number)
                                                    : elm_edit_int(put, (int64_t)p->number);
        return elm_edit_replace(t, p->at, put, count);
    }
    case ELM_POINT_VARIABLE:
        *put = (struct elm_node){.kind = ELM_NODE_VAR, .type = n->type, .size = 1};
        put->name = p->arg;
        break;
    case ELM_POINT_AROUND: {
        bool two = p->arg == ELM_NODE_ADD || p->arg == ELM_NODE_SUB;
        uint32_t count = 1 + n->size;
        memcpy(put + 1, n, n->size * sizeof(put[0]));
        if (two)
            count += elm_edit_int(put + count, (int64_t)p->number);
        *put = (struct elm_node){.kind = (uint8_t)p->arg, .type = n->type, .size = count,
                                 .kids = (uint16_t)(1 + two)};
        return elm_edit_replace(t, p->at, put, count);
    }
    case ELM_POINT_KID: return elm_edit_replace(t, p->at, &t->nodes[p->arg], t->nodes[p->arg].size);
    case ELM_POINT_EXCHANGE: return exchange(t, p->at, p->arg, arena);
    case ELM_POINT_TERM: return elm_edit_replace(t, p->at, put, put_term(n, p, put));
    case ELM_POINT_ELEMENT:
        put[0] = (struct elm_node){.kind = ELM_NODE_INDEX, .type = n->type, .size = 2, .kids = 1};
        put[0].name = p->arg;
        put[1] = (struct elm_node){.kind = ELM_NODE_VAR, .type = ELM_TYPE_INT, .size = 1};
        put[1].name = p->index;
        return elm_edit_replace(t, p->at, put, 2);
    case ELM_POINT_DROP:
        return (struct elm_edit){.parent = p->at, .first = (uint16_t)p->arg, .removed = 1};
    }
    return elm_edit_replace(t, p->at, put, n->size);
}

void elm_points_list(const struct elm_parent *parent, bool wide, struct elm_point_list *out)
{
    struct elm_points w = {.parent = parent, .tree = parent->tree};
    out->count = 0;
    for (uint32_t at = 1; at < w.tree->count; at++) {
        if (!is_editable(parent, at))
            continue;
        list_node(&w, at, wide);
        if (out->count + w.count > out->cap) {
            out->cap = 2 * (out->count + w.count);
            out->points = elm_realloc(out->points, out->cap * sizeof(out->points[0]));
        }
        if (w.count > 0)
            memcpy(out->points + out->count, w.list, w.count * sizeof(w.list[0]));
        out->count += w.count;
    }
}

/* A node in proportion to the weight of its changes, and one of them. */
bool elm_points_draw(struct elm_points *w, struct elm_rng *rng, struct elm_edit *edit)
{
    for (int i = 0; i < TRIES; i++) {
        uint32_t at = 1 + elm_rng_below(rng, w->tree->count - 1), k = 0;
        if (!is_editable(w->parent, at))
            continue;
        list_node(w, at, false);
        if (w->count == 0 || !elm_rng_chance(rng, w->sum / MOST))
            continue;
        double rest = elm_rng_unit(rng) * w->sum;
        for (; k + 1 < w->count && rest >= w->list[k].weight; k++)
            rest -= w->list[k].weight;
        *edit = elm_points_edit(w->tree, &w->list[k], w->context->arena);
        return true;
    }
    return false;
}

/* The nodes that an edit takes away: [*first, *end). */
static void extent(const struct elm_points *w, const struct elm_edit *e, uint32_t *first, uint32_t *end)
{
    *first = *end = elm_tree_kid(w->tree, e->parent, e->first);
    for (uint16_t k = 0; k < e->removed; k++)
        *end += w->tree->nodes[*end].size;
}

/* Puts the edit in its place; false where it overlaps another, or there is no room for it. */
static bool put_edit(struct elm_points *w, struct elm_edit e, struct elm_edit *edits, uint32_t *count)
{
    const struct elm_problem *p = w->context->problem;
    uint32_t first, end, other, other_end, at = 0, put = e.put_count, removed;
    extent(w, &e, &first, &end);
    removed = end - first;
    for (uint32_t i = 0; i < *count; i++) {
        extent(w, &edits[i], &other, &other_end);
        if (first < other_end && other < end)
            return false;
        at += other < first;
        put += edits[i].put_count;
        removed += other_end - other;
    }
    if (put > p->edit_nodes_max || w->tree->count - removed + put > p->nodes_max)
        return false;
    memmove(&edits[at + 1], &edits[at], (*count - at) * sizeof(edits[0]));
    edits[at] = e;
    ++*count;
    return true;
}

/* What a tree can't show here: dimensions of arrays, names not declared yet, a lost return. */
static bool passes(struct elm_points *w, const struct elm_edit *edits, uint32_t count)
{
    struct elm_tree child;
    if (elm_tree_edit(w->tree, edits, count, &child, NULL) != ELM_OK)
        return false;
    bool ok = elm_tree_check(&child, w->context->problem->names, NULL) == ELM_OK;
    elm_tree_release(&child);
    return ok;
}

enum elm_status elm_points_child(const struct elm_operator_context *context,
                                 const struct elm_parent *parent, struct elm_rng *rng,
                                 elm_points_choose *choose, void *ctx, struct elm_edit *edits,
                                 uint32_t *edit_count, struct elm_error *err)
{
    struct elm_points w = {.context = context, .parent = parent, .tree = parent->tree};
    if (w.tree == NULL || parent->editable_count == 0)
        return elm_fail(err, ELM_NOT_FOUND, "no editable node in program %lld",
                        (long long)parent->id);
    double asked = (double)parent->asked;
    double again = asked / (asked + (double)PER_NODE * parent->editable_count);
    uint32_t wanted = 1, count = 0;
    while (wanted < CHANGES_MAX && elm_rng_chance(rng, again))
        wanted++;
    for (int i = 0; i < EDITS_TRIED && count < wanted; i++) {
        struct elm_edit edit, before[CHANGES_MAX];
        memcpy(before, edits, count * sizeof(before[0]));
        if (!choose(ctx, &w, rng, &edit) || !put_edit(&w, edit, edits, &count) ||
            passes(&w, edits, count))
            continue;
        memcpy(edits, before, --count * sizeof(before[0]));
    }
    if (count == 0)
        return elm_fail(err, ELM_NOT_FOUND, "nothing to change in program %lld",
                        (long long)parent->id);
    *edit_count = count;
    return ELM_OK;
}
