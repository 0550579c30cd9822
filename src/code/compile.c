/*
 * compile: a checked tree to a code block, in one pass. Locals have fixed slots, temporaries are a
 * stack above them; constants sit in slots, loaded when a function is entered.
 */
#include "code/vm.h"

#include <stdlib.h>
#include <string.h>

#define LOCALS_MAX 512
#define CONSTANTS_MAX 512
#define FUNCTIONS_MAX 64
#define INSTRUCTIONS_MAX INT16_MAX
#define ANY UINT32_MAX

struct local {
    uint32_t name, slot, declared_at;
    uint8_t type;
};

struct loop {
    uint32_t breaks[128], continues[128];
    uint32_t break_count, continue_count;
    struct loop *outer;
};

struct compiler {
    const struct elm_tree *t;
    const struct elm_io *io;
    const struct vm_options *options;
    struct vm_instruction *code;
    uint32_t count, cap;
    struct vm_function functions[FUNCTIONS_MAX];
    uint32_t function_at[FUNCTIONS_MAX];       /* node index */
    uint32_t function_count;
    union elm_value *constants;
    uint32_t constant_count, constant_cap, constant_base;
    struct vm_array *arrays;
    uint32_t array_count, array_cap;
    struct local locals[LOCALS_MAX];
    uint32_t local_count;
    uint64_t assigned[LOCALS_MAX / 64];        /* by slot: surely set here */
    uint32_t slots, temps, temps_max;          /* next local slot; temporaries in use */
    uint32_t local_slots;                      /* slots of the function's locals, all of them */
    uint32_t step_at;                          /* the STEP that pays for what is being emitted */
    struct loop *loop;
    uint8_t returns;
    bool too_large;
};

static uint32_t expression(struct compiler *c, uint32_t at, uint32_t want);

static const struct elm_node *node(const struct compiler *c, uint32_t at)
{
    return &c->t->nodes[at];
}

static uint32_t after(const struct compiler *c, uint32_t at)
{
    return at + c->t->nodes[at].size;
}

static uint32_t emit(struct compiler *c, enum vm_op op, uint32_t a, uint32_t b, uint32_t d)
{
    if (c->count == c->cap) {
        c->cap = c->cap == 0 ? 256 : c->cap * 2;
        c->code = elm_realloc(c->code, c->cap * sizeof(c->code[0]));
    }
    if (c->count >= INSTRUCTIONS_MAX || a > UINT16_MAX || b > UINT16_MAX || d > UINT16_MAX)
        c->too_large = true;
    c->code[c->count] = (struct vm_instruction){(uint16_t)op, (uint16_t)a, (uint16_t)b,
                                                (uint16_t)d};
    return c->count++;
}

/* ---- steps: one STEP a basic block ---- */

static void new_block(struct compiler *c)
{
    c->step_at = ANY;
}

static void step(struct compiler *c)
{
    if (c->step_at == ANY)
        c->step_at = emit(c, VM_STEP, 0, 0, 0);
    if (++c->code[c->step_at].a == 0)
        c->code[c->step_at].b++;
}

static void patch(struct compiler *c, uint32_t jump, uint32_t target)
{
    struct vm_instruction *i = &c->code[jump];
    int32_t by = (int32_t)target - (int32_t)jump;
    if (i->op == VM_JUMP) {
        i->a = (uint16_t)by;
        i->b = (uint16_t)((uint32_t)by >> 16);
    } else if (i->op >= VM_JZ_I && i->op <= VM_JNZ_D) {
        i->b = (uint16_t)by;
        i->c = (uint16_t)((uint32_t)by >> 16);
    } else {
        i->c = (uint16_t)by;
    }
}

static uint32_t here(struct compiler *c)
{
    new_block(c);
    return c->count;
}

/* ---- slots ---- */

static uint32_t temp(struct compiler *c)
{
    uint32_t slot = c->local_slots + c->temps++;
    if (c->temps > c->temps_max)
        c->temps_max = c->temps;
    return slot;
}

static uint32_t target(struct compiler *c, uint32_t want)
{
    return want == ANY ? temp(c) : want;
}

static bool is_set(const struct compiler *c, uint32_t slot)
{
    return slot >= LOCALS_MAX ? false : c->assigned[slot / 64] >> (slot % 64) & 1;
}

