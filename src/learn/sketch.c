/*
 * sketch: random functions of the kinds that people write in an exercise: formulas, cases, loops over
 * numbers, digits and arrays. A name just set or not yet read is read next with preference, so that
 * few parts are dead.
 */
#include "learn/sketch.h"

#include <string.h>

#define NAMES_MAX 16
#define LENGTH 8                 /* of arrays; n is 1 to LENGTH */

struct name {
    uint32_t name;
    uint8_t type;
    bool wanted;                 /* has a value that nobody has read */
    bool fixed;                  /* a parameter or a loop's index: not assigned to */
    bool index;                  /* runs over the elements of an array */
};

struct sketch {
    struct elm_rng *rng;
    const struct sketch_names *known;
    const struct sketch_head *head;
    struct elm_node *nodes;
    uint32_t count;
    struct name names[NAMES_MAX];
    uint32_t name_count, locals, loops;
    bool full;
};

static uint32_t below(struct sketch *s, uint32_t n)
{
    return elm_rng_below(s->rng, n);
}

static bool chance(struct sketch *s, uint32_t percent)
{
    return elm_rng_below(s->rng, 100) < percent;
}

static bool is_array(uint8_t type)
{
    return type == ELM_TYPE_INT_ARRAY || type == ELM_TYPE_DOUBLE_ARRAY;
}

static uint8_t element_type(uint8_t type)
{
    return type == ELM_TYPE_INT_ARRAY      ? ELM_TYPE_INT
           : type == ELM_TYPE_DOUBLE_ARRAY ? ELM_TYPE_DOUBLE
                                           : type;
}

/* ---- nodes ---- */

static uint32_t put(struct sketch *s, uint8_t kind, uint8_t type, uint16_t kids)
{
    if (s->count + 2 >= SKETCH_NODES_MAX) {
        s->full = true;
        s->count = 1;
    }
    s->nodes[s->count] = (struct elm_node){.kind = kind, .type = type, .kids = kids, .size = 1};
    return s->count++;
}

static void close_node(struct sketch *s, uint32_t at)
{
    if (!s->full)
        s->nodes[at].size = s->count - at;
}

static void put_name(struct sketch *s, uint8_t kind, uint8_t type, uint32_t name)
{
    uint32_t at = put(s, kind, type, 0);
    s->nodes[at].name = name;
}

static void put_int(struct sketch *s, int64_t v)
{
    if (v < 0) {
        uint32_t at = put(s, ELM_NODE_NEG, ELM_TYPE_INT, 1);
        s->nodes[put(s, ELM_NODE_INT, ELM_TYPE_INT, 0)].i = -v;
        close_node(s, at);
        return;
    }
    s->nodes[put(s, ELM_NODE_INT, ELM_TYPE_INT, 0)].i = v;
}

uint32_t sketch_literal(struct elm_rng *rng, uint8_t type, struct elm_node out[2])
{
    static const uint8_t ints[] = {0, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 10};
    static const double reals[] = {0, 0.5, 0.5, 1, 1, 2, 2, 3};
    if (type == ELM_TYPE_DOUBLE)
        return elm_edit_real(out, reals[elm_rng_below(rng, ELM_COUNT(reals))]);
    return elm_edit_int(out, ints[elm_rng_below(rng, ELM_COUNT(ints))]);
}

static void put_literal(struct sketch *s, uint8_t type, bool zero)
{
    struct elm_node out[2];
    uint32_t n;
    do {
        n = sketch_literal(s->rng, type, out);
    } while (!zero && n == 1 && out[0].i == 0);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = put(s, out[i].kind, out[i].type, out[i].kids);
        s->nodes[at] = out[i];
    }
}

void sketch_replace(const struct sketch_tree *t, uint32_t at, const struct elm_node *put,
                    uint32_t count, struct sketch_tree *out)
{
    uint32_t size = t->nodes[at].size, end = at + size;
    memcpy(out->nodes, t->nodes, at * sizeof(out->nodes[0]));
    memcpy(out->nodes + at, put, count * sizeof(out->nodes[0]));
    memcpy(out->nodes + at + count, t->nodes + end, (t->count - end) * sizeof(out->nodes[0]));
    out->count = t->count + count - size;
    for (uint32_t i = 0; i < at; i++) {
        if (i + t->nodes[i].size > at)
            out->nodes[i].size += count - size;
    }
}

/* ---- names ---- */

