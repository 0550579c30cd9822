/*
 * nano_features: what the runs say of each node, as numbers: its values and the values wanted, and
 * the share of cases in which another name, operator, operand or constant would meet the want.
 */
#include "model/nano.h"

#include <string.h>

#define SHOWN 4                  /* cases whose values are told one by one */
#define PER_CASE 30
#define SLOTS_TRIED 16

enum {
    AT_SHARES = SHOWN * PER_CASE,        /* with a want, met */
    AT_LITERAL = AT_SHARES + 4,
    AT_SLOTS = AT_LITERAL + NANO_NUMBER_FEATURES,
    AT_OPERATORS = AT_SLOTS + SLOTS_TRIED,
    AT_SWAPPED = AT_OPERATORS + (ELM_NODE_LOGIC_OR - ELM_NODE_ADD + 1),
    AT_KIDS = AT_SWAPPED + 1,
    AT_CONSTANTS = AT_KIDS + 3,
    AT_USUAL = AT_CONSTANTS + 4,
    AT_USUAL_SHARE = AT_USUAL + NANO_NUMBER_FEATURES,
    AT_NEAR = AT_USUAL_SHARE + 1,        /* value + 1, - 1, negated, not */
    AT_ALL = AT_NEAR + 4,
    AT_PAIRS = AT_ALL + 3,               /* two of + - * at once, the second in either operand */
    AT_READS = AT_PAIRS + 2 * 9,         /* uses of what it names or declares: none; how many */
    AT_END = AT_READS + 2,
};
_Static_assert(AT_END <= NANO_NODE_FEATURES, "room for the features of a node");

struct node {
    const struct elm_tape *tape;
    const struct elm_tree *tree;
    uint32_t at, count;          /* cases with a want */
    uint32_t events[NANO_CASES];
    float *out;
    float share;                 /* of one case */
};

static const struct elm_want *want(const struct node *n, uint32_t k)
{
    return &n->tape->wants[n->events[k]];
}

static void add_value(float *f, const struct elm_tape_event *e, const struct elm_want *w)
{
    union elm_value v = {.i = 0};
    bool real = false;
    nano_number(e->value, e->real, f);
    f += NANO_NUMBER_FEATURES;
    uint32_t kind = w->kind - (w->kind < ELM_WANT_RESIDUE ? 1u : 2u);
    if (w->kind == ELM_WANT_BITS && w->mask != UINT32_MAX)
        kind = 7;
    if (w->kind != ELM_WANT_NONE && kind < 8)
        f[kind] = 1;
    f += 8;
    switch (w->kind) {
    case ELM_WANT_BITS: case ELM_WANT_THROUGH: v.i = (int32_t)w->value; break;
    case ELM_WANT_RESIDUE: v.i = w->lo; break;
    case ELM_WANT_RANGE: v.i = w->lo == INT32_MIN ? w->hi : w->lo; break;
    case ELM_WANT_DIFFER: v.i = w->lo; break;
    case ELM_WANT_REAL: case ELM_WANT_REAL_RANGE: case ELM_WANT_REAL_DIFFER:
        v.d = w->d[0] - w->d[0] == 0 ? w->d[0] : w->d[1] - w->d[1] == 0 ? w->d[1] : 0;
        real = true;
        break;
    default: break;
    }
    if (w->kind > ELM_WANT_NEVER)
        nano_number(v, real, f);
    f += NANO_NUMBER_FEATURES;
    f[0] = elm_want_met(w, e->value);
    f[1] = 1;
}

static union elm_value as(union elm_value v, bool was_real, bool real)
{
    if (was_real == real)
        return v;
    return real ? (union elm_value){.d = (double)v.i} : (union elm_value){.i = (int64_t)v.d};
}

static void try_value(struct node *n, uint32_t feature, uint32_t k, union elm_value v, bool real)
{
    bool wanted = n->tape->events[n->events[k]].real;
    if (real && !wanted)
        return;
    if (elm_want_met(want(n, k), as(v, real, wanted)))
        n->out[feature] += n->share;
}

static void add_slots(struct node *n, const struct nano_program *p)
{
    struct elm_symbol symbols[SLOTS_TRIED];
    uint32_t count = nano_scope(p, n->at, symbols, SLOTS_TRIED);
    for (uint32_t s = 0; s < count; s++) {
        bool real = symbols[s].type == ELM_TYPE_DOUBLE;
        if (!real && symbols[s].type != ELM_TYPE_INT)
            continue;
        for (uint32_t k = 0; k < n->count; k++) {
            union elm_value v;
            if (elm_tape_value(n->tape, n->events[k], symbols[s].declared_at, 0, 0, &v))
                try_value(n, AT_SLOTS + s, k, v, real);
        }
    }
}

