/* clues: the numbers, of the program once, of each change what it would give. */
#include "elm/clues.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NODES_MAX 1024           /* of a program of which something is said */
#define LIFTS_MAX 6              /* expressions around a change that are computed in its place */

/* Of a node: shares of the failing and of the passing cases. */
struct place {
    float ran[2];                /* [passing, failing]: it was computed there */
    float wants[2];              /* and something is wanted of it */
    float unmet;                 /* of the failing: and it is not that */
};

/* What is computed in the place of what an edit changes. */
struct effect {
    bool known;
    float mended, harmed;        /* failing cases in which what is wanted is met then; cases in which no longer */
    float whole;                 /* mended, of those failing cases in which something is wanted there */
    bool same;                   /* the same values as before in each case */
    uint32_t lifts;
};

struct name {
    uint16_t uses;
    bool parameter;
};

struct elm_clues {
    const struct elm_tree *tree;
    const struct elm_tape *tape;
    struct name *names;          /* [name_count]; names beyond are not used */
    uint32_t name_count;
    struct place places[NODES_MAX];
    uint16_t up[NODES_MAX];
    uint8_t loops[NODES_MAX];    /* around it */
    uint32_t failing, passing;
    struct elm_column symbols[ELM_VIEW_SYMBOLS_MAX], column;
    struct elm_view view;
    uint32_t view_at;
    bool fails[ELM_TAPE_CASES_MAX], met[ELM_TAPE_CASES_MAX];   /* cases of the view: a wrong output; as wanted there */
    struct elm_node put[NODES_MAX + 8];
};

struct elm_clues *elm_clues_new(void)
{
    return elm_calloc(1, sizeof(struct elm_clues));
}

void elm_clues_free(struct elm_clues *c)
{
    if (c != NULL)
        free(c->names);
    free(c);
}

/* ---- of the program ---- */

static bool is_statement(const struct elm_node *n)
{
    return elm_kind_info(n->kind)->cls == ELM_CLASS_STATEMENT;
}

static bool is_assign(uint8_t kind)
{
    return kind >= ELM_NODE_ASSIGN;
}

static void find_parents(struct elm_clues *c)
{
    const struct elm_node *nodes = c->tree->nodes;
    c->up[0] = c->loops[0] = 0;
    for (uint32_t i = 0; i < c->tree->count; i++) {
        bool loop = nodes[i].kind == ELM_NODE_FOR || nodes[i].kind == ELM_NODE_WHILE || nodes[i].kind == ELM_NODE_DO;
        uint32_t kid = i + 1;
        for (uint16_t k = 0; k < nodes[i].kids; k++, kid += nodes[kid].size) {
            c->up[kid] = (uint16_t)i;
            c->loops[kid] = (uint8_t)(c->loops[i] + loop);
        }
    }
}

static bool is_use(const struct elm_node *n)
{
    return n->kind == ELM_NODE_VAR || n->kind == ELM_NODE_INDEX;
}

static void find_names(struct elm_clues *c)
{
    const struct elm_node *nodes = c->tree->nodes;
    uint32_t count = 0;
    for (uint32_t i = 1; i < c->tree->count; i++) {
        if ((is_use(&nodes[i]) || nodes[i].kind == ELM_NODE_PARAM) && nodes[i].name >= count)
            count = nodes[i].name + 1;
    }
    c->names = elm_realloc(c->names, (count + 1) * sizeof(c->names[0]));
    c->name_count = count;
    memset(c->names, 0, count * sizeof(c->names[0]));
    for (uint32_t i = 1; i < c->tree->count; i++) {
        if (is_use(&nodes[i]))
            c->names[nodes[i].name].uses++;
        else if (nodes[i].kind == ELM_NODE_PARAM)
            c->names[nodes[i].name].parameter = true;
    }
}

static void count_case(struct elm_clues *c, uint32_t at_case, uint32_t *seen)
{
    const struct elm_tape *t = c->tape;
    bool failed = t->failed[at_case];
    float one = 1.0f / (float)(failed ? c->failing : c->passing);
    for (uint32_t e = t->first[at_case]; e < t->first[at_case + 1]; e++) {
        uint32_t node = t->events[e].node;
        if (seen[node] == at_case + 1)
            continue;
        seen[node] = at_case + 1;
        c->places[node].ran[failed] += one;
    }
    for (uint32_t i = 0; i < c->tree->count; i++) {
        uint32_t e = t->chosen[(size_t)i * t->case_count + at_case];
        if (e == 0)
            continue;
        c->places[i].wants[failed] += one;
        c->places[i].unmet += failed && !elm_want_met(&t->wants[e], t->events[e].value) ? one : 0;
    }
}