static struct name *add_name(struct sketch *s, uint32_t name, uint8_t type)
{
    uint32_t at = s->name_count < NAMES_MAX ? s->name_count++ : NAMES_MAX - 1;
    s->names[at] = (struct name){.name = name, .type = type, .wanted = true};
    return &s->names[at];
}

/* A name whose value or elements may stand in an expression of `type`; wanted ones first. */
static struct name *draw_name(struct sketch *s, uint8_t type, bool mixed)
{
    struct name *fit[NAMES_MAX], *wanted[NAMES_MAX];
    uint32_t fits = 0, wants = 0;
    for (uint32_t i = 0; i < s->name_count; i++) {
        struct name *n = &s->names[i];
        uint8_t has = element_type(n->type);
        if (has != type && !(mixed && type == ELM_TYPE_DOUBLE && has == ELM_TYPE_INT))
            continue;
        fit[fits++] = n;
        if (n->wanted)
            wanted[wants++] = n;
    }
    if (wants > 0 && chance(s, 75))
        return wanted[below(s, wants)];
    return fits > 0 ? fit[below(s, fits)] : NULL;
}

static const struct name *draw_index(struct sketch *s)
{
    for (uint32_t i = s->name_count; i-- > 0;) {
        if (s->names[i].index && (i == 0 || !s->names[i - 1].index || chance(s, 60)))
            return &s->names[i];
    }
    return NULL;
}

static void put_element(struct sketch *s, const struct name *n)
{
    uint32_t at = put(s, ELM_NODE_INDEX, element_type(n->type), 1);
    s->nodes[at].name = n->name;
    const struct name *index = draw_index(s);
    uint32_t form = below(s, 100);
    if (index == NULL && form < 50) {
        put_int(s, form < 30 ? 0 : below(s, LENGTH));
    } else if (index == NULL || form < 6) {
        uint32_t sub = put(s, ELM_NODE_SUB, ELM_TYPE_INT, 2);
        put_name(s, ELM_NODE_VAR, ELM_TYPE_INT, s->known->n);
        put_int(s, 1);
        close_node(s, sub);
    } else if (form < 12) {
        uint32_t sub = put(s, ELM_NODE_SUB, ELM_TYPE_INT, 2);
        uint32_t last = put(s, ELM_NODE_SUB, ELM_TYPE_INT, 2);
        put_name(s, ELM_NODE_VAR, ELM_TYPE_INT, s->known->n);
        put_int(s, 1);
        close_node(s, last);
        put_name(s, ELM_NODE_VAR, ELM_TYPE_INT, index->name);
        close_node(s, sub);
    } else if (form < 16) {
        put_int(s, 0);
    } else {
        put_name(s, ELM_NODE_VAR, ELM_TYPE_INT, index->name);
    }
    close_node(s, at);
}

/* ---- expressions ---- */

static void value(struct sketch *s, uint8_t type, uint32_t budget);

/* A name, or where `literal` allows it also a number. mixed: ints among doubles. */
static void leaf(struct sketch *s, uint8_t type, bool literal, bool mixed)
{
    struct name *n = literal && chance(s, 25) ? NULL : draw_name(s, type, mixed);
    if (n == NULL) {
        put_literal(s, type, false);
        return;
    }
    n->wanted = false;
    if (is_array(n->type))
        put_element(s, n);
    else
        put_name(s, ELM_NODE_VAR, n->type, n->name);
}

static bool is_literal(const struct sketch *s, uint32_t at)
{
    uint8_t kind = s->nodes[at].kind == ELM_NODE_NEG ? s->nodes[at + 1].kind : s->nodes[at].kind;
    return kind == ELM_NODE_INT || kind == ELM_NODE_REAL;
}

static void operand(struct sketch *s, uint8_t type, uint32_t budget, bool literal, bool mixed)
{
    if (budget < 2)
        leaf(s, type, literal, mixed);
    else
        value(s, type, budget);
}

/* Both sides of an operator; `budget` nodes for the two. x op x and 1 op 2 are avoided. */
static void operands(struct sketch *s, uint8_t type, uint32_t budget, bool literal_first)
{
    uint32_t left = budget < 2 ? 1 : 1 + below(s, budget - 1), a = s->count;
    operand(s, type, left, literal_first, false);
    uint32_t b = s->count;
    operand(s, type, budget > left ? budget - left : 1, !is_literal(s, a), true);
    if (!s->full && elm_edit_same(&s->nodes[a], &s->nodes[b], s->nodes[a].size)) {
        s->count = b;
        put_literal(s, type, false);
    }
}