static void add_operators(struct node *n, uint32_t k)
{
    const struct elm_tape_event *e = &n->tape->events[n->events[k]], *a, *b;
    if (e->form != ELM_TAPE_COMPUTE || e->from[0] == 0)
        return;
    a = &n->tape->events[e->from[0]];
    try_value(n, AT_KIDS, k, a->value, a->real);
    if (e->from[1] == 0)
        return;
    b = &n->tape->events[e->from[1]];
    try_value(n, AT_KIDS + 1, k, b->value, b->real);
    bool real = a->real || b->real;
    union elm_value x = as(a->value, a->real, real), y = as(b->value, b->real, real), v;
    for (uint32_t op = ELM_NODE_ADD; op <= ELM_NODE_LOGIC_OR; op++) {
        bool truth = op >= ELM_NODE_EQ;
        if (op >= ELM_NODE_LOGIC_AND) {
            bool left = real ? x.d != 0 : x.i != 0, right = real ? y.d != 0 : y.i != 0;
            v.i = op == ELM_NODE_LOGIC_AND ? left && right : left || right;
        } else if (!elm_value_apply((uint8_t)op, real, x, y, &v)) {
            continue;
        }
        try_value(n, AT_OPERATORS + op - ELM_NODE_ADD, k, v, real && !truth);
    }
}

static void add_swapped(struct node *n, uint32_t k, uint8_t op)
{
    const struct elm_tape_event *e = &n->tape->events[n->events[k]];
    union elm_value v;
    if (e->form != ELM_TAPE_COMPUTE || e->from[0] == 0 || e->from[1] == 0)
        return;
    const struct elm_tape_event *a = &n->tape->events[e->from[0]];
    const struct elm_tape_event *b = &n->tape->events[e->from[1]];
    bool real = a->real || b->real;
    if (elm_value_apply(op, real, as(b->value, b->real, real), as(a->value, a->real, real), &v))
        try_value(n, AT_SWAPPED, k, v, real && op < ELM_NODE_EQ);
}

static bool is_sum_or_product(const struct node *n, const struct elm_tape_event *e)
{
    uint8_t kind = n->tree->nodes[e->node].kind;
    return e->form == ELM_TAPE_COMPUTE && kind >= ELM_NODE_ADD && kind <= ELM_NODE_MUL;
}

/* Of two wrong operators, one in an operand of the other, neither is mended alone. */
static void add_pairs(struct node *n, uint32_t k)
{
    const struct elm_tape_event *e = &n->tape->events[n->events[k]], *kids[2];
    if (!is_sum_or_product(n, e))
        return;
    for (uint32_t side = 0; side < 2; side++)
        kids[side] = &n->tape->events[e->from[side]];
    for (uint32_t side = 0; side < 2; side++) {
        const struct elm_tape_event *kid = kids[side], *a = &n->tape->events[kid->from[0]],
                                    *b = &n->tape->events[kid->from[1]];
        if (!is_sum_or_product(n, kid) || kid->node <= e->node ||
            kid->node >= e->node + n->tree->nodes[e->node].size)
            continue;
        for (uint32_t op = 0; op < 9; op++) {
            union elm_value v, both[2] = {kids[0]->value, kids[1]->value};
            elm_value_apply((uint8_t)(ELM_NODE_ADD + op / 3), kid->real,
                            as(a->value, a->real, kid->real), as(b->value, b->real, kid->real), &v);
            both[side] = v;
            for (uint32_t i = 0; i < 2; i++)
                both[i] = as(both[i], kids[i]->real, e->real);
            elm_value_apply((uint8_t)(ELM_NODE_ADD + op % 3), e->real, both[0], both[1], &v);
            try_value(n, AT_PAIRS + 9 * side + op, k, v, e->real);
        }
    }
}

static void add_near(struct node *n, uint32_t k)
{
    static const int8_t constants[4] = {-1, 0, 1, 2};
    const struct elm_tape_event *e = &n->tape->events[n->events[k]];
    union elm_value v = e->value;
    for (uint32_t c = 0; c < 4; c++)
        try_value(n, AT_CONSTANTS + c, k, (union elm_value){.i = constants[c]}, false);
    if (e->real) {
        try_value(n, AT_NEAR, k, (union elm_value){.d = v.d + 1}, true);
        try_value(n, AT_NEAR + 1, k, (union elm_value){.d = v.d - 1}, true);
        try_value(n, AT_NEAR + 2, k, (union elm_value){.d = -v.d}, true);
        return;
    }
    try_value(n, AT_NEAR, k, (union elm_value){.i = v.i + 1}, false);
    try_value(n, AT_NEAR + 1, k, (union elm_value){.i = v.i - 1}, false);
    try_value(n, AT_NEAR + 2, k, (union elm_value){.i = -v.i}, false);
    try_value(n, AT_NEAR + 3, k, (union elm_value){.i = v.i == 0}, false);
}