/* A statement is as its first expression, what an assignment stores as the assignment. */
static void hand_up(struct elm_clues *c)
{
    const struct elm_node *nodes = c->tree->nodes;
    for (uint32_t i = c->tree->count; i-- > 1;) {
        struct place *p = &c->places[i];
        if (is_assign(nodes[i].kind) && p->wants[0] + p->wants[1] == 0 && nodes[i].kids == 2)
            *p = c->places[i + 1 + nodes[i + 1].size];
        else if (is_statement(&nodes[i]) && nodes[i].kids > 0 && p->ran[0] + p->ran[1] == 0)
            *p = c->places[i + 1];
    }
}

void elm_clues_begin(struct elm_clues *c, const struct elm_tree *tree, const struct elm_tape *tape)
{
    uint32_t seen[NODES_MAX] = {0};
    c->tree = tree;
    c->tape = tree->count <= NODES_MAX ? tape : NULL;
    c->view_at = 0;
    c->failing = c->passing = 0;
    memset(c->places, 0, sizeof(c->places));
    if (tree->count > NODES_MAX)
        return;
    find_parents(c);
    find_names(c);
    if (tape == NULL)
        return;
    c->failing = tape->failing;
    c->passing = tape->case_count - tape->failing;
    for (uint32_t i = 0; i < tape->case_count; i++)
        count_case(c, i, seen);
    hand_up(c);
}

/* ---- what a change would give ---- */

static uint8_t plain(uint8_t kind)
{
    if (kind >= ELM_NODE_PRE_INC)
        return kind == ELM_NODE_PRE_INC || kind == ELM_NODE_POST_INC ? ELM_NODE_ADD : ELM_NODE_SUB;
    return (uint8_t)(ELM_NODE_ADD + (kind - ELM_NODE_ADD_ASSIGN));
}

/* Is something wanted at the node in some case? */
static bool wanted(const struct elm_clues *c, uint32_t at)
{
    const uint32_t *chosen = c->tape->chosen + (size_t)at * c->tape->case_count;
    for (uint32_t i = 0; i < c->tape->case_count; i++) {
        if (chosen[i] != 0)
            return true;
    }
    return false;
}

static void open_view(struct elm_clues *c, uint32_t at)
{
    const struct elm_tape *t = c->tape;
    if (c->view_at == at)
        return;
    c->view_at = at;
    c->view.tape = t;
    c->view.columns = c->symbols;
    c->view.cases = 0;
    memset(c->view.read, 0, sizeof(c->view.read));
    for (uint32_t i = 0; i < t->case_count; i++) {
        uint32_t e = t->chosen[(size_t)at * t->case_count + i];
        if (e == 0)
            continue;
        c->fails[c->view.cases] = t->failed[i];
        c->met[c->view.cases] = elm_want_met(&t->wants[e], t->events[e].value);
        c->view.events[c->view.cases++] = e;
    }
    c->view.symbol_count = elm_tree_scope(c->tree, at, c->view.symbols, ELM_VIEW_SYMBOLS_MAX);
}

/* The node `at` as it is after the edit, in c->put; 0: too large. */
static uint32_t rebuild(struct elm_clues *c, uint32_t at, const struct elm_edit *edit)
{
    const struct elm_node *nodes = c->tree->nodes;
    uint32_t first = elm_tree_kid(c->tree, edit->parent, edit->first), end = first;
    for (uint16_t k = 0; k < edit->removed; k++)
        end += nodes[end].size;
    uint32_t rest = at + nodes[at].size - end, before = first - at;
    if (before + edit->put_count + rest > NODES_MAX)
        return 0;
    memcpy(c->put, nodes + at, before * sizeof(*nodes));
    memcpy(c->put + before, edit->put, edit->put_count * sizeof(*nodes));
    memcpy(c->put + before + edit->put_count, nodes + end, rest * sizeof(*nodes));
    for (uint32_t i = edit->parent; before > 0; i = c->up[i]) {
        c->put[i - at].size += edit->put_count - (end - first);
        if (i == at)
            break;
    }
    return before + edit->put_count + rest;
}

