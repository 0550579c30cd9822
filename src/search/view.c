/* view: expressions over all cases at once, from what a tape holds at one moment of each. */
#include "elm/tape.h"

static const struct elm_column *symbol_column(struct elm_view *v, uint32_t k)
{
    struct elm_column *c = &v->columns[k];
    if (v->read[k])
        return c;
    v->read[k] = true;
    c->real = v->symbols[k].type == ELM_TYPE_DOUBLE;
    for (uint32_t i = 0; i < v->cases; i++)
        c->ok[i] = elm_tape_value(v->tape, v->events[i], v->symbols[k].declared_at, 0, 0,
                                  &c->v[i]);
    return c;
}

static uint32_t find_symbol(const struct elm_view *v, uint32_t name)
{
    uint32_t k = 0;
    while (k < v->symbol_count && v->symbols[k].name != name)
        k++;
    return k;
}

static void evaluate_element(struct elm_view *v, uint32_t k, const struct elm_column *i,
                             const struct elm_column *j, struct elm_column *out)
{
    for (uint32_t c = 0; c < v->cases; c++) {
        int64_t column = j != NULL ? j->v[c].i : 0;
        out->ok[c] = i->ok[c] && (j == NULL || j->ok[c]) &&
                     elm_tape_value(v->tape, v->events[c], v->symbols[k].declared_at, i->v[c].i,
                                    column, &out->v[c]);
    }
}

static bool evaluate_name(struct elm_view *v, const struct elm_node *n, struct elm_column *out)
{
    uint32_t k = find_symbol(v, n->name);
    if (k == v->symbol_count)
        return false;
    out->real = n->type == ELM_TYPE_DOUBLE;
    if (n->kind == ELM_NODE_VAR) {
        *out = *symbol_column(v, k);
        return true;
    }
    struct elm_column i, j;
    if (!elm_view_evaluate(v, n + 1, &i) || i.real)
        return false;
    bool two = n->kids == 2;
    if (two && (!elm_view_evaluate(v, n + 1 + n[1].size, &j) || j.real))
        return false;
    evaluate_element(v, k, &i, two ? &j : NULL, out);
    return true;
}

static void convert(const struct elm_view *v, struct elm_column *c, bool real)
{
    if (c->real == real)
        return;
    uint8_t op = real ? ELM_NODE_TO_DOUBLE : ELM_NODE_TO_INT;
    for (uint32_t i = 0; i < v->cases; i++)
        c->ok[i] = c->ok[i] && elm_value_apply(op, c->real, c->v[i], c->v[i], &c->v[i]);
    c->real = real;
}

static bool true_at(const struct elm_column *c, uint32_t i)
{
    return c->real ? c->v[i].d != 0 : c->v[i].i != 0;
}

static void combine_logic(const struct elm_view *v, bool neutral, const struct elm_column *a,
                          const struct elm_column *b, struct elm_column *out)
{
    out->real = false;
    for (uint32_t i = 0; i < v->cases; i++) {
        bool first = a->ok[i] && true_at(a, i);
        out->ok[i] = a->ok[i] && (first != neutral || b->ok[i]);
        out->v[i].i = first != neutral ? first : b->ok[i] && true_at(b, i);
    }
}

/* The loops that most of the time is spent in. False for other operators. */
static bool combine_ints(const struct elm_view *v, uint8_t op, const struct elm_column *a,
                         const struct elm_column *b, struct elm_column *out)
{
#define EACH(expression)                                          \
    for (uint32_t i = 0; i < v->cases; i++) {                     \
        int64_t x = a->v[i].i, y = b->v[i].i;                     \
        out->v[i].i = (int32_t)(uint32_t)(expression);            \
    }                                                             \
    break
    switch (op) {
    case ELM_NODE_ADD: EACH(x + y);
    case ELM_NODE_SUB: EACH(x - y);
    case ELM_NODE_MUL: EACH((uint64_t)x * (uint64_t)y);
    case ELM_NODE_AND: EACH(x & y);
    case ELM_NODE_OR: EACH(x | y);
    case ELM_NODE_XOR: EACH(x ^ y);
    case ELM_NODE_EQ: EACH(x == y);
    case ELM_NODE_NE: EACH(x != y);
    case ELM_NODE_LT: EACH(x < y);
    case ELM_NODE_LE: EACH(x <= y);
    case ELM_NODE_GT: EACH(x > y);
    case ELM_NODE_GE: EACH(x >= y);
    default: return false;
    }
#undef EACH
    out->real = false;
    for (uint32_t i = 0; i < v->cases; i++)
        out->ok[i] = a->ok[i] & b->ok[i];
    return true;
}