static void mark_set(struct compiler *c, uint32_t slot, bool set)
{
    if (slot >= LOCALS_MAX)
        return;
    if (set)
        c->assigned[slot / 64] |= UINT64_C(1) << (slot % 64);
    else
        c->assigned[slot / 64] &= ~(UINT64_C(1) << (slot % 64));
}

static const struct local *find(const struct compiler *c, uint32_t name)
{
    for (uint32_t i = c->local_count; i-- > 0;) {
        if (c->locals[i].name == name)
            return &c->locals[i];
    }
    ELM_ASSERT(!"a checked tree names only what is in scope");
    return NULL;
}

static uint32_t constant(struct compiler *c, union elm_value value)
{
    uint32_t first = c->constant_base;
    for (uint32_t i = first; i < c->constant_count; i++) {
        if (c->constants[i].i == value.i)
            return c->functions[c->function_count].constant_slot + i - first;
    }
    /* literals() has found them all before the function was begun */
    ELM_ASSERT(!"a constant that was not collected");
    return 0;
}

static uint32_t int_constant(struct compiler *c, int64_t value)
{
    return constant(c, (union elm_value){.i = value});
}

static bool add_constant(struct compiler *c, union elm_value value)
{
    for (uint32_t i = c->constant_base; i < c->constant_count; i++) {
        if (c->constants[i].i == value.i)
            return true;
    }
    if (c->constant_count - c->constant_base == CONSTANTS_MAX)
        return false;
    if (c->constant_count == c->constant_cap) {
        c->constant_cap = c->constant_cap == 0 ? 64 : c->constant_cap * 2;
        c->constants = elm_realloc(c->constants, c->constant_cap * sizeof(c->constants[0]));
    }
    c->constants[c->constant_count++] = value;
    return true;
}

/* All constants a function may want, and how many slots its locals take. */
static void survey(struct compiler *c, uint32_t at, uint32_t *locals)
{
    const struct elm_node *end = node(c, at) + node(c, at)->size;
    bool ok = true, units = false, reals = false;
    *locals = 0;
    for (const struct elm_node *n = node(c, at); n < end; n++) {
        if (n->kind == ELM_NODE_INT)
            ok = ok && add_constant(c, (union elm_value){.i = n->i}) &&
                 add_constant(c, (union elm_value){.d = (double)n->i});
        else if (n->kind == ELM_NODE_REAL)
            ok = ok && add_constant(c, (union elm_value){.d = n->d});
        else if (n->kind == ELM_NODE_INIT_LIST)
            units = reals = true;
        *locals += n->kind == ELM_NODE_PARAM || n->kind == ELM_NODE_DECLARE;
        units = units || n->kind >= ELM_NODE_PRE_INC || n->kind == ELM_NODE_LOGIC_AND ||
                n->kind == ELM_NODE_LOGIC_OR;
        reals = reals || n->kind >= ELM_NODE_PRE_INC;
    }
    if (units)
        ok = ok && add_constant(c, (union elm_value){.i = 0}) &&
             add_constant(c, (union elm_value){.i = 1});
    if (reals)
        ok = ok && add_constant(c, (union elm_value){.d = 1});
    uint32_t widest = 0;
    for (const struct elm_node *n = node(c, at); units && n < end; n++) {
        if (n->kind == ELM_NODE_INIT_LIST && n->kids > widest)
            widest = n->kids;
    }
    for (uint32_t i = 0; i < widest; i++)
        ok = ok && add_constant(c, (union elm_value){.i = i});
    if (!ok)
        c->too_large = true;
}

/* ---- expressions ---- */

static bool is_double(uint8_t type)
{
    return type == ELM_TYPE_DOUBLE || type == ELM_TYPE_DOUBLE_ARRAY;
}

/* Moves or converts a value of `from` into a slot that holds `to`. */
static uint32_t convert(struct compiler *c, uint32_t slot, uint8_t from, uint8_t to, uint32_t want)
{
    if (is_double(from) != is_double(to)) {
        uint32_t into = target(c, want);
        emit(c, is_double(to) ? VM_TO_D : VM_TO_I, into, slot, 0);
        return into;
    }
    if (want != ANY && want != slot)
        emit(c, VM_MOVE, want, slot, 0);
    return want == ANY ? slot : want;
}