/* c->put, an assignment of `count` nodes, becomes the value that it stores. False: it can't be said. */
static bool make_stored(struct elm_clues *c, uint32_t count)
{
    struct elm_node *n = c->put;
    if (n->kind == ELM_NODE_ASSIGN) {
        uint32_t lvalue = n[1].size;
        memmove(n, n + 1 + lvalue, (count - 1 - lvalue) * sizeof(*n));
        return true;
    }
    if (n->kind >= ELM_NODE_PRE_INC) {
        elm_edit_int(n + count, 1);
        n->kids = 2;
        n->size = count + 1;
    }
    n->kind = plain(n->kind);
    return true;
}

static void compare(struct elm_clues *c, struct effect *out)
{
    const struct elm_tape *t = c->tape;
    uint32_t failing = 0, mended = 0, harmed = 0;
    out->known = out->same = true;
    for (uint32_t i = 0; i < c->view.cases; i++) {
        uint32_t e = c->view.events[i];
        const struct elm_tape_event *v = &t->events[e];
        union elm_value value = c->column.v[i];
        bool ok = c->column.ok[i];
        if (c->column.real != v->real)
            ok = ok && elm_value_apply(v->real ? ELM_NODE_TO_DOUBLE : ELM_NODE_TO_INT, c->column.real, value, value,
                                       &value);
        bool met = ok && elm_want_met(&t->wants[e], value), before = c->met[i];
        out->same = out->same && ok && value.i == v->value.i;
        failing += c->fails[i] && !before;
        mended += c->fails[i] && met && !before;
        harmed += before && !met;
    }
    out->mended = c->failing > 0 ? (float)mended / (float)c->failing : 0;
    out->harmed = c->view.cases > 0 ? (float)harmed / (float)c->view.cases : 0;
    out->whole = failing > 0 ? (float)mended / (float)failing : 0;
}

static bool is_target(const struct elm_clues *c, uint32_t at)
{
    return is_assign(c->tree->nodes[c->up[at]].kind) && at == c->up[at] + 1u;
}

/* Computes the node in the place of which something is wanted: that which is changed, or what is around it. */
static struct effect effect_of(struct elm_clues *c, const struct elm_edit *edit)
{
    const struct elm_node *nodes = c->tree->nodes;
    struct effect out = {0};
    if (c->tape == NULL || edit->put_kids == 0 || edit->removed == 0)
        return out;
    uint32_t at = edit->removed == 1 ? elm_tree_kid(c->tree, edit->parent, edit->first) : edit->parent;
    for (; out.lifts < LIFTS_MAX; out.lifts++, at = c->up[at]) {
        if (is_statement(&nodes[at]) || nodes[at].kind < ELM_NODE_INT)
            return out;
        bool assign = is_assign(nodes[at].kind), target = is_target(c, at);
        uint32_t site = assign && nodes[at].kind == ELM_NODE_ASSIGN ? at + 1 + nodes[at + 1].size : at;
        if (target && edit->removed == 1 && out.lifts == 0)
            return out;
        if (target || !wanted(c, site))
            continue;
        uint32_t count = rebuild(c, at, edit);
        if (count == 0 || (assign && !make_stored(c, count)))
            return out;
        open_view(c, site);
        if (elm_view_evaluate(&c->view, c->put, &c->column))
            compare(c, &out);
        return out;
    }
    return out;
}

/* ---- the numbers ---- */

/* Kinds of changes. */
enum { ARITHMETIC_NEXT, ARITHMETIC_LIKE, BITS, BOUNDARY, DIRECTION, NEGATION, ORDER_EQUAL, LOGIC, ASSIGN_NEXT,
       ASSIGN_LIKE, STEP, KIND_OTHER, NAME_VALUE, NAME_TARGET, NAME_ARRAY, NAME_CALL, BY_ONE, BY_TWO, BY_TEN, TO_FEW,
       TO_OTHER, LEAF_NUMBER, NUMBER_NAME, ADD_ONE, MINUS, NOT, HOIST, SWAP_OPERANDS, SWAP_ARGUMENTS, SWAP_STATEMENTS,
       DROP_ASSIGN, DROP_OTHER, TERM_SUM, TERM_PRODUCT, TERM_BEFORE, ELEMENT, FORMS };
