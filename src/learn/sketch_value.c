/* sketch_value: nodes, names and expressions of a sketch. A name just set or not yet read is read
 * next with preference, so that few parts are dead. */
#include "learn/sketch_parts.h"

#include <string.h>

uint32_t sketch_below(struct sketch *s, uint32_t n)
{
    s->rng += 0x9e3779b97f4a7c15u;
    uint64_t x = s->rng;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return (uint32_t)(((x >> 32) * n) >> 32);
}

bool sketch_chance(struct sketch *s, uint32_t percent)
{
    return sketch_below(s, 100) < percent;
}

bool sketch_is_array(uint8_t type)
{
    return type == ELM_TYPE_INT_ARRAY || type == ELM_TYPE_DOUBLE_ARRAY;
}

uint8_t sketch_element_type(uint8_t type)
{
    return type == ELM_TYPE_INT_ARRAY      ? ELM_TYPE_INT
           : type == ELM_TYPE_DOUBLE_ARRAY ? ELM_TYPE_DOUBLE
                                           : type;
}

/* ---- nodes ---- */

uint32_t sketch_put(struct sketch *s, uint8_t kind, uint8_t type, uint16_t kids)
{
    if (s->count + 2 >= SKETCH_NODES_MAX) {
        s->full = true;
        s->count = 1;
    }
    s->nodes[s->count] = (struct elm_node){.kind = kind, .type = type, .kids = kids, .size = 1};
    return s->count++;
}

void sketch_close(struct sketch *s, uint32_t at)
{
    if (!s->full)
        s->nodes[at].size = s->count - at;
}

void sketch_put_name(struct sketch *s, uint8_t kind, uint8_t type, uint32_t name)
{
    uint32_t at = sketch_put(s, kind, type, 0);
    s->nodes[at].name = name;
}

void sketch_put_int(struct sketch *s, int64_t v)
{
    if (v < 0) {
        uint32_t at = sketch_put(s, ELM_NODE_NEG, ELM_TYPE_INT, 1);
        s->nodes[sketch_put(s, ELM_NODE_INT, ELM_TYPE_INT, 0)].i = -v;
        sketch_close(s, at);
        return;
    }
    s->nodes[sketch_put(s, ELM_NODE_INT, ELM_TYPE_INT, 0)].i = v;
}

uint32_t sketch_literal(uint32_t random, uint8_t type, struct elm_node out[2])
{
    static const uint8_t ints[] = {0, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 10};
    static const double reals[] = {0, 0.5, 0.5, 1, 1, 2, 2, 3};
    if (type == ELM_TYPE_DOUBLE)
        return elm_edit_real(out, reals[random % ELM_COUNT(reals)]);
    return elm_edit_int(out, ints[random % ELM_COUNT(ints)]);
}