static void comparison(struct sketch *s, uint32_t budget)
{
    static const uint8_t kinds[] = {ELM_NODE_LT, ELM_NODE_LT, ELM_NODE_LE, ELM_NODE_GT, ELM_NODE_GT,
                                    ELM_NODE_GE, ELM_NODE_EQ, ELM_NODE_NE};
    bool real = s->head->returns == ELM_TYPE_DOUBLE && draw_name(s, ELM_TYPE_DOUBLE, false) != NULL;
    uint8_t type = real ? ELM_TYPE_DOUBLE : ELM_TYPE_INT;
    if (!real && chance(s, 22)) {
        uint32_t at = put(s, chance(s, 75) ? ELM_NODE_EQ : ELM_NODE_NE, ELM_TYPE_INT, 2);
        uint32_t mod = put(s, ELM_NODE_MOD, ELM_TYPE_INT, 2);
        operand(s, ELM_TYPE_INT, budget > 5 ? budget - 4 : 1, false, false);
        uint32_t by = 2 + below(s, chance(s, 60) ? 2 : 5);
        put_int(s, by);
        close_node(s, mod);
        put_int(s, below(s, chance(s, 50) ? 1 : by));
        close_node(s, at);
        return;
    }
    uint32_t at = put(s, kinds[below(s, real ? 6 : ELM_COUNT(kinds))], ELM_TYPE_INT, 2);
    operands(s, type, budget > 2 ? budget - 1 : 2, false);
    close_node(s, at);
}

static void condition(struct sketch *s, uint32_t budget)
{
    if (budget >= 7 && chance(s, 30)) {
        uint32_t at = put(s, chance(s, 60) ? ELM_NODE_LOGIC_AND : ELM_NODE_LOGIC_OR, ELM_TYPE_INT, 2);
        comparison(s, (budget - 1) / 2);
        comparison(s, (budget - 1) / 2);
        close_node(s, at);
        return;
    }
    comparison(s, budget < 3 ? 3 : budget);
}

static void by_literal(struct sketch *s, uint32_t budget)
{
    static const struct { uint8_t kind, lo, hi; } forms[] = {
        {ELM_NODE_DIV, 2, 3}, {ELM_NODE_DIV, 2, 10}, {ELM_NODE_MOD, 2, 3}, {ELM_NODE_MOD, 4, 7},
        {ELM_NODE_MOD, 10, 10}, {ELM_NODE_SHL, 1, 2}, {ELM_NODE_SHR, 1, 2}, {ELM_NODE_MUL, 2, 3},
        {ELM_NODE_MUL, 4, 5}, {ELM_NODE_AND, 1, 1}, {ELM_NODE_AND, 7, 7}, {ELM_NODE_AND, 15, 15},
        {ELM_NODE_ADD, 1, 2}, {ELM_NODE_SUB, 1, 2},
    };
    uint32_t f = below(s, ELM_COUNT(forms));
    uint32_t at = put(s, forms[f].kind, ELM_TYPE_INT, 2);
    operand(s, ELM_TYPE_INT, budget - 2, false, false);
    put_int(s, forms[f].lo + (int)below(s, forms[f].hi - forms[f].lo + 1u));
    close_node(s, at);
}

static void math_call(struct sketch *s, uint32_t budget)
{
    static const uint8_t two[] = {12, 13}, one[] = {1, 1, 2, 4, 5, 0};    /* names of math.h */
    if (budget >= 4 && chance(s, 55)) {
        uint32_t at = put(s, ELM_NODE_CALL, ELM_TYPE_DOUBLE, 2);
        s->nodes[at].name = two[below(s, ELM_COUNT(two))];
        operands(s, ELM_TYPE_DOUBLE, budget - 1, false);
        close_node(s, at);
        return;
    }
    uint32_t at = put(s, ELM_NODE_CALL, ELM_TYPE_DOUBLE, 1);
    uint32_t name = one[below(s, ELM_COUNT(one))];
    s->nodes[at].name = name;
    if (name == 0) {
        /* a square root of what is never negative */
        uint32_t in = put(s, ELM_NODE_CALL, ELM_TYPE_DOUBLE, 1);
        s->nodes[in].name = 1;
        operand(s, ELM_TYPE_DOUBLE, budget > 3 ? budget - 2 : 1, false, false);
        close_node(s, in);
    } else {
        operand(s, ELM_TYPE_DOUBLE, budget - 1, false, false);
    }
    close_node(s, at);
}