/* Where the node is. */
enum { IN_RETURN, IN_DECLARE, IN_ASSIGN, IN_COMPOUND, IN_IF, IN_LOOP, IN_FOR, IN_INDEX, IN_CALL, IN_ORDER, IN_SUM,
       IN_PRODUCT, IN_CHOICE, IN_OTHER, SPOTS };
/* What it is. */
enum { IS_VARIABLE, IS_LITERAL, IS_ELEMENT, IS_CALL, IS_SUM, IS_PRODUCT, IS_ORDER, IS_OTHER, IS_STATEMENT, THINGS };

static bool in(uint8_t kind, uint8_t lo, uint8_t hi)
{
    return kind >= lo && kind <= hi;
}

static int kind_form(uint8_t from, uint8_t to)
{
    enum elm_kin kin = elm_points_kin(from, to);
    if (in(from, ELM_NODE_LT, ELM_NODE_GE) && in(to, ELM_NODE_LT, ELM_NODE_GE)) {
        if (kin == ELM_KIN_NEXT)
            return BOUNDARY;
        /* the kinds are LT, LE, GT, GE */
        return (from ^ to) % 2 == 0 ? DIRECTION : NEGATION;
    }
    if (in(from, ELM_NODE_EQ, ELM_NODE_GE) && in(to, ELM_NODE_EQ, ELM_NODE_GE))
        return kin == ELM_KIN_NEXT ? NEGATION : ORDER_EQUAL;
    if (in(from, ELM_NODE_ADD, ELM_NODE_MOD) && in(to, ELM_NODE_ADD, ELM_NODE_MOD))
        return kin == ELM_KIN_NEXT ? ARITHMETIC_NEXT : ARITHMETIC_LIKE;
    if (in(from, ELM_NODE_LOGIC_AND, ELM_NODE_LOGIC_OR) && in(to, ELM_NODE_LOGIC_AND, ELM_NODE_LOGIC_OR))
        return LOGIC;
    if (in(from, ELM_NODE_PRE_INC, ELM_NODE_POST_DEC))
        return STEP;
    if (is_assign(from))
        return kin == ELM_KIN_NEXT ? ASSIGN_NEXT : ASSIGN_LIKE;
    return kin != ELM_KIN_NONE ? BITS : KIND_OTHER;
}

static double number_of(const struct elm_node *n)
{
    return n->kind == ELM_NODE_INT ? (double)n->i : n->kind == ELM_NODE_REAL ? n->d : (double)NAN;
}

static int number_form(const struct elm_node *n, double to)
{
    double from = number_of(n);
    if (isnan(from))
        return LEAF_NUMBER;
    if (fabs(from - to) == 1)
        return BY_ONE;
    if (to == 2 * from || from == 2 * to)
        return BY_TWO;
    if (to == 10 * from || from == 10 * to)
        return BY_TEN;
    return to == 0 || to == 1 || to == 2 ? TO_FEW : TO_OTHER;
}

static int form_of(const struct elm_clues *c, const struct elm_point *p)
{
    const struct elm_node *n = &c->tree->nodes[p->at];
    switch (p->change) {
    case ELM_POINT_KIND: return kind_form(n->kind, (uint8_t)p->arg);
    case ELM_POINT_NAME:
        return n->kind == ELM_NODE_CALL ? NAME_CALL : is_target(c, p->at) ? NAME_TARGET
               : n->kind == ELM_NODE_INDEX ? NAME_ARRAY : NAME_VALUE;
    case ELM_POINT_NUMBER: return number_form(n, p->number);
    case ELM_POINT_VARIABLE: return NUMBER_NAME;
    case ELM_POINT_AROUND: return p->arg == ELM_NODE_NEG ? MINUS : p->arg == ELM_NODE_NOT ? NOT : ADD_ONE;
    case ELM_POINT_KID: return HOIST;
    case ELM_POINT_EXCHANGE:
        return n->kind == ELM_NODE_BLOCK ? SWAP_STATEMENTS : n->kind == ELM_NODE_CALL ? SWAP_ARGUMENTS : SWAP_OPERANDS;
    case ELM_POINT_TERM:
        return p->before ? TERM_BEFORE : p->op == ELM_NODE_ADD || p->op == ELM_NODE_SUB ? TERM_SUM : TERM_PRODUCT;
    case ELM_POINT_ELEMENT: return ELEMENT;
    case ELM_POINT_DROP: {
        uint32_t dropped = elm_tree_kid(c->tree, p->at, p->arg);
        return c->tree->nodes[dropped].kind == ELM_NODE_EVAL ? DROP_ASSIGN : DROP_OTHER;
    }
    }
    return KIND_OTHER;
}

