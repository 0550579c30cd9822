/* compile_emit: instructions and what they cost, slots and constants. */
#include "code/compile.h"

#include <stdlib.h>
#include <string.h>

#define CONSTANTS_MAX 1024
#define INSTRUCTIONS_MAX INT16_MAX

/* Twice as much as `old`, which is `first` or has memory of its own. */
static void *twice(void *old, const void *first, size_t bytes)
{
    void *grown = elm_malloc(2 * bytes);
    memcpy(grown, old, bytes);
    if (old != first)
        free(old);
    return grown;
}

static uint32_t append(struct compiler *c, enum vm_op op, uint32_t a, uint32_t b, uint32_t d)
{
    if (c->count == c->cap) {
        c->code = twice(c->code, c->first_code, c->cap * sizeof(c->code[0]));
        c->cap *= 2;
    }
    if (c->count >= INSTRUCTIONS_MAX || a > UINT16_MAX || b > UINT16_MAX || d > UINT16_MAX)
        c->too_large = true;
    c->code[c->count] = (struct vm_instruction){(uint8_t)op, 0, (uint16_t)a, (uint16_t)b,
                                                (uint16_t)d};
    return c->count++;
}

/* ---- steps: a block pays at its end, in the jump there if it ends in one ---- */

void vmc_step(struct compiler *c)
{
    c->unpaid++;
}

static void pay(struct compiler *c, uint32_t left)
{
    if (c->unpaid > left) {
        append(c, VM_STEP, (c->unpaid - left) & 0xffff, (c->unpaid - left) >> 16, 0);
        c->unpaid = left;
    }
}

uint32_t vmc_emit(struct compiler *c, enum vm_op op, uint32_t a, uint32_t b, uint32_t d)
{
    if (op < VM_JUMP || op > VM_LEAVE)
        return append(c, op, a, b, d);
    pay(c, UINT8_MAX);
    uint32_t at = append(c, op, a, b, d);
    c->code[at].steps = (uint8_t)c->unpaid;
    c->unpaid = 0;
    return at;
}

uint32_t vmc_here(struct compiler *c)
{
    pay(c, 0);
    return c->count;
}

void vmc_patch(struct compiler *c, uint32_t jump, uint32_t target)
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

/* ---- slots ---- */

uint32_t vmc_temp(struct compiler *c)
{
    uint32_t slot = c->local_slots + c->temps++;
    if (c->temps > c->temps_max)
        c->temps_max = c->temps;
    return slot;
}

uint32_t vmc_target(struct compiler *c, uint32_t want)
{
    return want == ANY ? vmc_temp(c) : want;
}

bool vmc_is_set(const struct compiler *c, uint32_t slot)
{
    return slot >= LOCALS_MAX ? false : c->assigned[slot / 64] >> (slot % 64) & 1;
}

void vmc_mark_set(struct compiler *c, uint32_t slot, bool set)
{
    if (slot >= LOCALS_MAX)
        return;
    if (set)
        c->assigned[slot / 64] |= UINT64_C(1) << (slot % 64);
    else
        c->assigned[slot / 64] &= ~(UINT64_C(1) << (slot % 64));
}

const struct local *vmc_find(const struct compiler *c, uint32_t name)
{
    for (uint32_t i = c->local_count; i-- > 0;) {
        if (c->locals[i].name == name)
            return &c->locals[i];
    }
    ELM_ASSERT(!"a checked tree names only what is in scope");
    return NULL;
}

uint32_t vmc_constant(struct compiler *c, union elm_value value)
{
    uint32_t first = c->constant_base;
    for (uint32_t i = first; i < c->constant_count; i++) {
        if (c->constants[i].i == value.i)
            return c->functions[c->function_count].constant_slot + i - first;
    }
    /* vmc_survey has found them all before the function was begun */
    ELM_ASSERT(!"a constant that was not collected");
    return 0;
}

uint32_t vmc_int_constant(struct compiler *c, int64_t value)
{
    return vmc_constant(c, (union elm_value){.i = value});
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
        c->constants = twice(c->constants, c->first_constants, c->constant_cap * sizeof(c->constants[0]));
        c->constant_cap *= 2;
    }
    c->constants[c->constant_count++] = value;
    return true;
}

/* What ++, lists and && need besides the literals. */
static bool add_implied(struct compiler *c, bool ints, bool reals, uint32_t widest)
{
    bool ok = true;
    for (uint32_t i = 0; i < widest || (ints && i < 2); i++)
        ok = ok && add_constant(c, (union elm_value){.i = i});
    return ok && (!reals || add_constant(c, (union elm_value){.d = 1}));
}

_Static_assert(ELM_NODE_KINDS <= 64, "a set of kinds is a word");

uint32_t vmc_survey(struct compiler *c, uint32_t at)
{
    const struct elm_node *end = node(c, at) + node(c, at)->size;
    uint64_t kinds = 0;
    uint32_t types = 0, locals = 0, widest = 0;
    for (const struct elm_node *n = node(c, at); n < end; n++) {
        kinds |= UINT64_C(1) << n->kind;
        types |= 1u << n->type;
        locals += n->kind == ELM_NODE_PARAM || n->kind == ELM_NODE_DECLARE;
        if (n->kind == ELM_NODE_INIT_LIST && n->kids > widest)
            widest = n->kids;
    }
    bool reals = types & (1u << ELM_TYPE_DOUBLE | 1u << ELM_TYPE_DOUBLE_ARRAY), ok = true;
    bool by_one = kinds >> ELM_NODE_PRE_INC;
    bool logic = kinds & (UINT64_C(1) << ELM_NODE_LOGIC_AND | UINT64_C(1) << ELM_NODE_LOGIC_OR);
    for (const struct elm_node *n = node(c, at); n < end; n++) {
        if (n->kind == ELM_NODE_INT)
            ok = ok && add_constant(c, (union elm_value){.i = n->i}) &&
                 (!reals || add_constant(c, (union elm_value){.d = (double)n->i}));
        else if (n->kind == ELM_NODE_REAL)
            ok = ok && add_constant(c, (union elm_value){.d = n->d});
    }
    if (!ok || !add_implied(c, by_one || logic, by_one && reals, widest))
        c->too_large = true;
    return locals;
}