/* The one value that most of the exact wants ask for. */
static void add_usual(struct node *n)
{
    uint32_t best = 0, best_count = 0;
    for (uint32_t k = 0; k < n->count; k++) {
        uint32_t same = 0;
        const struct elm_want *w = want(n, k);
        bool real = w->kind == ELM_WANT_REAL;
        if (!real && !(w->kind == ELM_WANT_BITS && w->mask == UINT32_MAX))
            continue;
        for (uint32_t j = 0; j < n->count; j++)
            same += elm_want_met(want(n, j), real ? (union elm_value){.d = w->d[0]}
                                                  : (union elm_value){.i = (int32_t)w->value});
        if (same > best_count) {
            best_count = same;
            best = k;
        }
    }
    if (best_count == 0)
        return;
    const struct elm_want *w = want(n, best);
    bool real = w->kind == ELM_WANT_REAL;
    union elm_value v = {.i = (int32_t)w->value};
    if (real)
        v.d = w->d[0] - w->d[0] == 0 ? w->d[0] : 0;
    nano_number(v, real, n->out + AT_USUAL);
    n->out[AT_USUAL_SHARE] = (float)best_count * n->share;
}

void nano_reads(const struct nano_program *p, struct nano_prefix *out)
{
    uint32_t reads[NANO_SLOTS] = {0};
    for (uint32_t row = 0; row < out->node_count; row++) {
        uint8_t kind = p->tree->nodes[out->at[row]].kind;
        if (out->slot[row] < NANO_SLOTS && (kind == ELM_NODE_VAR || kind == ELM_NODE_INDEX))
            reads[out->slot[row]]++;
    }
    for (uint32_t row = 0; row < out->node_count; row++) {
        float *f = out->features + (size_t)row * NANO_NODE_FEATURES + AT_READS;
        if (out->slot[row] >= NANO_SLOTS)
            continue;
        uint32_t count = reads[out->slot[row]];
        f[0] = count == 0;
        f[1] = (float)(count < 8 ? count : 8) / 4;
    }
}

void nano_features(const struct elm_tape *tape, const struct nano_program *p,
                   struct nano_prefix *out)
{
    for (uint32_t row = 0; row < out->node_count; row++) {
        struct node n = {.tape = tape, .tree = p->tree, .at = out->at[row],
                         .out = out->features + (size_t)row * NANO_NODE_FEATURES};
        const struct elm_node *node = &p->tree->nodes[n.at];
        float met = 0;
        if (node->kind == ELM_NODE_INT || node->kind == ELM_NODE_REAL)
            nano_number(node->kind == ELM_NODE_INT ? (union elm_value){.i = node->i}
                                                   : (union elm_value){.d = node->d},
                        node->kind == ELM_NODE_REAL, n.out + AT_LITERAL);
        for (uint32_t c = 0; c < tape->case_count && c < NANO_CASES; c++) {
            uint32_t e = tape->chosen[(size_t)n.at * tape->case_count + c];
            if (e == 0)
                continue;
            if (c < SHOWN)
                add_value(n.out + c * PER_CASE, &tape->events[e], &tape->wants[e]);
            met += elm_want_met(&tape->wants[e], tape->events[e].value);
            n.events[n.count++] = e;
        }
        n.out[AT_ALL] = (float)tape->failing / NANO_CASES;
        n.out[AT_ALL + 1] = tape->bits;
        if (n.count == 0)
            continue;
        n.share = 1.0f / (float)n.count;
        n.out[AT_SHARES] = (float)n.count / NANO_CASES;
        n.out[AT_SHARES + 1] = met * n.share;
        n.out[AT_SHARES + 2] = tape->wrong[n.at] > 0;
        n.out[AT_SHARES + 3] = (float)tape->wrong[n.at] / NANO_CASES;
        if (tape->wrong[n.at] == 0)
            continue;
        add_slots(&n, p);
        for (uint32_t k = 0; k < n.count; k++) {
            add_operators(&n, k);
            if (node->kind >= ELM_NODE_ADD && node->kind < ELM_NODE_LOGIC_AND)
                add_swapped(&n, k, node->kind);
            add_pairs(&n, k);
            add_near(&n, k);
        }
        add_usual(&n);
    }
}