static int spot_of(const struct elm_clues *c, uint32_t at)
{
    const struct elm_node *nodes = c->tree->nodes;
    uint32_t up = c->up[at];
    uint8_t kind = nodes[up].kind;
    if (in(kind, ELM_NODE_EQ, ELM_NODE_LOGIC_OR))
        return IN_ORDER;
    if (kind == ELM_NODE_ADD || kind == ELM_NODE_SUB || kind == ELM_NODE_NEG)
        return IN_SUM;
    if (in(kind, ELM_NODE_MUL, ELM_NODE_SHR))
        return IN_PRODUCT;
    if (is_assign(kind))
        return kind == ELM_NODE_ASSIGN ? IN_ASSIGN : IN_COMPOUND;
    switch (kind) {
    case ELM_NODE_RETURN: return IN_RETURN;
    case ELM_NODE_DECLARE: return nodes[c->up[up]].kind == ELM_NODE_FOR ? IN_FOR : IN_DECLARE;
    case ELM_NODE_IF: return IN_IF;
    case ELM_NODE_WHILE: case ELM_NODE_DO: case ELM_NODE_FOR: return IN_LOOP;
    case ELM_NODE_INDEX: return IN_INDEX;
    case ELM_NODE_CALL: return IN_CALL;
    case ELM_NODE_COND: return IN_CHOICE;
    default: return IN_OTHER;
    }
}

static int thing_of(const struct elm_node *n)
{
    if (in(n->kind, ELM_NODE_EQ, ELM_NODE_LOGIC_OR))
        return IS_ORDER;
    if (n->kind == ELM_NODE_ADD || n->kind == ELM_NODE_SUB)
        return IS_SUM;
    if (in(n->kind, ELM_NODE_MUL, ELM_NODE_SHR))
        return IS_PRODUCT;
    switch (n->kind) {
    case ELM_NODE_VAR: return IS_VARIABLE;
    case ELM_NODE_INT: case ELM_NODE_REAL: return IS_LITERAL;
    case ELM_NODE_INDEX: return IS_ELEMENT;
    case ELM_NODE_CALL: return IS_CALL;
    default: return is_statement(n) ? IS_STATEMENT : IS_OTHER;
    }
}

static uint32_t uses(const struct elm_clues *c, uint32_t name)
{
    return name < c->name_count ? c->names[name].uses : 0;
}

static bool is_parameter(const struct elm_clues *c, uint32_t name)
{
    return name < c->name_count && c->names[name].parameter;
}

/* Is the other operand the same name? */
static bool beside(const struct elm_clues *c, uint32_t at, uint32_t name)
{
    const struct elm_node *nodes = c->tree->nodes;
    uint32_t up = c->up[at], kid = up + 1;
    for (uint16_t k = 0; k < nodes[up].kids; k++, kid += nodes[kid].size) {
        if (kid != at && is_use(&nodes[kid]) && nodes[kid].name == name)
            return true;
    }
    return false;
}

/* Does a loop around the node count by that name? */
static bool is_counter(const struct elm_clues *c, uint32_t at, uint32_t name)
{
    const struct elm_node *nodes = c->tree->nodes;
    for (uint32_t i = c->up[at]; i > 0; i = c->up[i]) {
        if (nodes[i].kind == ELM_NODE_FOR && nodes[i + 1].kind == ELM_NODE_DECLARE && nodes[i + 1].name == name)
            return true;
    }
    return false;
}

static float *put_names(const struct elm_clues *c, const struct elm_point *p, float *out)
{
    const struct elm_node *n = &c->tree->nodes[p->at];
    bool from = p->change == ELM_POINT_NAME && n->kind != ELM_NODE_CALL;
    bool named = from || p->change == ELM_POINT_VARIABLE || p->change == ELM_POINT_ELEMENT ||
                 (p->change == ELM_POINT_TERM && p->arg != UINT32_MAX);
    uint32_t now = from ? uses(c, n->name) : 0, then = named ? uses(c, p->arg) : 0;
    *out++ = named && then == 0;
    *out++ = named && is_parameter(c, p->arg);
    *out++ = from && is_parameter(c, n->name);
    *out++ = from && now == 1;
    *out++ = named ? (float)then / 8 : 0;
    *out++ = from ? (float)now / 8 : 0;
    *out++ = named && beside(c, p->at, p->arg);
    *out++ = p->change == ELM_POINT_TERM && n->kind == ELM_NODE_VAR && n->name == p->arg;
    *out++ = p->change == ELM_POINT_TERM && p->arg == UINT32_MAX;
    *out++ = p->change == ELM_POINT_ELEMENT && c->loops[p->at] > 0 && is_counter(c, p->at, p->index);
    *out++ = from && beside(c, p->at, n->name);
    return out;
}