static void choice(struct sketch *s, uint8_t type, uint32_t budget)
{
    uint32_t at = put(s, ELM_NODE_COND, type, 3), part = (budget - 1) / 3;
    condition(s, part < 3 ? 3 : part);
    uint32_t rest = budget > part + 1 ? budget - part - 1 : 2;
    uint32_t a = s->count;
    operand(s, type, rest / 2, true, false);
    uint32_t b = s->count;
    operand(s, type, rest - rest / 2, true, false);
    if (!s->full && elm_edit_same(&s->nodes[a], &s->nodes[b], s->nodes[a].size)) {
        s->count = b;
        put_literal(s, type, true);
    }
    close_node(s, at);
}

static void arithmetic(struct sketch *s, uint8_t type, uint32_t budget)
{
    static const uint8_t ints[] = {ELM_NODE_ADD, ELM_NODE_ADD, ELM_NODE_ADD, ELM_NODE_SUB,
                                   ELM_NODE_SUB, ELM_NODE_MUL, ELM_NODE_MUL};
    static const uint8_t bits[] = {ELM_NODE_AND, ELM_NODE_OR, ELM_NODE_XOR};
    uint8_t kind = ints[below(s, ELM_COUNT(ints))];
    if (type == ELM_TYPE_INT && chance(s, 10))
        kind = bits[below(s, ELM_COUNT(bits))];
    uint32_t at = put(s, kind, type, 2);
    operands(s, type, budget - 1, kind == ELM_NODE_SUB && chance(s, 25));
    close_node(s, at);
}

static void unary(struct sketch *s, uint8_t type, uint32_t budget)
{
    bool absolute = type == ELM_TYPE_INT && chance(s, 60);
    uint32_t at = put(s, absolute ? ELM_NODE_CALL : ELM_NODE_NEG, type, 1);
    if (absolute)
        s->nodes[at].name = 18;          /* abs */
    operand(s, type, budget - 1, false, false);
    close_node(s, at);
}

static void value(struct sketch *s, uint8_t type, uint32_t budget)
{
    uint32_t form = below(s, 100);
    if (budget < 2 || (budget < 3 && form < 60)) {
        leaf(s, type, true, false);
    } else if (budget < 3) {
        unary(s, type, budget);
    } else if (budget >= 6 && form < 8) {
        choice(s, type, budget);
    } else if (form < 60) {
        arithmetic(s, type, budget);
    } else if (form < 66) {
        unary(s, type, budget);
    } else if (type == ELM_TYPE_INT && form < 94) {
        by_literal(s, budget);
    } else if (type == ELM_TYPE_DOUBLE && form < 84) {
        math_call(s, budget);
    } else if (type == ELM_TYPE_DOUBLE && form < 92) {
        uint32_t at = put(s, ELM_NODE_DIV, type, 2);
        operand(s, type, budget - 2, false, false);
        put_literal(s, type, false);
        close_node(s, at);
    } else if (type == ELM_TYPE_INT && form < 97) {
        comparison(s, budget);
    } else {
        arithmetic(s, type, budget);
    }
}

/* ---- statements; each adds one kid to the block that is open ---- */

static uint8_t local_type(struct sketch *s)
{
    return s->head->returns == ELM_TYPE_DOUBLE && chance(s, 85) ? ELM_TYPE_DOUBLE : ELM_TYPE_INT;
}

static uint32_t declare(struct sketch *s, uint8_t type, uint32_t budget)
{
    uint32_t at = put(s, ELM_NODE_DECLARE, type, 1), name = ELM_NAMES_FRESH + s->locals++;
    s->nodes[at].name = name;
    if (budget == 0)
        put_literal(s, type, true);
    else
        operand(s, type, budget, false, false);
    close_node(s, at);
    add_name(s, name, type);
    return name;
}

/* A local that may be set; NULL if there is none. */
static struct name *draw_local(struct sketch *s)
{
    struct name *fit[NAMES_MAX];
    uint32_t fits = 0;
    for (uint32_t i = 0; i < s->name_count; i++) {
        if (!s->names[i].fixed)
            fit[fits++] = &s->names[i];
    }
    return fits > 0 ? fit[below(s, fits)] : NULL;
}