void elm_view_combine(const struct elm_view *v, uint8_t op, const struct elm_column *a,
                    const struct elm_column *b, struct elm_column *out)
{
    if (op == ELM_NODE_LOGIC_AND || op == ELM_NODE_LOGIC_OR) {
        combine_logic(v, op == ELM_NODE_LOGIC_AND, a, b, out);
        return;
    }
    bool real = a->real || b->real;
    if (!real && combine_ints(v, op, a, b, out))
        return;
    struct elm_column converted;
    if (a->real != b->real) {
        converted = a->real ? *b : *a;
        convert(v, &converted, true);
        a = a->real ? a : &converted;
        b = b->real ? b : &converted;
    }
    for (uint32_t i = 0; i < v->cases; i++) {
        out->ok[i] = a->ok[i] && b->ok[i] &&
                     elm_value_apply(op, real, a->v[i], b->v[i], &out->v[i]);
    }
    bool compares = op >= ELM_NODE_EQ && op <= ELM_NODE_GE;
    out->real = op == ELM_NODE_TO_DOUBLE ||
                (real && !compares && op != ELM_NODE_NOT && op != ELM_NODE_TO_INT);
}

static bool evaluate_choice(struct elm_view *v, const struct elm_node *n, struct elm_column *out)
{
    const struct elm_node *then = n + 1 + n[1].size;
    struct elm_column condition, other;
    if (!elm_view_evaluate(v, n + 1, &condition) || !elm_view_evaluate(v, then, out) ||
        !elm_view_evaluate(v, then + then->size, &other))
        return false;
    bool real = n->type == ELM_TYPE_DOUBLE;
    convert(v, out, real);
    convert(v, &other, real);
    for (uint32_t i = 0; i < v->cases; i++) {
        if (!true_at(&condition, i)) {
            out->v[i] = other.v[i];
            out->ok[i] = other.ok[i];
        }
        out->ok[i] = out->ok[i] && condition.ok[i];
    }
    return true;
}

static bool evaluate_call(struct elm_view *v, const struct elm_node *n, struct elm_column *out)
{
    int arguments;
    enum elm_type type;
    struct elm_column b;
    if (!elm_math_name(n->name, &arguments, &type) || !elm_view_evaluate(v, n + 1, out))
        return false;
    bool real = type == ELM_TYPE_DOUBLE;
    convert(v, out, real);
    b = *out;
    if (n->kids == 2 && !elm_view_evaluate(v, n + 1 + n[1].size, &b))
        return false;
    convert(v, &b, real);
    for (uint32_t i = 0; i < v->cases; i++) {
        out->ok[i] = out->ok[i] && b.ok[i];
        if (out->ok[i])
            out->v[i] = elm_value_math(n->name, out->v[i], b.v[i]);
    }
    return true;
}

bool elm_view_evaluate(struct elm_view *v, const struct elm_node *n, struct elm_column *out)
{
    struct elm_column a, b;
    switch (n->kind) {
    case ELM_NODE_INT: case ELM_NODE_REAL:
        out->real = n->kind == ELM_NODE_REAL;
        for (uint32_t i = 0; i < v->cases; i++) {
            out->v[i].i = n->i;
            out->ok[i] = true;
        }
        return true;
    case ELM_NODE_VAR: case ELM_NODE_INDEX: return evaluate_name(v, n, out);
    case ELM_NODE_CALL: return evaluate_call(v, n, out);
    case ELM_NODE_COND: return evaluate_choice(v, n, out);
    default: break;
    }
    if (n->kind >= ELM_NODE_ASSIGN || !elm_view_evaluate(v, n + 1, &a))
        return false;
    if (n->kids == 2 && !elm_view_evaluate(v, n + 1 + n[1].size, &b))
        return false;
    elm_view_combine(v, n->kind, &a, n->kids == 2 ? &b : &a, out);
    return true;
}

