/* compile_expression: values into slots, and conditions into jumps. */
#include "code/compile.h"

#include <string.h>

/* Moves or converts a value of `from` into a slot that holds `to`. */
static uint32_t convert(struct compiler *c, uint32_t slot, uint8_t from, uint8_t to, uint32_t want)
{
    if (is_double(from) != is_double(to)) {
        uint32_t into = vmc_target(c, want);
        vmc_emit(c, is_double(to) ? VM_TO_D : VM_TO_I, into, slot, 0);
        return into;
    }
    if (want != ANY && want != slot)
        vmc_emit(c, VM_MOVE, want, slot, 0);
    return want == ANY ? slot : want;
}

/* The value of `at` as `type`. A literal converts for nothing. */
uint32_t vmc_typed(struct compiler *c, uint32_t at, uint8_t type, uint32_t want)
{
    const struct elm_node *n = node(c, at);
    if (n->type == type || (is_double(n->type) == is_double(type)))
        return vmc_expression(c, at, want);
    if (n->kind == ELM_NODE_INT && !c->options->trace) {
        uint32_t slot = vmc_constant(c, (union elm_value){.d = (double)n->i});
        return convert(c, slot, type, type, want);
    }
    return convert(c, vmc_expression(c, at, ANY), n->type, type, want);
}

static uint32_t variable(struct compiler *c, uint32_t at, uint32_t want)
{
    const struct local *v = vmc_find(c, node(c, at)->name);
    bool scalar = v->type == ELM_TYPE_INT || v->type == ELM_TYPE_DOUBLE;
    if (scalar && !vmc_is_set(c, v->slot))
        vmc_emit(c, VM_CHECK, v->slot, 0, 0);
    if (want != ANY && want != v->slot)
        vmc_emit(c, VM_MOVE, want, v->slot, 0);
    return want == ANY ? v->slot : want;
}

/* An element's address: the array's slot and the slot (or two) of its index. */
static void address(struct compiler *c, uint32_t at, uint32_t *array, uint32_t *index)
{
    const struct elm_node *n = node(c, at);
    *array = vmc_find(c, n->name)->slot;
    if (n->kids == 1) {
        *index = vmc_expression(c, at + 1, ANY);
        return;
    }
    uint32_t first = vmc_temp(c), second = vmc_temp(c);
    vmc_expression(c, at + 1, first);
    vmc_expression(c, after(c, at + 1), second);
    *index = first;
}

static uint32_t load(struct compiler *c, uint32_t at, uint32_t array, uint32_t index,
                     uint32_t want)
{
    uint32_t into = vmc_target(c, want);
    vmc_emit(c, node(c, at)->kids == 2 ? VM_LOAD2 : VM_LOAD, into, array, index);
    return into;
}

static enum vm_op int_op(uint8_t kind)
{
    static const uint8_t of[] = {
        VM_ADD_I, VM_SUB_I, VM_MUL_I, VM_DIV_I, VM_MOD_I, VM_AND_I, VM_OR_I, VM_XOR_I, VM_SHL_I,
        VM_SHR_I, VM_EQ_I,  VM_NE_I,  VM_LT_I,  VM_LE_I,  VM_LT_I,  VM_LE_I,
    };
    return of[kind - ELM_NODE_ADD];
}

static enum vm_op real_op(uint8_t kind)
{
    switch (kind) {
    case ELM_NODE_ADD: return VM_ADD_D;
    case ELM_NODE_SUB: return VM_SUB_D;
    case ELM_NODE_MUL: return VM_MUL_D;
    case ELM_NODE_DIV: return VM_DIV_D;
    case ELM_NODE_EQ: return VM_EQ_D;
    case ELM_NODE_NE: return VM_NE_D;
    case ELM_NODE_LT: case ELM_NODE_GT: return VM_LT_D;
    default: return VM_LE_D;
    }
}

static uint8_t common_type(uint8_t a, uint8_t b)
{
    return is_double(a) || is_double(b) ? ELM_TYPE_DOUBLE : ELM_TYPE_INT;
}

static void operate(struct compiler *c, uint8_t kind, uint8_t type, uint32_t into, uint32_t left,
                    uint32_t right)
{
    bool swapped = kind == ELM_NODE_GT || kind == ELM_NODE_GE;
    vmc_emit(c, is_double(type) ? real_op(kind) : int_op(kind), into, swapped ? right : left,
         swapped ? left : right);
}