/* t = value, t += value, t = t * c + value. fold: t must be read. */
static void assign(struct sketch *s, struct name *n, uint32_t budget, bool fold)
{
    static const uint8_t folds[] = {ELM_NODE_ADD_ASSIGN, ELM_NODE_ADD_ASSIGN, ELM_NODE_ADD_ASSIGN,
                                    ELM_NODE_SUB_ASSIGN, ELM_NODE_MUL_ASSIGN, ELM_NODE_XOR_ASSIGN};
    uint32_t at = put(s, ELM_NODE_EVAL, ELM_TYPE_NONE, 1);
    uint32_t form = below(s, 100);
    bool integer = n->type == ELM_TYPE_INT;
    if (fold && integer && form < 15) {
        uint32_t inc = put(s, form < 11 ? ELM_NODE_POST_INC : ELM_NODE_POST_DEC, n->type, 1);
        put_name(s, ELM_NODE_VAR, n->type, n->name);
        close_node(s, inc);
    } else if (fold && form < 75) {
        uint32_t set = put(s, folds[below(s, integer ? 6 : 5)], n->type, 2);
        put_name(s, ELM_NODE_VAR, n->type, n->name);
        value(s, n->type, budget);
        close_node(s, set);
    } else {
        uint32_t set = put(s, ELM_NODE_ASSIGN, n->type, 2);
        put_name(s, ELM_NODE_VAR, n->type, n->name);
        uint32_t add = 0;
        if (fold) {
            add = put(s, chance(s, 75) ? ELM_NODE_ADD : ELM_NODE_SUB, n->type, 2);
            uint32_t by = put(s, ELM_NODE_MUL, n->type, 2);
            put_name(s, ELM_NODE_VAR, n->type, n->name);
            put_literal(s, n->type, false);
            close_node(s, by);
        }
        value(s, n->type, budget);
        if (fold)
            close_node(s, add);
        close_node(s, set);
    }
    close_node(s, at);
    n->wanted = true;
}

/* if (value > t) { t = value; } */
static void keep_extreme(struct sketch *s, struct name *n, uint32_t budget)
{
    uint32_t at = put(s, ELM_NODE_IF, ELM_TYPE_NONE, 2);
    uint32_t test = put(s, chance(s, 60) ? ELM_NODE_GT : ELM_NODE_LT, ELM_TYPE_INT, 2);
    uint32_t from = s->count;
    value(s, n->type, budget);
    uint32_t size = s->count - from;
    put_name(s, ELM_NODE_VAR, n->type, n->name);
    close_node(s, test);
    uint32_t block = put(s, ELM_NODE_BLOCK, ELM_TYPE_NONE, 1);
    uint32_t eval = put(s, ELM_NODE_EVAL, ELM_TYPE_NONE, 1);
    uint32_t set = put(s, ELM_NODE_ASSIGN, n->type, 2);
    put_name(s, ELM_NODE_VAR, n->type, n->name);
    for (uint32_t i = 0; i < size && !s->full; i++) {
        uint32_t to = put(s, ELM_NODE_INT, 0, 0);
        s->nodes[to] = s->nodes[from + i];
    }
    close_node(s, set);
    close_node(s, eval);
    close_node(s, block);
    close_node(s, at);
    n->wanted = true;
}

static void if_assign(struct sketch *s, struct name *n, uint32_t budget, bool fold)
{
    bool other = budget > 8 && chance(s, 30);
    uint32_t at = put(s, ELM_NODE_IF, ELM_TYPE_NONE, other ? 3 : 2);
    condition(s, budget / 2);
    for (int i = 0; i < 1 + other; i++) {
        uint32_t block = put(s, ELM_NODE_BLOCK, ELM_TYPE_NONE, 1);
        assign(s, n, budget / 2 / (1 + other), fold);
        close_node(s, block);
    }
    close_node(s, at);
}

static void if_return(struct sketch *s, uint32_t budget)
{
    uint32_t at = put(s, ELM_NODE_IF, ELM_TYPE_NONE, 2);
    condition(s, budget / 2);
    uint32_t block = put(s, ELM_NODE_BLOCK, ELM_TYPE_NONE, 1);
    uint32_t ret = put(s, ELM_NODE_RETURN, ELM_TYPE_NONE, 1);
    operand(s, s->head->returns, budget / 2, true, false);
    close_node(s, ret);
    close_node(s, block);
    close_node(s, at);
}