/* The value of `at` as `type`. A literal converts for nothing. */
static uint32_t typed(struct compiler *c, uint32_t at, uint8_t type, uint32_t want)
{
    const struct elm_node *n = node(c, at);
    if (n->type == type || (is_double(n->type) == is_double(type)))
        return expression(c, at, want);
    if (n->kind == ELM_NODE_INT && !c->options->trace) {
        uint32_t slot = constant(c, (union elm_value){.d = (double)n->i});
        return convert(c, slot, type, type, want);
    }
    return convert(c, expression(c, at, ANY), n->type, type, want);
}

static uint32_t variable(struct compiler *c, uint32_t at, uint32_t want)
{
    const struct local *v = find(c, node(c, at)->name);
    bool scalar = v->type == ELM_TYPE_INT || v->type == ELM_TYPE_DOUBLE;
    if (scalar && !is_set(c, v->slot))
        emit(c, VM_CHECK, v->slot, 0, 0);
    if (want != ANY && want != v->slot)
        emit(c, VM_MOVE, want, v->slot, 0);
    return want == ANY ? v->slot : want;
}

/* An element's address: the array's slot and the slot (or two) of its index. */
static void address(struct compiler *c, uint32_t at, uint32_t *array, uint32_t *index)
{
    const struct elm_node *n = node(c, at);
    *array = find(c, n->name)->slot;
    if (n->kids == 1) {
        *index = expression(c, at + 1, ANY);
        return;
    }
    uint32_t first = temp(c), second = temp(c);
    expression(c, at + 1, first);
    expression(c, after(c, at + 1), second);
    *index = first;
}

static uint32_t load(struct compiler *c, uint32_t at, uint32_t array, uint32_t index,
                     uint32_t want)
{
    uint32_t into = target(c, want);
    emit(c, node(c, at)->kids == 2 ? VM_LOAD2 : VM_LOAD, into, array, index);
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
    emit(c, is_double(type) ? real_op(kind) : int_op(kind), into, swapped ? right : left,
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
    uint32_t keep = node(c, at + 1)->kind == ELM_NODE_VAR && writes(c, right_at) ? temp(c) : ANY;
    uint32_t left = typed(c, at + 1, type, keep);
    uint32_t right = typed(c, right_at, type, ANY);
    c->temps = temps;
    uint32_t into = target(c, want);
    operate(c, n->kind, type, into, left, right);
    step(c);
    return into;
}

static void condition(struct compiler *c, uint32_t at, bool when, uint32_t *jumps,
                      uint32_t *jump_count, uint32_t max);
static void logic_condition(struct compiler *c, uint32_t at, bool when, uint32_t *jumps,
                            uint32_t *count, uint32_t max);

/* && and || as values: 1 or 0 by the way control takes. */
static uint32_t logic(struct compiler *c, uint32_t at, uint32_t want)
{
    uint32_t into = target(c, want), jumps[64], count = 0;
    step(c);
    logic_condition(c, at, false, jumps, &count, ELM_COUNT(jumps));
    emit(c, VM_MOVE, into, int_constant(c, 1), 0);
    uint32_t over = emit(c, VM_JUMP, 0, 0, 0);
    for (uint32_t i = 0; i < count; i++)
        patch(c, jumps[i], here(c));
    emit(c, VM_MOVE, into, int_constant(c, 0), 0);
    patch(c, over, here(c));
    return into;
}

static uint32_t ternary(struct compiler *c, uint32_t at, uint32_t want)
{
    const struct elm_node *n = node(c, at);
    uint32_t into = target(c, want), temps = c->temps, jumps[64], count = 0;
    uint32_t then = after(c, at + 1), other = after(c, then);
    condition(c, at + 1, false, jumps, &count, ELM_COUNT(jumps));
    uint64_t before[ELM_COUNT(c->assigned)], after_then[ELM_COUNT(c->assigned)];
    memcpy(before, c->assigned, sizeof(before));
    typed(c, then, n->type, into);
    step(c);
    uint32_t over = emit(c, VM_JUMP, 0, 0, 0);
    memcpy(after_then, c->assigned, sizeof(before));
    memcpy(c->assigned, before, sizeof(before));
    for (uint32_t i = 0; i < count; i++)
        patch(c, jumps[i], here(c));
    new_block(c);
    typed(c, other, n->type, into);
    step(c);
    patch(c, over, here(c));
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
        emit(c, n->kids == 2 ? VM_STORE2 : VM_STORE, slot, array, index);
        return;
    }
    const struct local *v = find(c, n->name);
    if (slot != v->slot)
        emit(c, VM_MOVE, v->slot, slot, 0);
    mark_set(c, v->slot, true);
}