/* A variable read first must keep its value while the other operand is computed, should that
 * one write to it. */
static bool writes(const struct compiler *c, uint32_t at)
{
    const struct elm_node *n = node(c, at);
    for (const struct elm_node *k = n; k < n + n->size; k++) {
        if (k->kind >= ELM_NODE_ASSIGN)
            return true;
    }
    return false;
}

static uint32_t binary(struct compiler *c, uint32_t at, uint32_t want)
{
    const struct elm_node *n = node(c, at);
    uint32_t right_at = after(c, at + 1), temps = c->temps;
    uint8_t type = common_type(node(c, at + 1)->type, node(c, right_at)->type);
    uint32_t keep = node(c, at + 1)->kind == ELM_NODE_VAR && writes(c, right_at) ? vmc_temp(c) : ANY;
    uint32_t left = vmc_typed(c, at + 1, type, keep);
    uint32_t right = vmc_typed(c, right_at, type, ANY);
    c->temps = temps;
    uint32_t into = vmc_target(c, want);
    operate(c, n->kind, type, into, left, right);
    vmc_step(c);
    return into;
}

static void logic_condition(struct compiler *c, uint32_t at, bool when, uint32_t *jumps,
                            uint32_t *count, uint32_t max);

/* && and || as values: 1 or 0 by the way control takes. */
static uint32_t logic(struct compiler *c, uint32_t at, uint32_t want)
{
    uint32_t into = vmc_target(c, want), jumps[64], count = 0;
    vmc_step(c);
    logic_condition(c, at, false, jumps, &count, ELM_COUNT(jumps));
    vmc_emit(c, VM_MOVE, into, vmc_int_constant(c, 1), 0);
    uint32_t over = vmc_emit(c, VM_JUMP, 0, 0, 0);
    for (uint32_t i = 0; i < count; i++)
        vmc_patch(c, jumps[i], vmc_here(c));
    vmc_emit(c, VM_MOVE, into, vmc_int_constant(c, 0), 0);
    vmc_patch(c, over, vmc_here(c));
    return into;
}

static uint32_t ternary(struct compiler *c, uint32_t at, uint32_t want)
{
    const struct elm_node *n = node(c, at);
    uint32_t into = vmc_target(c, want), temps = c->temps, jumps[64], count = 0;
    uint32_t then = after(c, at + 1), other = after(c, then);
    vmc_condition(c, at + 1, false, jumps, &count, ELM_COUNT(jumps));
    uint64_t before[ELM_COUNT(c->assigned)], after_then[ELM_COUNT(c->assigned)];
    memcpy(before, c->assigned, sizeof(before));
    vmc_typed(c, then, n->type, into);
    vmc_step(c);
    uint32_t over = vmc_emit(c, VM_JUMP, 0, 0, 0);
    memcpy(after_then, c->assigned, sizeof(before));
    memcpy(c->assigned, before, sizeof(before));
    for (uint32_t i = 0; i < count; i++)
        vmc_patch(c, jumps[i], vmc_here(c));
    vmc_typed(c, other, n->type, into);
    vmc_step(c);
    vmc_patch(c, over, vmc_here(c));
    for (size_t i = 0; i < ELM_COUNT(before); i++)
        c->assigned[i] &= after_then[i];
    c->temps = temps;
    return into;
}

/* Stores `slot` (of the lvalue's own type) into the lvalue at `at`. */
static void store(struct compiler *c, uint32_t at, uint32_t array, uint32_t index, uint32_t slot)
{
    const struct elm_node *n = node(c, at);
    if (n->kind == ELM_NODE_INDEX) {
        vmc_emit(c, n->kids == 2 ? VM_STORE2 : VM_STORE, slot, array, index);
        return;
    }
    const struct local *v = vmc_find(c, n->name);
    if (slot != v->slot)
        vmc_emit(c, VM_MOVE, v->slot, slot, 0);
    vmc_mark_set(c, v->slot, true);
}