void sketch_put_literal(struct sketch *s, uint8_t type, bool zero)
{
    struct elm_node out[2];
    uint32_t n;
    do {
        n = sketch_literal(sketch_below(s, SKETCH_LITERALS), type, out);
    } while (!zero && n == 1 && out[0].i == 0);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = sketch_put(s, out[i].kind, out[i].type, out[i].kids);
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

struct sketch_name *sketch_add_name(struct sketch *s, uint32_t name, uint8_t type)
{
    uint32_t at = s->name_count < SKETCH_NAMES_MAX ? s->name_count++ : SKETCH_NAMES_MAX - 1;
    s->names[at] = (struct sketch_name){.name = name, .type = type, .wanted = true};
    return &s->names[at];
}

/* A name whose value or elements may stand in an expression of `type`; wanted ones first. */
struct sketch_name *sketch_draw_name(struct sketch *s, uint8_t type, bool mixed)
{
    struct sketch_name *fit[SKETCH_NAMES_MAX], *wanted[SKETCH_NAMES_MAX];
    uint32_t fits = 0, wants = 0;
    /* who walks over elements reads them */
    bool elements = s->elements && sketch_chance(s, 60);
    for (uint32_t i = 0; i < s->name_count; i++) {
        struct sketch_name *n = &s->names[i];
        uint8_t has = sketch_element_type(n->type);
        if (has != type && !(mixed && type == ELM_TYPE_DOUBLE && has == ELM_TYPE_INT))
            continue;
        if (elements && sketch_is_array(n->type))
            return n;
        fit[fits++] = n;
        if (n->wanted)
            wanted[wants++] = n;
    }
    if (wants > 0 && sketch_chance(s, 75))
        return wanted[sketch_below(s, wants)];
    return fits > 0 ? fit[sketch_below(s, fits)] : NULL;
}

const struct sketch_name *sketch_draw_array(struct sketch *s)
{
    const struct sketch_name *fit[SKETCH_NAMES_MAX];
    uint32_t fits = 0;
    for (uint32_t i = 0; i < s->name_count; i++) {
        if (sketch_is_array(s->names[i].type))
            fit[fits++] = &s->names[i];
    }
    return fits > 0 ? fit[sketch_below(s, fits)] : NULL;
}

static const struct sketch_name *draw_index(struct sketch *s)
{
    for (uint32_t i = s->name_count; i-- > 0;) {
        if (s->names[i].index && (i == 0 || !s->names[i - 1].index || sketch_chance(s, 60)))
            return &s->names[i];
    }
    return NULL;
}

void sketch_put_index(struct sketch *s, const struct sketch_name *array, uint32_t index, int by)
{
    uint32_t at = sketch_put(s, ELM_NODE_INDEX, sketch_element_type(array->type), 1);
    s->nodes[at].name = array->name;
    uint32_t sum = 0;
    if (by != 0)
        sum = sketch_put(s, by > 0 ? ELM_NODE_ADD : ELM_NODE_SUB, ELM_TYPE_INT, 2);
    sketch_put_name(s, ELM_NODE_VAR, ELM_TYPE_INT, index);
    if (by != 0) {
        sketch_put_int(s, by > 0 ? by : -by);
        sketch_close(s, sum);
    }
    sketch_close(s, at);
}

static void put_element(struct sketch *s, const struct sketch_name *n)
{
    const struct sketch_name *index = draw_index(s);
    if (index != NULL && (index->before || index->after) && sketch_chance(s, 40)) {
        sketch_put_index(s, n, index->name, index->before ? -1 : 1);
        return;
    }
    uint32_t at = sketch_put(s, ELM_NODE_INDEX, sketch_element_type(n->type), 1);
    s->nodes[at].name = n->name;
    uint32_t form = sketch_below(s, 100);
    if (index == NULL && form < 50) {
        sketch_put_int(s, form < 30 ? 0 : sketch_below(s, SKETCH_LENGTH));
    } else if (index == NULL || form < 6) {
        uint32_t sub = sketch_put(s, ELM_NODE_SUB, ELM_TYPE_INT, 2);
        sketch_put_name(s, ELM_NODE_VAR, ELM_TYPE_INT, s->known->n);
        sketch_put_int(s, 1);
        sketch_close(s, sub);
    } else if (form < 12) {
        uint32_t sub = sketch_put(s, ELM_NODE_SUB, ELM_TYPE_INT, 2);
        uint32_t last = sketch_put(s, ELM_NODE_SUB, ELM_TYPE_INT, 2);
        sketch_put_name(s, ELM_NODE_VAR, ELM_TYPE_INT, s->known->n);
        sketch_put_int(s, 1);
        sketch_close(s, last);
        sketch_put_name(s, ELM_NODE_VAR, ELM_TYPE_INT, index->name);
        sketch_close(s, sub);
    } else if (form < 16) {
        sketch_put_int(s, 0);
    } else {
        sketch_put_name(s, ELM_NODE_VAR, ELM_TYPE_INT, index->name);
    }
    sketch_close(s, at);
}

/* ---- expressions ---- */

/* A name, or where `literal` allows it also a number. mixed: ints among doubles. */
void sketch_leaf(struct sketch *s, uint8_t type, bool literal, bool mixed)
{
    bool number = literal && sketch_chance(s, 25);
    struct sketch_name *n = number ? NULL : sketch_draw_name(s, type, mixed);
    if (n == NULL) {
        sketch_put_literal(s, type, false);
        return;
    }
    n->wanted = false;
    if (sketch_is_array(n->type))
        put_element(s, n);
    else
        sketch_put_name(s, ELM_NODE_VAR, n->type, n->name);
}

static bool is_literal(const struct sketch *s, uint32_t at)
{
    uint8_t kind = s->nodes[at].kind == ELM_NODE_NEG ? s->nodes[at + 1].kind : s->nodes[at].kind;
    return kind == ELM_NODE_INT || kind == ELM_NODE_REAL;
}

void sketch_operand(struct sketch *s, uint8_t type, uint32_t budget, bool literal, bool mixed)
{
    if (budget < 2)
        sketch_leaf(s, type, literal, mixed);
    else
        sketch_value(s, type, budget);
}

/* Both sides of an operator; `budget` nodes for the two. x op x and 1 op 2 are avoided. */
static void operands(struct sketch *s, uint8_t type, uint32_t budget, bool literal_first)
{
    uint32_t left = budget < 2 ? 1 : 1 + sketch_below(s, budget - 1), a = s->count;
    sketch_operand(s, type, left, literal_first, false);
    uint32_t b = s->count;
    sketch_operand(s, type, budget > left ? budget - left : 1, !is_literal(s, a), true);
    if (!s->full && elm_edit_same(&s->nodes[a], &s->nodes[b], s->nodes[a].size)) {
        s->count = b;
        sketch_put_literal(s, type, false);
    }
}

void sketch_comparison(struct sketch *s, uint32_t budget)
{
    static const uint8_t kinds[] = {ELM_NODE_LT, ELM_NODE_LT, ELM_NODE_LE, ELM_NODE_GT, ELM_NODE_GT,
                                    ELM_NODE_GE, ELM_NODE_EQ, ELM_NODE_NE};
    bool real = s->head->returns == ELM_TYPE_DOUBLE &&
                sketch_draw_name(s, ELM_TYPE_DOUBLE, false) != NULL;
    uint8_t type = real ? ELM_TYPE_DOUBLE : ELM_TYPE_INT;
    if (!real && sketch_chance(s, 22)) {
        uint8_t kind = sketch_chance(s, 75) ? ELM_NODE_EQ : ELM_NODE_NE;
        uint32_t at = sketch_put(s, kind, ELM_TYPE_INT, 2);
        uint32_t mod = sketch_put(s, ELM_NODE_MOD, ELM_TYPE_INT, 2);
        sketch_operand(s, ELM_TYPE_INT, budget > 5 ? budget - 4 : 1, false, false);
        uint32_t by = 2 + sketch_below(s, sketch_chance(s, 60) ? 2 : 5);
        sketch_put_int(s, by);
        sketch_close(s, mod);
        sketch_put_int(s, sketch_below(s, sketch_chance(s, 50) ? 1 : by));
        sketch_close(s, at);
        return;
    }
    uint8_t kind = kinds[sketch_below(s, real ? 6 : ELM_COUNT(kinds))];
    uint32_t at = sketch_put(s, kind, ELM_TYPE_INT, 2);
    operands(s, type, budget > 2 ? budget - 1 : 2, false);
    sketch_close(s, at);
}

void sketch_condition(struct sketch *s, uint32_t budget)
{
    if (budget >= 7 && sketch_chance(s, 30)) {
        uint8_t kind = sketch_chance(s, 60) ? ELM_NODE_LOGIC_AND : ELM_NODE_LOGIC_OR;
        uint32_t at = sketch_put(s, kind, ELM_TYPE_INT, 2);
        sketch_comparison(s, (budget - 1) / 2);
        sketch_comparison(s, (budget - 1) / 2);
        sketch_close(s, at);
        return;
    }
    sketch_comparison(s, budget < 3 ? 3 : budget);
}

static void by_literal(struct sketch *s, uint32_t budget)
{
    static const struct { uint8_t kind, lo, hi; } forms[] = {
        {ELM_NODE_DIV, 2, 3}, {ELM_NODE_DIV, 2, 10}, {ELM_NODE_MOD, 2, 3}, {ELM_NODE_MOD, 4, 7},
        {ELM_NODE_MOD, 10, 10}, {ELM_NODE_SHL, 1, 2}, {ELM_NODE_SHR, 1, 2}, {ELM_NODE_MUL, 2, 3},
        {ELM_NODE_MUL, 4, 5}, {ELM_NODE_AND, 1, 1}, {ELM_NODE_AND, 7, 7}, {ELM_NODE_AND, 15, 15},
        {ELM_NODE_ADD, 1, 2}, {ELM_NODE_SUB, 1, 2},
    };
    uint32_t f = sketch_below(s, ELM_COUNT(forms));
    uint32_t at = sketch_put(s, forms[f].kind, ELM_TYPE_INT, 2);
    sketch_operand(s, ELM_TYPE_INT, budget - 2, false, false);
    sketch_put_int(s, forms[f].lo + (int)sketch_below(s, forms[f].hi - forms[f].lo + 1u));
    sketch_close(s, at);
}

static void math_call(struct sketch *s, uint32_t budget)
{
    static const uint8_t two[] = {12, 13}, one[] = {1, 1, 2, 4, 5, 0};    /* names of math.h */
    if (budget >= 4 && sketch_chance(s, 55)) {
        uint32_t at = sketch_put(s, ELM_NODE_CALL, ELM_TYPE_DOUBLE, 2);
        s->nodes[at].name = two[sketch_below(s, ELM_COUNT(two))];
        operands(s, ELM_TYPE_DOUBLE, budget - 1, false);
        sketch_close(s, at);
        return;
    }
    uint32_t at = sketch_put(s, ELM_NODE_CALL, ELM_TYPE_DOUBLE, 1);
    uint32_t name = one[sketch_below(s, ELM_COUNT(one))];
    s->nodes[at].name = name;
    if (name == 0) {
        /* a square root of what is never negative */
        uint32_t in = sketch_put(s, ELM_NODE_CALL, ELM_TYPE_DOUBLE, 1);
        s->nodes[in].name = 1;
        sketch_operand(s, ELM_TYPE_DOUBLE, budget > 3 ? budget - 2 : 1, false, false);
        sketch_close(s, in);
    } else {
        sketch_operand(s, ELM_TYPE_DOUBLE, budget - 1, false, false);
    }
    sketch_close(s, at);
}

static void choice(struct sketch *s, uint8_t type, uint32_t budget)
{
    uint32_t at = sketch_put(s, ELM_NODE_COND, type, 3), part = (budget - 1) / 3;
    sketch_condition(s, part < 3 ? 3 : part);
    uint32_t rest = budget > part + 1 ? budget - part - 1 : 2;
    uint32_t a = s->count;
    sketch_operand(s, type, rest / 2, true, false);
    uint32_t b = s->count;
    sketch_operand(s, type, rest - rest / 2, true, false);
    if (!s->full && elm_edit_same(&s->nodes[a], &s->nodes[b], s->nodes[a].size)) {
        s->count = b;
        sketch_put_literal(s, type, true);
    }
    sketch_close(s, at);
}

static void arithmetic(struct sketch *s, uint8_t type, uint32_t budget)
{
    static const uint8_t ints[] = {ELM_NODE_ADD, ELM_NODE_ADD, ELM_NODE_ADD, ELM_NODE_SUB,
                                   ELM_NODE_SUB, ELM_NODE_MUL, ELM_NODE_MUL};
    static const uint8_t bits[] = {ELM_NODE_AND, ELM_NODE_OR, ELM_NODE_XOR};
    uint8_t kind = ints[sketch_below(s, ELM_COUNT(ints))];
    if (type == ELM_TYPE_INT && sketch_chance(s, 10))
        kind = bits[sketch_below(s, ELM_COUNT(bits))];
    uint32_t at = sketch_put(s, kind, type, 2);
    operands(s, type, budget - 1, kind == ELM_NODE_SUB && sketch_chance(s, 25));
    sketch_close(s, at);
}

static void unary(struct sketch *s, uint8_t type, uint32_t budget)
{
    bool absolute = type == ELM_TYPE_INT && sketch_chance(s, 60);
    uint32_t at = sketch_put(s, absolute ? ELM_NODE_CALL : ELM_NODE_NEG, type, 1);
    if (absolute)
        s->nodes[at].name = 18;          /* abs */
    sketch_operand(s, type, budget - 1, false, false);
    sketch_close(s, at);
}

void sketch_value(struct sketch *s, uint8_t type, uint32_t budget)
{
    uint32_t form = sketch_below(s, 100);
    if (budget < 2 || (budget < 3 && form < 60)) {
        sketch_leaf(s, type, true, false);
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
        uint32_t at = sketch_put(s, ELM_NODE_DIV, type, 2);
        sketch_operand(s, type, budget - 2, false, false);
        sketch_put_literal(s, type, false);
        sketch_close(s, at);
    } else if (type == ELM_TYPE_INT && form < 97) {
        sketch_comparison(s, budget);
    } else {
        arithmetic(s, type, budget);
    }
}