/* What a loop does to a local; returns the statements put. */
static uint16_t loop_body(struct sketch *s, uint32_t budget)
{
    struct name *n = draw_local(s);
    uint32_t form = below(s, 100);
    if (form < 45) {
        assign(s, n, budget, true);
    } else if (form < 72) {
        if_assign(s, n, budget, true);
    } else if (form < 85) {
        keep_extreme(s, n, budget / 2);
    } else {
        assign(s, n, budget / 2, true);
        struct name *other = draw_local(s);
        if_assign(s, other, budget / 2, other == n || chance(s, 50));
        return 2;
    }
    return 1;
}

static bool has_array(const struct sketch *s)
{
    for (uint32_t i = 0; i < s->name_count; i++) {
        if (is_array(s->names[i].type))
            return true;
    }
    return false;
}

static void put_bound(struct sketch *s, bool elements)
{
    bool has_n = s->head->params[s->head->param_count - 1].name == s->known->n || has_array(s);
    if (elements || (has_n && chance(s, 70)))
        put_name(s, ELM_NODE_VAR, ELM_TYPE_INT, s->known->n);
    else
        put_int(s, 2 + below(s, 7));
}

static void for_loop(struct sketch *s, uint32_t budget)
{
    static const uint8_t indices[] = {ELM_NAMES_FRESH + 16, ELM_NAMES_FRESH + 17,
                                      ELM_NAMES_FRESH + 18};       /* i, j, k */
    bool elements = has_array(s), late = chance(s, 20);
    uint32_t i = indices[s->loops++ % 3], at = put(s, ELM_NODE_FOR, ELM_TYPE_NONE, 4);
    uint32_t from = put(s, ELM_NODE_DECLARE, ELM_TYPE_INT, 1);
    s->nodes[from].name = i;
    put_int(s, late ? 1 : 0);
    close_node(s, from);
    uint32_t test = put(s, late && !elements ? ELM_NODE_LE : ELM_NODE_LT, ELM_TYPE_INT, 2);
    put_name(s, ELM_NODE_VAR, ELM_TYPE_INT, i);
    put_bound(s, elements);
    close_node(s, test);
    uint32_t step = put(s, ELM_NODE_POST_INC, ELM_TYPE_INT, 1);
    put_name(s, ELM_NODE_VAR, ELM_TYPE_INT, i);
    close_node(s, step);
    uint32_t block = put(s, ELM_NODE_BLOCK, ELM_TYPE_NONE, 0), names = s->name_count;
    struct name *index = add_name(s, i, ELM_TYPE_INT);
    index->fixed = true;
    index->index = elements;
    index->wanted = !elements;
    uint16_t kids;
    if (budget > 14 && s->loops < 2 && chance(s, 25)) {
        for_loop(s, budget - 10);
        kids = 1;
    } else {
        kids = loop_body(s, budget > 10 ? budget - 8 : 2);
    }
    s->nodes[block].kids = kids;
    s->name_count = names;
    close_node(s, block);
    close_node(s, at);
}

/* while (a > 0) { t += a % 10; a /= 10; } */
static void while_loop(struct sketch *s, uint32_t budget)
{
    static const uint8_t steps[] = {ELM_NODE_DIV_ASSIGN, ELM_NODE_DIV_ASSIGN, ELM_NODE_SUB_ASSIGN,
                                    ELM_NODE_SHR_ASSIGN};
    uint32_t a = s->names[0].name, at = put(s, ELM_NODE_WHILE, ELM_TYPE_NONE, 2);
    uint32_t test = put(s, chance(s, 80) ? ELM_NODE_GT : ELM_NODE_GE, ELM_TYPE_INT, 2);
    put_name(s, ELM_NODE_VAR, ELM_TYPE_INT, a);
    put_int(s, 1 + below(s, 3) - (s->nodes[test].kind == ELM_NODE_GT));
    close_node(s, test);
    uint32_t block = put(s, ELM_NODE_BLOCK, ELM_TYPE_NONE, 0);
    s->names[0].wanted = true;
    uint16_t kids = loop_body(s, budget > 12 ? budget - 10 : 2);
    uint32_t eval = put(s, ELM_NODE_EVAL, ELM_TYPE_NONE, 1);
    uint32_t which = below(s, ELM_COUNT(steps));
    uint32_t set = put(s, steps[which], ELM_TYPE_INT, 2);
    put_name(s, ELM_NODE_VAR, ELM_TYPE_INT, a);
    put_int(s, which < 2 ? (chance(s, 50) ? 10 : 2 + below(s, 3)) : 1 + below(s, 3));
    close_node(s, set);
    close_node(s, eval);
    s->nodes[block].kids = (uint16_t)(kids + 1);
    close_node(s, block);
    close_node(s, at);
}