static uint32_t assign(struct compiler *c, uint32_t at, uint32_t want)
{
    uint32_t place = at + 1, value_at = after(c, place), array = 0, index = 0, slot;
    uint8_t type = node(c, place)->type;
    if (node(c, place)->kind == ELM_NODE_INDEX) {
        address(c, place, &array, &index);
        slot = vmc_typed(c, value_at, type, ANY);
        store(c, place, array, index, slot);
    } else {
        const struct local *v = vmc_find(c, node(c, place)->name);
        slot = vmc_typed(c, value_at, type, v->slot);
        vmc_mark_set(c, v->slot, true);
    }
    vmc_step(c);
    if (want != ANY && want != slot)
        vmc_emit(c, VM_MOVE, want, slot, 0);
    return want == ANY ? slot : want;
}

static uint8_t plain_operator(uint8_t kind)
{
    if (kind >= ELM_NODE_PRE_INC)
        return kind == ELM_NODE_PRE_INC || kind == ELM_NODE_POST_INC ? ELM_NODE_ADD : ELM_NODE_SUB;
    return (uint8_t)(ELM_NODE_ADD + (kind - ELM_NODE_ADD_ASSIGN));
}

/* x += v, x++ and their like. */
static uint32_t update(struct compiler *c, uint32_t at, uint32_t want)
{
    const struct elm_node *n = node(c, at);
    uint32_t place = at + 1, array = 0, index = 0, old, right;
    uint8_t own = node(c, place)->type, kind = plain_operator(n->kind);
    bool by_one = n->kind >= ELM_NODE_PRE_INC;
    bool post = n->kind == ELM_NODE_POST_INC || n->kind == ELM_NODE_POST_DEC;
    uint8_t type = by_one ? own : common_type(own, node(c, after(c, place))->type);
    bool element = node(c, place)->kind == ELM_NODE_INDEX;
    if (element) {
        address(c, place, &array, &index);
        old = load(c, place, array, index, ANY);
    } else {
        bool keep = !by_one && writes(c, after(c, place));
        old = variable(c, place, keep ? vmc_temp(c) : ANY);
    }
    if (by_one)
        right = is_double(own) ? vmc_constant(c, (union elm_value){.d = 1}) : vmc_int_constant(c, 1);
    else
        right = vmc_typed(c, after(c, place), type, ANY);
    uint32_t kept = ANY;
    if (post) {
        kept = vmc_target(c, want);
        vmc_emit(c, VM_MOVE, kept, old, 0);
    }
    uint32_t left = convert(c, old, own, type, ANY);
    bool direct = !element && is_double(type) == is_double(own);
    uint32_t result = direct ? old : vmc_temp(c);
    operate(c, kind, type, result, left, right);
    result = convert(c, result, type, own, ANY);
    store(c, place, array, index, result);
    vmc_step(c);
    if (post)
        return kept;
    if (want != ANY && want != result)
        vmc_emit(c, VM_MOVE, want, result, 0);
    return want == ANY ? result : want;
}

static uint32_t call_math(struct compiler *c, uint32_t at, uint32_t want)
{
    const struct elm_node *n = node(c, at);
    uint32_t temps = c->temps;
    if (n->type == ELM_TYPE_INT) {
        uint32_t value = vmc_typed(c, at + 1, ELM_TYPE_INT, ANY);
        c->temps = temps;
        uint32_t into = vmc_target(c, want);
        vmc_emit(c, VM_ABS_I, into, value, 0);
        vmc_step(c);
        return into;
    }
    uint32_t first = ANY;
    if (n->kids == 2) {
        first = vmc_temp(c);
        uint32_t second = vmc_temp(c);
        vmc_typed(c, at + 1, ELM_TYPE_DOUBLE, first);
        vmc_typed(c, after(c, at + 1), ELM_TYPE_DOUBLE, second);
    } else {
        first = vmc_typed(c, at + 1, ELM_TYPE_DOUBLE, ANY);
    }
    c->temps = temps;
    uint32_t into = vmc_target(c, want);
    vmc_emit(c, n->kids == 2 ? VM_MATH2 : VM_MATH1, into, first, n->name);
    vmc_step(c);
    return into;
}