static uint32_t assign(struct compiler *c, uint32_t at, uint32_t want)
{
    uint32_t place = at + 1, value_at = after(c, place), array = 0, index = 0, slot;
    uint8_t type = node(c, place)->type;
    if (node(c, place)->kind == ELM_NODE_INDEX) {
        address(c, place, &array, &index);
        slot = typed(c, value_at, type, ANY);
        store(c, place, array, index, slot);
    } else {
        const struct local *v = find(c, node(c, place)->name);
        slot = typed(c, value_at, type, v->slot);
        mark_set(c, v->slot, true);
    }
    step(c);
    if (want != ANY && want != slot)
        emit(c, VM_MOVE, want, slot, 0);
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
        old = variable(c, place, keep ? temp(c) : ANY);
    }
    if (by_one)
        right = is_double(own) ? constant(c, (union elm_value){.d = 1}) : int_constant(c, 1);
    else
        right = typed(c, after(c, place), type, ANY);
    uint32_t kept = ANY;
    if (post) {
        kept = target(c, want);
        emit(c, VM_MOVE, kept, old, 0);
    }
    uint32_t left = convert(c, old, own, type, ANY);
    bool direct = !element && is_double(type) == is_double(own);
    uint32_t result = direct ? old : temp(c);
    operate(c, kind, type, result, left, right);
    result = convert(c, result, type, own, ANY);
    store(c, place, array, index, result);
    step(c);
    if (post)
        return kept;
    if (want != ANY && want != result)
        emit(c, VM_MOVE, want, result, 0);
    return want == ANY ? result : want;
}

static uint32_t call_math(struct compiler *c, uint32_t at, uint32_t want)
{
    const struct elm_node *n = node(c, at);
    uint32_t temps = c->temps;
    if (n->type == ELM_TYPE_INT) {
        uint32_t value = typed(c, at + 1, ELM_TYPE_INT, ANY);
        c->temps = temps;
        uint32_t into = target(c, want);
        emit(c, VM_ABS_I, into, value, 0);
        step(c);
        return into;
    }
    uint32_t first = ANY;
    if (n->kids == 2) {
        first = temp(c);
        uint32_t second = temp(c);
        typed(c, at + 1, ELM_TYPE_DOUBLE, first);
        typed(c, after(c, at + 1), ELM_TYPE_DOUBLE, second);
    } else {
        first = typed(c, at + 1, ELM_TYPE_DOUBLE, ANY);
    }
    c->temps = temps;
    uint32_t into = target(c, want);
    emit(c, n->kids == 2 ? VM_MATH2 : VM_MATH1, into, first, n->name);
    step(c);
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
    uint32_t into = target(c, want), temps = c->temps, kid = at + 1;
    uint32_t frame = c->local_slots + c->temps;
    for (uint16_t i = 0; i < n->kids; i++) {
        uint32_t slot = temp(c);
        typed(c, kid, node(c, c->function_at[f] + 1 + i)->type, slot);
        c->temps = slot - c->local_slots + 1;
        kid = after(c, kid);
    }
    step(c);
    emit(c, VM_CALL, into, f, frame);
    new_block(c);
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
        step(c);
        return expression(c, at + 1, want);
    }
    uint32_t value = expression(c, at + 1, ANY);
    c->temps = temps;
    step(c);
    if (cast)
        return convert(c, value, type, n->type, want);
    uint32_t into = target(c, want);
    enum vm_op op = VM_NOT_I;
    if (n->kind == ELM_NODE_NEG)
        op = is_double(type) ? VM_NEG_D : VM_NEG_I;
    else if (n->kind == ELM_NODE_NOT)
        op = is_double(type) ? VM_ZERO_D : VM_ZERO_I;
    emit(c, op, into, value, 0);
    return into;
}