/* ---- whole functions ---- */

static void function_block(struct sketch *s, struct sketch_size size)
{
    uint32_t block = put(s, ELM_NODE_BLOCK, ELM_TYPE_NONE, 0), body = s->count;
    uint32_t budget = size.lo + below(s, size.hi - size.lo + 1);
    bool loops = has_array(s) ||
                 (budget > 15 && (s->head->params[s->head->param_count - 1].name == s->known->n ||
                                  (s->head->returns == ELM_TYPE_INT && chance(s, 70))));
    uint16_t kids = 0;
    if (loops || (budget > 9 && chance(s, 55))) {
        declare(s, loops ? s->head->returns : local_type(s), loops && chance(s, 70) ? 0 : 1 + below(s, 5));
        kids++;
        if (budget > 18 && chance(s, 40)) {
            declare(s, local_type(s), chance(s, 40) ? 0 : 1 + below(s, 5));
            kids++;
        }
    }
    if (!loops && budget > 16 && chance(s, 25)) {
        if_return(s, 4 + below(s, 8));
        kids++;
    }
    if (loops) {
        bool shrinking = !has_array(s) && s->names[0].type == ELM_TYPE_INT &&
                         s->head->params[0].range.lo >= 0 && chance(s, 60);
        if (shrinking)
            while_loop(s, budget);
        else
            for_loop(s, budget);
        kids++;
    } else if (draw_local(s) != NULL && budget > 15 && chance(s, 40)) {
        if_assign(s, draw_local(s), 5 + below(s, 8), chance(s, 40));
        kids++;
    }
    if (s->locals > 0 && s->count - body + 10 < budget && chance(s, 50)) {
        if_assign(s, draw_local(s), 5 + below(s, 6), chance(s, 50));
        kids++;
    }
    uint32_t ret = put(s, ELM_NODE_RETURN, ELM_TYPE_NONE, 1), wanted = 0, used = s->count - body;
    for (uint32_t i = 0; i < s->name_count; i++)
        wanted += s->names[i].wanted;
    uint32_t least = wanted > 0 ? 2 * wanted - 1 : 1;
    if (used + least + 2 < budget)
        least = kids == 0 ? budget - used - 1 : least + below(s, budget - used - least);
    value(s, s->head->returns, least);
    close_node(s, ret);
    s->nodes[block].kids = (uint16_t)(kids + 1);
    close_node(s, block);
}

static struct sketch_param scalar(struct sketch *s, uint32_t name, uint8_t type)
{
    static const struct elm_range ints[] = {{-10, 10}, {-20, 20}, {-50, 50}, {-100, 100},
                                            {0, 20}, {0, 50}, {0, 100}, {0, 255}, {1, 30}};
    static const struct elm_range reals[] = {{-1, 1}, {-2, 2}, {-5, 5}, {-10, 10}, {0, 1}, {0, 10}};
    struct elm_range range = type == ELM_TYPE_INT ? ints[below(s, ELM_COUNT(ints))]
                                                  : reals[below(s, ELM_COUNT(reals))];
    return (struct sketch_param){name, type, range};
}

static void int_head(struct sketch *s, struct sketch_head *h)
{
    const struct sketch_names *k = s->known;
    const uint32_t letters[] = {k->a, k->b, k->c, k->d};
    uint32_t count = 1 + below(s, 8);
    count = count > 4 ? count - 3 : count;
    for (uint32_t i = 0; i < count && i < 4; i++)
        h->params[h->param_count++] = scalar(s, letters[i], ELM_TYPE_INT);
    if (h->param_count < 4 && h->param_count > 1 && chance(s, 25))
        h->params[h->param_count - 1] = (struct sketch_param){k->n, ELM_TYPE_INT, {0, 8}};
}