static uint32_t call(struct compiler *c, uint32_t at, uint32_t want)
{
    const struct elm_node *n = node(c, at);
    uint32_t f = 0;
    while (f <= c->function_count && node(c, c->function_at[f])->name != n->name)
        f++;
    if (f > c->function_count)
        return call_math(c, at, want);
    /* the callee's frame begins at the first argument, above every temporary in use */
    uint32_t into = vmc_target(c, want), temps = c->temps, kid = at + 1;
    uint32_t frame = c->local_slots + c->temps;
    for (uint16_t i = 0; i < n->kids; i++) {
        uint32_t slot = vmc_temp(c);
        vmc_typed(c, kid, node(c, c->function_at[f] + 1 + i)->type, slot);
        c->temps = slot - c->local_slots + 1;
        kid = after(c, kid);
    }
    vmc_step(c);
    vmc_emit(c, VM_CALL, into, f, frame);
    c->temps = temps;
    return into;
}

static uint32_t unary(struct compiler *c, uint32_t at, uint32_t want)
{
    const struct elm_node *n = node(c, at);
    uint32_t temps = c->temps;
    uint8_t type = node(c, at + 1)->type;
    bool cast = n->kind == ELM_NODE_TO_INT || n->kind == ELM_NODE_TO_DOUBLE;
    /* a cast to its own type leaves the value where it is, a temporary perhaps */
    if (cast && type == n->type) {
        vmc_step(c);
        return vmc_expression(c, at + 1, want);
    }
    uint32_t value = vmc_expression(c, at + 1, ANY);
    c->temps = temps;
    vmc_step(c);
    if (cast)
        return convert(c, value, type, n->type, want);
    uint32_t into = vmc_target(c, want);
    enum vm_op op = VM_NOT_I;
    if (n->kind == ELM_NODE_NEG)
        op = is_double(type) ? VM_NEG_D : VM_NEG_I;
    else if (n->kind == ELM_NODE_NOT)
        op = is_double(type) ? VM_ZERO_D : VM_ZERO_I;
    vmc_emit(c, op, into, value, 0);
    return into;
}

static uint32_t evaluate(struct compiler *c, uint32_t at, uint32_t want)
{
    const struct elm_node *n = node(c, at);
    switch (n->kind) {
    case ELM_NODE_INT:
    case ELM_NODE_REAL: {
        uint32_t slot = vmc_constant(c, (union elm_value){.i = n->i});
        return convert(c, slot, n->type, n->type, want);
    }
    case ELM_NODE_VAR:
        return variable(c, at, want);
    case ELM_NODE_INDEX: {
        uint32_t array, index, temps = c->temps;
        address(c, at, &array, &index);
        c->temps = temps;
        vmc_step(c);
        return load(c, at, array, index, want);
    }
    case ELM_NODE_CALL:
        return call(c, at, want);
    case ELM_NODE_COND:
        return ternary(c, at, want);
    case ELM_NODE_LOGIC_AND:
    case ELM_NODE_LOGIC_OR:
        return logic(c, at, want);
    case ELM_NODE_ASSIGN:
        return assign(c, at, want);
    default:
        if (n->kind >= ELM_NODE_ADD_ASSIGN)
            return update(c, at, want);
        return n->kind >= ELM_NODE_ADD ? binary(c, at, want) : unary(c, at, want);
    }
}

uint32_t vmc_expression(struct compiler *c, uint32_t at, uint32_t want)
{
    if (at == c->options->snap_at) {
        for (uint32_t i = 0; i < c->options->symbol_count; i++) {
            const struct elm_symbol *s = &c->options->symbols[i];
            bool scalar = s->type == ELM_TYPE_INT || s->type == ELM_TYPE_DOUBLE;
            c->options->snap_slots[i] = scalar ? (uint16_t)vmc_find(c, s->name)->slot : UINT16_MAX;
        }
        vmc_emit(c, VM_SNAP, 0, 0, 0);
    }
    uint32_t slot = evaluate(c, at, want);
    uint8_t type = node(c, at)->type;
    if (c->options->trace && (type == ELM_TYPE_INT || type == ELM_TYPE_DOUBLE))
        vmc_emit(c, VM_TRACE, slot, at & 0xffff, at >> 16);
    return slot;
}

/* ---- conditions: jumps taken when the value's truth is not `when` ... is `when` ---- */

static void add_jump(struct compiler *c, uint32_t jump, uint32_t *jumps, uint32_t *count,
                     uint32_t max)
{
    if (*count == max)
        c->too_large = true;
    else
        jumps[(*count)++] = jump;
}

