/*
 * order: every use of a variable in an expression is listed, operand by operand; operands that C
 * evaluates in any order may not share a variable that one of them stores. What a function stores
 * through its parameters is known before its first call, since calls go upwards only.
 */
#include "code/order.h"

#define FUNCTIONS_MAX 64      /* of elm_tree_check */
#define STORED_BITS 64        /* parameters from the last bit on share it */

struct use {
    uint32_t name, at;
    bool stores;
    bool pending;             /* stored at some time before the end of the whole expression */
};

struct order {
    const struct elm_node *nodes;
    uint32_t functions[FUNCTIONS_MAX], function_count;
    uint64_t stored[FUNCTIONS_MAX];      /* bit i: through parameter i */
    struct use uses[ELM_NODES_MAX];
    uint32_t count;
    uint32_t open;                       /* the answer */
};

static bool is_array(uint8_t type)
{
    return type == ELM_TYPE_INT_ARRAY || type == ELM_TYPE_DOUBLE_ARRAY;
}

/* The number of a function of the file; UINT32_MAX for one of math.h. */
static uint32_t callee(const struct order *o, uint32_t name)
{
    for (uint32_t i = 0; i < o->function_count; i++) {
        if (o->nodes[o->functions[i]].name == name)
            return i;
    }
    return UINT32_MAX;
}

static bool stores_argument(const struct order *o, uint32_t function, uint32_t k)
{
    k = k < STORED_BITS ? k : STORED_BITS - 1;
    return function != UINT32_MAX && (o->stored[function] >> k & 1) != 0;
}

/* ---- what functions store ---- */

/* Bit of the parameter of that name. A local that hides it is taken for it. */
static uint64_t parameter_bit(const struct elm_node *function, uint32_t name)
{
    for (uint32_t i = 0; i + 1 < function->kids; i++) {
        if (function[1 + i].name == name)
            return 1ull << (i < STORED_BITS ? i : STORED_BITS - 1);
    }
    return 0;
}

static uint64_t stored_by_call(const struct order *o, const struct elm_node *function,
                               const struct elm_node *call)
{
    uint32_t called = callee(o, call->name);
    const struct elm_node *argument = call + 1;
    uint64_t bits = 0;
    for (uint32_t k = 0; k < call->kids; k++, argument += argument->size) {
        if (is_array(argument->type) && stores_argument(o, called, k))
            bits |= parameter_bit(function, argument->name);
    }
    return bits;
}

/* Again as long as there is more: a function may call itself. */
static void add_function(struct order *o, uint32_t at)
{
    const struct elm_node *function = &o->nodes[at];
    uint32_t f = o->function_count++;
    uint64_t before;
    o->functions[f] = at;
    o->stored[f] = 0;
    do {
        before = o->stored[f];
        for (const struct elm_node *n = function; n < function + function->size; n++) {
            if (n->kind >= ELM_NODE_ASSIGN && n[1].kind == ELM_NODE_INDEX)
                o->stored[f] |= parameter_bit(function, n[1].name);
            else if (n->kind == ELM_NODE_CALL)
                o->stored[f] |= stored_by_call(o, function, n);
        }
    } while (o->stored[f] != before);
}

/* ---- one expression ---- */

static void add_use(struct order *o, uint32_t at, bool stores, bool pending)
{
    o->uses[o->count++] = (struct use){o->nodes[at].name, at, stores, pending};
}

/* Uses [first, middle) and [middle, count) come in any order. */
static void clash(struct order *o, uint32_t first, uint32_t middle)
{
    for (uint32_t i = first; i < middle && o->open == UINT32_MAX; i++) {
        const struct use *a = &o->uses[i];
        for (uint32_t k = middle; k < o->count && o->open == UINT32_MAX; k++) {
            const struct use *b = &o->uses[k];
            if (a->name == b->name && (a->stores || b->stores))
                o->open = b->at;
        }
    }
}