static float *put_numbers(const struct elm_clues *c, const struct elm_point *p, float *out)
{
    const struct elm_node *n = &c->tree->nodes[p->at];
    bool to = p->change == ELM_POINT_NUMBER;
    double from = p->change == ELM_POINT_NUMBER || p->change == ELM_POINT_VARIABLE ? number_of(n) : (double)NAN;
    *out++ = from == 0;
    *out++ = from == 1;
    *out++ = from == 2;
    *out++ = fabs(from) > 2;
    *out++ = isfinite(from) && from != trunc(from);
    *out++ = to && p->number == 0;
    *out++ = to && p->number == 1;
    *out++ = to && p->number == 2;
    *out++ = to && p->number < 0;
    *out++ = to && p->number > from;
    return out;
}

static float *put_place(const struct elm_clues *c, uint32_t at, float *out)
{
    const struct place *p = &c->places[at < NODES_MAX ? at : 0];
    float both = p->ran[0] + p->ran[1];
    *out++ = p->ran[0];
    *out++ = p->ran[1];
    *out++ = both > 0 ? p->ran[1] / both : 0;
    *out++ = p->ran[1] > 0.99f;
    *out++ = p->wants[0];
    *out++ = p->wants[1];
    *out++ = p->unmet;
    *out++ = p->unmet > 0.99f;
    *out++ = c->tape != NULL && both == 0;
    return out;
}

static float *put_effect(struct elm_clues *c, const struct elm_edit *edit, float *out)
{
    struct effect e = effect_of(c, edit);
    *out++ = e.known;
    *out++ = c->tape == NULL;
    *out++ = e.mended;
    *out++ = e.harmed;
    *out++ = e.mended > 0;
    *out++ = e.mended > 0 && e.harmed == 0;
    *out++ = e.whole > 0.99f;
    *out++ = e.whole > 0.99f && e.mended > 0.99f;
    *out++ = e.whole > 0.99f && e.harmed == 0;
    *out++ = e.mended > 0.99f && e.harmed == 0;
    *out++ = e.known && e.same;
    *out++ = e.known && !e.same && e.mended == 0;
    *out++ = e.known && e.lifts > 0;
    return out;
}

void elm_clues_of(struct elm_clues *c, const struct elm_point *p, const struct elm_edit *edit, float *out)
{
    const struct elm_node *n = &c->tree->nodes[p->at];
    /* a statement's change is listed at its block */
    bool listed = p->change == ELM_POINT_DROP || (p->change == ELM_POINT_EXCHANGE && n->kind == ELM_NODE_BLOCK);
    uint32_t at = listed ? elm_tree_kid(c->tree, p->at, p->arg) : p->at;
    float *end = out + ELM_CLUES, *next;
    memset(out, 0, ELM_CLUES * sizeof(*out));
    if (c->tree->count > NODES_MAX)
        return;
    next = out;
    next[form_of(c, p)] = 1;
    next += FORMS;
    next[spot_of(c, at)] = 1;
    next += SPOTS;
    next[thing_of(&c->tree->nodes[at])] = 1;
    next += THINGS;
    *next++ = c->tree->nodes[at].type == ELM_TYPE_DOUBLE;
    *next++ = (float)(c->loops[at] > 2 ? 2 : c->loops[at]) / 2;
    *next++ = (float)at / (float)c->tree->count;
    *next++ = (float)c->tree->count / 128;
    *next++ = (float)c->tree->nodes[at].size / 16;
    *next++ = c->tape != NULL ? (float)c->failing / (float)c->tape->case_count : 0;
    next = put_names(c, p, next);
    next = put_numbers(c, p, next);
    next = put_place(c, at, next);
    next = put_place(c, c->up[at], next);
    next = put_effect(c, edit, next);
    ELM_ASSERT(next <= end);
}