/* A comparison of ints or doubles that jumps at once, when it pays. */
static bool fused(struct compiler *c, uint32_t at, bool when, uint32_t *jumps, uint32_t *count,
                  uint32_t max)
{
    const struct elm_node *n = node(c, at);
    if (c->options->trace || at == c->options->snap_at || n->kind < ELM_NODE_EQ ||
        n->kind > ELM_NODE_GE)
        return false;
    uint32_t right_at = after(c, at + 1), temps = c->temps;
    uint8_t type = common_type(node(c, at + 1)->type, node(c, right_at)->type);
    bool real = is_double(type);
    if (real && n->kind <= ELM_NODE_NE)
        return false;
    uint32_t keep = node(c, at + 1)->kind == ELM_NODE_VAR && writes(c, right_at) ? vmc_temp(c) : ANY;
    uint32_t left = vmc_typed(c, at + 1, type, keep), right = vmc_typed(c, right_at, type, ANY);
    c->temps = temps;
    bool swap = n->kind == ELM_NODE_GT || n->kind == ELM_NODE_GE;
    uint32_t a = swap ? right : left, b = swap ? left : right;
    bool strict = n->kind == ELM_NODE_LT || n->kind == ELM_NODE_GT;
    enum vm_op op;
    if (n->kind <= ELM_NODE_NE) {
        op = (n->kind == ELM_NODE_EQ) == when ? VM_JEQ_I : VM_JNE_I;
    } else if (real) {
        op = strict ? (when ? VM_JLT_D : VM_JNLT_D) : (when ? VM_JLE_D : VM_JNLE_D);
    } else if (when) {
        op = strict ? VM_JLT_I : VM_JLE_I;
    } else {
        /* !(a < b) is b <= a */
        op = strict ? VM_JLE_I : VM_JLT_I;
        uint32_t swapped = a;
        a = b;
        b = swapped;
    }
    vmc_step(c);
    vmc_step(c);
    add_jump(c, vmc_emit(c, op, a, b, 0), jumps, count, max);
    return true;
}

static void logic_condition(struct compiler *c, uint32_t at, bool when, uint32_t *jumps,
                            uint32_t *count, uint32_t max)
{
    bool is_and = node(c, at)->kind == ELM_NODE_LOGIC_AND;
    uint32_t right = after(c, at + 1);
    uint64_t before[ELM_COUNT(c->assigned)];
    if (is_and != when) {
        /* either side alone decides */
        vmc_condition(c, at + 1, when, jumps, count, max);
        memcpy(before, c->assigned, sizeof(before));
        vmc_condition(c, right, when, jumps, count, max);
    } else {
        uint32_t over[64], over_count = 0;
        vmc_condition(c, at + 1, !when, over, &over_count, ELM_COUNT(over));
        memcpy(before, c->assigned, sizeof(before));
        vmc_condition(c, right, when, jumps, count, max);
        for (uint32_t i = 0; i < over_count; i++)
            vmc_patch(c, over[i], vmc_here(c));
    }
    /* what the right side sets may never run */
    memcpy(c->assigned, before, sizeof(before));
}

void vmc_condition(struct compiler *c, uint32_t at, bool when, uint32_t *jumps, uint32_t *count,
                   uint32_t max)
{
    const struct elm_node *n = node(c, at);
    bool plain = c->options->trace || at == c->options->snap_at;
    if (n->kind == ELM_NODE_NOT && !plain) {
        vmc_step(c);
        vmc_condition(c, at + 1, !when, jumps, count, max);
        return;
    }
    if ((n->kind == ELM_NODE_LOGIC_AND || n->kind == ELM_NODE_LOGIC_OR) && !plain) {
        /* the value and the jump, as `logic` and the jump on its value take */
        vmc_step(c);
        vmc_step(c);
        logic_condition(c, at, when, jumps, count, max);
        return;
    }
    if (fused(c, at, when, jumps, count, max))
        return;
    uint32_t temps = c->temps, slot = vmc_expression(c, at, ANY);
    c->temps = temps;
    vmc_step(c);
    bool real = is_double(n->type);
    enum vm_op op = when ? (real ? VM_JNZ_D : VM_JNZ_I) : (real ? VM_JZ_D : VM_JZ_I);
    add_jump(c, vmc_emit(c, op, slot, 0, 0), jumps, count, max);
}