/* The variable of node `at` is used after the values of uses from `first` on are known, though not
 * after what they store is stored. */
static void clash_pending(struct order *o, uint32_t first, uint32_t at)
{
    for (uint32_t i = first; i < o->count && o->open == UINT32_MAX; i++) {
        if (o->uses[i].pending && o->uses[i].name == o->nodes[at].name)
            o->open = at;
    }
}

/* A sequence point. */
static void settle(struct order *o, uint32_t first)
{
    for (uint32_t i = first; i < o->count; i++)
        o->uses[i].pending = false;
}

static void expression(struct order *o, uint32_t at);

/* Siblings that come in any order. */
static void operands(struct order *o, uint32_t kid, uint32_t kids)
{
    uint32_t first = o->count;
    for (uint32_t i = 0; i < kids; i++, kid += o->nodes[kid].size) {
        uint32_t middle = o->count;
        expression(o, kid);
        clash(o, first, middle);
    }
}

/* The body comes after all arguments, and is over before the value is there. */
static void call(struct order *o, uint32_t at)
{
    const struct elm_node *n = &o->nodes[at];
    uint32_t first = o->count, kid = at + 1, called = callee(o, n->name);
    operands(o, kid, n->kids);
    settle(o, first);
    for (uint32_t k = 0; k < n->kids; k++, kid += o->nodes[kid].size) {
        if (is_array(o->nodes[kid].type))
            add_use(o, kid, stores_argument(o, called, k), false);
    }
}

/* Assignments, ++ and --. */
static void store(struct order *o, uint32_t at)
{
    const struct elm_node *n = &o->nodes[at];
    uint32_t first = o->count, target = at + 1;
    operands(o, target + 1, o->nodes[target].kids);
    if (n->kids == 2) {
        if (n->kind != ELM_NODE_ASSIGN)
            add_use(o, target, false, false);
        uint32_t middle = o->count;
        expression(o, target + o->nodes[target].size);
        clash(o, first, middle);
    }
    clash_pending(o, first, target);
    add_use(o, target, true, true);
}

static void expression(struct order *o, uint32_t at)
{
    const struct elm_node *n = &o->nodes[at];
    uint32_t first = o->count, second = at + 1 + (n->kids > 0 ? n[1].size : 0);
    switch (n->kind) {
    case ELM_NODE_INT: case ELM_NODE_REAL:
        return;
    case ELM_NODE_VAR:
        /* a whole array is read by who is called with it */
        if (!is_array(n->type))
            add_use(o, at, false, false);
        return;
    case ELM_NODE_INDEX:
        operands(o, at + 1, n->kids);
        clash_pending(o, first, at);
        add_use(o, at, false, false);
        return;
    case ELM_NODE_CALL:
        call(o, at);
        return;
    case ELM_NODE_LOGIC_AND: case ELM_NODE_LOGIC_OR:
        /* without a second operand evaluated there is no sequence point */
        expression(o, at + 1);
        expression(o, second);
        return;
    case ELM_NODE_COND:
        expression(o, at + 1);
        settle(o, first);
        expression(o, second);
        expression(o, second + o->nodes[second].size);
        return;
    default:
        if (n->kind >= ELM_NODE_ASSIGN)
            store(o, at);
        else
            operands(o, at + 1, n->kids);
    }
}

uint32_t order_open(const struct elm_node *nodes)
{
    struct order o;
    o.nodes = nodes;
    o.function_count = 0;
    o.open = UINT32_MAX;
    for (uint32_t at = 1; at < nodes[0].size && o.open == UINT32_MAX;) {
        const struct elm_node *n = &nodes[at];
        bool whole = n->kind >= ELM_NODE_INT || n->kind == ELM_NODE_INIT_LIST;
        if (n->kind == ELM_NODE_FUNCTION)
            add_function(&o, at);
        if (whole) {
            o.count = 0;
            expression(&o, at);
        }
        at += whole ? n->size : 1;
    }
    return o.open;
}