static void array_head(struct sketch *s, struct sketch_head *h)
{
    const struct sketch_names *k = s->known;
    bool real = chance(s, 25);
    uint32_t form = below(s, 10);
    uint8_t array = real ? ELM_TYPE_DOUBLE_ARRAY : ELM_TYPE_INT_ARRAY;
    h->returns = real && chance(s, 85) ? ELM_TYPE_DOUBLE : ELM_TYPE_INT;
    h->params[h->param_count++] = scalar(s, real ? k->x : k->a, element_type(array));
    if (form < 3)
        h->params[h->param_count++] = scalar(s, real ? k->y : k->b, element_type(array));
    for (uint32_t i = 0; i < h->param_count; i++)
        h->params[i].type = array;
    h->params[h->param_count++] = (struct sketch_param){k->n, ELM_TYPE_INT, {1, LENGTH}};
    if (form >= 3 && form < 7)
        h->params[h->param_count++] = scalar(s, real ? k->z : k->c, element_type(array));
}

static void double_head(struct sketch *s, struct sketch_head *h)
{
    const struct sketch_names *k = s->known;
    const uint32_t reals[] = {k->x, k->y, k->z};
    uint32_t count = 1 + below(s, 3);
    h->returns = ELM_TYPE_DOUBLE;
    for (uint32_t i = 0; i < count; i++)
        h->params[h->param_count++] = scalar(s, reals[i], ELM_TYPE_DOUBLE);
    if (chance(s, 30))
        h->params[h->param_count++] = (struct sketch_param){k->n, ELM_TYPE_INT, {0, 8}};
}

void sketch_names(struct elm_names *names, struct sketch_names *out)
{
    const struct { const char *text; uint32_t *to; } all[] = {
        {"f", &out->f}, {"a", &out->a}, {"b", &out->b}, {"c", &out->c}, {"d", &out->d},
        {"n", &out->n}, {"x", &out->x}, {"y", &out->y}, {"z", &out->z},
    };
    for (size_t i = 0; i < ELM_COUNT(all); i++)
        *all[i].to = elm_names_add(names, elm_str(all[i].text));
}

bool sketch_body(const struct sketch_names *names, struct elm_rng *rng,
                 const struct sketch_head *head, struct sketch_size size, struct sketch_tree *out)
{
    struct sketch s = {.rng = rng, .known = names, .head = head, .nodes = out->nodes};
    uint32_t program = put(&s, ELM_NODE_PROGRAM, ELM_TYPE_NONE, 1);
    uint32_t f = put(&s, ELM_NODE_FUNCTION, head->returns, (uint16_t)(head->param_count + 1));
    s.nodes[f].name = names->f;
    for (uint32_t i = 0; i < head->param_count; i++) {
        const struct sketch_param *p = &head->params[i];
        uint32_t at = put(&s, ELM_NODE_PARAM, p->type, 0);
        s.nodes[at].name = p->name;
        s.nodes[at].dims[0] = is_array(p->type) ? LENGTH : 0;
        add_name(&s, p->name, p->type)->fixed = true;
    }
    function_block(&s, size);
    close_node(&s, f);
    close_node(&s, program);
    out->count = s.count;
    uint32_t body = s.count - 3 - head->param_count;
    return !s.full && body >= size.lo && body <= size.hi;
}

enum sketch_family sketch_family(struct elm_rng *rng)
{
    uint32_t drawn = elm_rng_below(rng, 100);
    return drawn < 50 ? SKETCH_INTS : drawn < 80 ? SKETCH_ARRAYS : SKETCH_DOUBLES;
}

struct sketch_size sketch_size(struct elm_rng *rng, enum sketch_family family)
{
    static const struct sketch_size scalars[] = {{6, 11}, {12, 26}, {27, 40}}, arrays[] = {{17, 23},
                                                                                        {24, 40}};
    uint32_t drawn = elm_rng_below(rng, 100);
    if (family == SKETCH_ARRAYS)
        return arrays[drawn >= 30];
    return scalars[(drawn >= 30) + (drawn >= 42)];
}

void sketch_head(const struct sketch_names *names, struct elm_rng *rng, enum sketch_family family,
                 struct sketch_head *out)
{
    struct sketch s = {.rng = rng, .known = names};
    *out = (struct sketch_head){.returns = ELM_TYPE_INT};
    if (family == SKETCH_INTS)
        int_head(&s, out);
    else if (family == SKETCH_ARRAYS)
        array_head(&s, out);
    else
        double_head(&s, out);
}