static uint32_t evaluate(struct compiler *c, uint32_t at, uint32_t want)
{
    const struct elm_node *n = node(c, at);
    switch (n->kind) {
    case ELM_NODE_INT:
    case ELM_NODE_REAL: {
        uint32_t slot = constant(c, (union elm_value){.i = n->i});
        return convert(c, slot, n->type, n->type, want);
    }
    case ELM_NODE_VAR:
        return variable(c, at, want);
    case ELM_NODE_INDEX: {
        uint32_t array, index, temps = c->temps;
        address(c, at, &array, &index);
        c->temps = temps;
        step(c);
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

static uint32_t expression(struct compiler *c, uint32_t at, uint32_t want)
{
    if (at == c->options->snap_at) {
        for (uint32_t i = 0; i < c->options->symbol_count; i++) {
            const struct elm_symbol *s = &c->options->symbols[i];
            bool scalar = s->type == ELM_TYPE_INT || s->type == ELM_TYPE_DOUBLE;
            c->options->snap_slots[i] = scalar ? (uint16_t)find(c, s->name)->slot : UINT16_MAX;
        }
        emit(c, VM_SNAP, 0, 0, 0);
    }
    uint32_t slot = evaluate(c, at, want);
    uint8_t type = node(c, at)->type;
    if (c->options->trace && (type == ELM_TYPE_INT || type == ELM_TYPE_DOUBLE))
        emit(c, VM_TRACE, slot, at & 0xffff, at >> 16);
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
    new_block(c);
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
    uint32_t keep = node(c, at + 1)->kind == ELM_NODE_VAR && writes(c, right_at) ? temp(c) : ANY;
    uint32_t left = typed(c, at + 1, type, keep), right = typed(c, right_at, type, ANY);
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
    step(c);
    step(c);
    add_jump(c, emit(c, op, a, b, 0), jumps, count, max);
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
        condition(c, at + 1, when, jumps, count, max);
        memcpy(before, c->assigned, sizeof(before));
        condition(c, right, when, jumps, count, max);
    } else {
        uint32_t over[64], over_count = 0;
        condition(c, at + 1, !when, over, &over_count, ELM_COUNT(over));
        memcpy(before, c->assigned, sizeof(before));
        condition(c, right, when, jumps, count, max);
        for (uint32_t i = 0; i < over_count; i++)
            patch(c, over[i], here(c));
    }
    /* what the right side sets may never run */
    memcpy(c->assigned, before, sizeof(before));
}

/* Emits jumps that are taken when the truth of `at` equals `when`; falls through otherwise. */
static void condition(struct compiler *c, uint32_t at, bool when, uint32_t *jumps,
                      uint32_t *count, uint32_t max)
{
    const struct elm_node *n = node(c, at);
    bool plain = c->options->trace || at == c->options->snap_at;
    if (n->kind == ELM_NODE_NOT && !plain) {
        step(c);
        condition(c, at + 1, !when, jumps, count, max);
        return;
    }
    if ((n->kind == ELM_NODE_LOGIC_AND || n->kind == ELM_NODE_LOGIC_OR) && !plain) {
        /* the value and the jump, as `logic` and the jump on its value take */
        step(c);
        step(c);
        logic_condition(c, at, when, jumps, count, max);
        return;
    }
    if (fused(c, at, when, jumps, count, max))
        return;
    uint32_t temps = c->temps, slot = expression(c, at, ANY);
    c->temps = temps;
    step(c);
    bool real = is_double(n->type);
    enum vm_op op = when ? (real ? VM_JNZ_D : VM_JNZ_I) : (real ? VM_JZ_D : VM_JZ_I);
    add_jump(c, emit(c, op, slot, 0, 0), jumps, count, max);
}

/* ---- statements ---- */

static void statement(struct compiler *c, uint32_t at);

static void block(struct compiler *c, uint32_t at)
{
    uint32_t locals = c->local_count, kid = at + 1;
    for (uint16_t i = 0; i < node(c, at)->kids; i++) {
        statement(c, kid);
        kid = after(c, kid);
    }
    c->local_count = locals;
}

static void initialise(struct compiler *c, uint32_t list, uint32_t array, uint8_t type,
                       uint32_t row)
{
    uint32_t kid = list + 1;
    for (uint16_t i = 0; i < node(c, list)->kids; i++, kid = after(c, kid)) {
        if (node(c, kid)->kind == ELM_NODE_INIT_LIST) {
            initialise(c, kid, array, type, i);
            continue;
        }
        uint32_t temps = c->temps, first = temp(c), second = temp(c);
        uint32_t value = typed(c, kid, type, ANY);
        bool two = row != ANY;
        emit(c, VM_MOVE, first, int_constant(c, two ? row : i), 0);
        if (two)
            emit(c, VM_MOVE, second, int_constant(c, i), 0);
        emit(c, two ? VM_STORE2 : VM_STORE, value, array, first);
        step(c);
        c->temps = temps;
    }
}

static void add_array(struct compiler *c, const struct elm_node *n, uint32_t slot)
{
    struct vm_function *f = &c->functions[c->function_count];
    uint32_t length = (uint32_t)n->dims[0] * (n->dims[1] != 0 ? n->dims[1] : 1);
    if (c->array_count == c->array_cap) {
        c->array_cap = c->array_cap == 0 ? 16 : c->array_cap * 2;
        c->arrays = elm_realloc(c->arrays, c->array_cap * sizeof(c->arrays[0]));
    }
    c->arrays[c->array_count] = (struct vm_array){
        .offset = f->array_slots, .length = length, .cols = n->dims[1], .zero = n->kids > 0};
    f->array_slots += length;
    if (f->array_slots > VM_ARRAY_SLOTS)
        c->too_large = true;
    emit(c, VM_ARRAY, slot, c->array_count++, 0);
}

static void declaration(struct compiler *c, uint32_t at)
{
    const struct elm_node *n = node(c, at);
    uint32_t slot = c->slots++;
    bool array = n->type == ELM_TYPE_INT_ARRAY || n->type == ELM_TYPE_DOUBLE_ARRAY;
    /* the initialiser is outside the scope of its name */
    if (array)
        add_array(c, n, slot);
    if (n->kids > 0 && array)
        initialise(c, at + 1, slot, is_double(n->type) ? ELM_TYPE_DOUBLE : ELM_TYPE_INT, ANY);
    else if (n->kids > 0)
        typed(c, at + 1, n->type, slot);
    else if (!array)
        emit(c, VM_CLEAR, slot, 0, 0);
    if (n->kids > 0)
        step(c);
    mark_set(c, slot, n->kids > 0 || array);
    if (c->local_count == LOCALS_MAX) {
        c->too_large = true;
        return;
    }
    c->locals[c->local_count++] = (struct local){n->name, slot, at, n->type};
}

static void if_else(struct compiler *c, uint32_t at)
{
    uint32_t jumps[64], count = 0, then = after(c, at + 1);
    uint64_t before[ELM_COUNT(c->assigned)], after_then[ELM_COUNT(c->assigned)];
    condition(c, at + 1, false, jumps, &count, ELM_COUNT(jumps));
    memcpy(before, c->assigned, sizeof(before));
    block(c, then);
    memcpy(after_then, c->assigned, sizeof(before));
    memcpy(c->assigned, before, sizeof(before));
    uint32_t over = ANY;
    if (node(c, at)->kids == 3)
        over = emit(c, VM_JUMP, 0, 0, 0);
    for (uint32_t i = 0; i < count; i++)
        patch(c, jumps[i], here(c));
    new_block(c);
    if (over != ANY) {
        statement(c, after(c, then));
        patch(c, over, here(c));
    }
    for (size_t i = 0; i < ELM_COUNT(before); i++)
        c->assigned[i] &= after_then[i];
}

static void jump_out(struct compiler *c, bool is_break)
{
    struct loop *l = c->loop;
    step(c);
    uint32_t jump = emit(c, VM_JUMP, 0, 0, 0);
    uint32_t *count = is_break ? &l->break_count : &l->continue_count;
    if (*count == ELM_COUNT(l->breaks))
        c->too_large = true;
    else
        (is_break ? l->breaks : l->continues)[(*count)++] = jump;
    new_block(c);
}

/* Body first, then step and condition at the bottom: one taken jump a round. */
static void loop(struct compiler *c, uint32_t body, uint32_t step_at, uint32_t condition_at,
                 bool test_first)
{
    struct loop l = {.outer = c->loop};
    uint64_t before[ELM_COUNT(c->assigned)];
    uint32_t enter = ANY, jumps[64], count = 0;
    bool endless = condition_at == ANY;
    c->loop = &l;
    if (test_first && !endless)
        enter = emit(c, VM_JUMP, 0, 0, 0);
    memcpy(before, c->assigned, sizeof(before));
    uint32_t top = here(c);
    block(c, body);
    /* a continue may have skipped what the body sets */
    if (test_first || l.continue_count > 0)
        memcpy(c->assigned, before, sizeof(before));
    for (uint32_t i = 0; i < l.continue_count; i++)
        patch(c, l.continues[i], here(c));
    if (l.continue_count > 0)
        new_block(c);
    if (step_at != ANY) {
        uint32_t temps = c->temps;
        expression(c, step_at, ANY);
        c->temps = temps;
    }
    if (test_first)
        memcpy(c->assigned, before, sizeof(before));
    if (enter != ANY)
        patch(c, enter, here(c));
    if (endless) {
        step(c);
        patch(c, emit(c, VM_JUMP, 0, 0, 0), top);
    } else {
        condition(c, condition_at, true, jumps, &count, ELM_COUNT(jumps));
        for (uint32_t i = 0; i < count; i++)
            patch(c, jumps[i], top);
    }
    new_block(c);
    for (uint32_t i = 0; i < l.break_count; i++)
        patch(c, l.breaks[i], here(c));
    /* a break may leave before anything in the body */
    memcpy(c->assigned, before, sizeof(before));
    c->loop = l.outer;
}

static void for_loop(struct compiler *c, uint32_t at)
{
    uint32_t init = at + 1, test = after(c, init), next = after(c, test);
    uint32_t locals = c->local_count, temps = c->temps;
    if (node(c, init)->kind == ELM_NODE_DECLARE)
        declaration(c, init);
    else if (node(c, init)->kind != ELM_NODE_EMPTY)
        expression(c, init, ANY);
    c->temps = temps;
    loop(c, after(c, next), node(c, next)->kind == ELM_NODE_EMPTY ? ANY : next,
         node(c, test)->kind == ELM_NODE_EMPTY ? ANY : test, true);
    c->local_count = locals;
}

static void return_value(struct compiler *c, uint32_t at)
{
    step(c);
    if (node(c, at)->kids == 0) {
        emit(c, VM_LEAVE, 0, 0, 0);
    } else {
        uint32_t temps = c->temps;
        uint32_t slot = typed(c, at + 1, c->returns, ANY);
        emit(c, VM_RETURN, slot, 0, 0);
        c->temps = temps;
    }
    new_block(c);
}

static void statement(struct compiler *c, uint32_t at)
{
    uint32_t temps = c->temps;
    switch (node(c, at)->kind) {
    case ELM_NODE_BLOCK: block(c, at); break;
    case ELM_NODE_DECLARE: declaration(c, at); break;
    case ELM_NODE_IF: if_else(c, at); break;
    case ELM_NODE_FOR: for_loop(c, at); break;
    case ELM_NODE_WHILE: loop(c, after(c, at + 1), ANY, at + 1, true); break;
    case ELM_NODE_DO: loop(c, at + 1, ANY, after(c, at + 1), false); break;
    case ELM_NODE_BREAK: jump_out(c, true); break;
    case ELM_NODE_CONTINUE: jump_out(c, false); break;
    case ELM_NODE_RETURN: return_value(c, at); break;
    case ELM_NODE_EVAL: expression(c, at + 1, ANY); break;
    default: break;      /* comments and empty statements */
    }
    c->temps = temps;
}

/* ---- functions ---- */

static void function(struct compiler *c, uint32_t at)
{
    const struct elm_node *n = node(c, at);
    struct vm_function *f = &c->functions[c->function_count];
    uint32_t locals = 0, params = n->kids - 1u;
    c->function_at[c->function_count] = at;
    c->constant_base = c->constant_count;
    survey(c, at, &locals);
    uint32_t constants = c->constant_count - c->constant_base;
    *f = (struct vm_function){.first = c->count, .constant_slot = params,
                              .constant_first = c->constant_base, .constant_count = constants,
                              .array_first = c->array_count};
    c->local_count = 0;
    c->slots = params + constants;
    c->local_slots = constants + locals;
    c->temps = c->temps_max = 0;
    c->returns = n->type;
    memset(c->assigned, 0, sizeof(c->assigned));
    for (uint32_t i = 0; i < params; i++) {
        const struct elm_node *p = node(c, at + 1 + i);
        c->locals[c->local_count++] = (struct local){p->name, i, at + 1 + i, p->type};
        mark_set(c, i, true);
    }
    new_block(c);
    block(c, at + 1 + params);
    emit(c, VM_LEAVE, 0, 0, 0);
    f->frame = c->local_slots + c->temps_max + 2;
    f->array_count = c->array_count - f->array_first;
    c->function_count++;
}

static uint32_t put_section(struct elm_buf *code, size_t start, const void *bytes, size_t len)
{
    static const char zeros[8];
    uint32_t at = (uint32_t)(code->len - start);
    elm_buf_add(code, bytes, len);
    elm_buf_add(code, zeros, (8 - len % 8) % 8);
    return at;
}

static void write_code(const struct compiler *c, uint32_t entry, struct elm_buf *code)
{
    size_t start = code->len;
    struct vm_code head = {
        .magic = VM_MAGIC, .in_bytes = c->io->in_bytes, .out_bytes = c->io->out_bytes,
        .entry = entry, .returns = c->io->returns, .param_count = c->io->param_count,
        .instruction_count = c->count, .function_count = c->function_count,
        .constant_count = c->constant_count, .array_count = c->array_count,
    };
    struct vm_param params[ELM_PARAMS_MAX];
    for (uint32_t i = 0; i < c->io->param_count; i++) {
        const struct elm_io_param *p = &c->io->params[i];
        uint32_t length = p->dims[0] * (p->dims[1] != 0 ? p->dims[1] : 1);
        params[i] = (struct vm_param){p->in_offset, p->out_offset, length, (uint16_t)p->dims[1],
                                      p->type, p->direction};
    }
    put_section(code, start, &head, sizeof(head));
    head.instructions = put_section(code, start, c->code, c->count * sizeof(c->code[0]));
    head.functions = put_section(code, start, c->functions,
                                 c->function_count * sizeof(c->functions[0]));
    head.constants = put_section(code, start, c->constants,
                                 c->constant_count * sizeof(c->constants[0]));
    head.arrays = put_section(code, start, c->arrays, c->array_count * sizeof(c->arrays[0]));
    head.params = put_section(code, start, params, c->io->param_count * sizeof(params[0]));
    head.bytes = (uint32_t)(code->len - start);
    memcpy(code->ptr + start, &head, sizeof(head));
}

enum elm_status vm_compile(const struct elm_tree *t, const struct elm_names *names,
                           const struct elm_io *io, const struct vm_options *options,
                           struct elm_buf *code, struct elm_error *err)
{
    struct compiler *c = elm_malloc(sizeof(*c));
    memset(c, 0, offsetof(struct compiler, functions));
    c->function_count = c->constant_count = c->constant_cap = c->array_count = c->array_cap = 0;
    c->constants = NULL;
    c->arrays = NULL;
    c->loop = NULL;
    c->too_large = false;
    c->t = t;
    c->io = io;
    c->options = options;
    enum elm_status status = elm_io_match(io, t, names, err);
    uint32_t entry = 0, kid = 1;
    for (uint16_t i = 0; i < t->nodes[0].kids && status == ELM_OK; i++) {
        if (t->nodes[kid].kind == ELM_NODE_FUNCTION) {
            if (elm_str_equal(elm_names_text(names, t->nodes[kid].name), elm_str(io->entry)))
                entry = c->function_count;
            function(c, kid);
        }
        kid += t->nodes[kid].size;
    }
    if (status == ELM_OK && c->too_large)
        status = elm_fail(err, ELM_RANGE, "the program is too large for the virtual machine");
    if (status == ELM_OK) {
        size_t start = code->len;
        write_code(c, entry, code);
        if (code->len - start > ELM_VM_CODE_BYTES_MAX) {
            code->len = start;
            status = elm_fail(err, ELM_RANGE, "the program is too large for the virtual machine");
        }
    }
    free(c->code);
    free(c->constants);
    free(c->arrays);
    free(c);
    return status;
}

enum elm_status elm_vm_compile(const struct elm_tree *t, const struct elm_names *names,
                               const struct elm_io *io, struct elm_buf *code,
                               struct elm_error *err)
{
    static const struct vm_options plain = {.snap_at = ANY};
    return vm_compile(t, names, io, &plain, code, err);
}
