/*
 * vm: runs a code block over one case. Every index is checked, every read of an unset value is
 * caught, every step is counted; nothing is allocated. Also linked into the caged runner.
 */
#include "code/vm.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *elm_vm_end_name(enum elm_vm_end end)
{
    static const char *const names[ELM_VM_ENDS] = {
        [ELM_VM_OK] = "ok",
        [ELM_VM_FUEL] = "out of steps",
        [ELM_VM_INDEX] = "index out of bounds",
        [ELM_VM_UNSET] = "value read before it was set",
        [ELM_VM_DIVIDE] = "division by zero or overflow",
        [ELM_VM_SHIFT] = "shift beyond 0..31",
        [ELM_VM_CONVERT] = "double beyond int",
        [ELM_VM_STACK] = "calls too deep or locals too large",
    };
    ELM_ASSERT((unsigned)end < ELM_VM_ENDS);
    return names[end];
}

struct elm_vm_memory *elm_vm_memory_new(void)
{
    struct elm_vm_memory *m = elm_malloc(sizeof(*m));
    m->watch = NULL;
    m->arrays = elm_malloc(VM_ARRAY_SLOTS * sizeof(*m->arrays));
    return m;
}

void elm_vm_memory_free(struct elm_vm_memory *m)
{
    if (m == NULL)
        return;
    free(m->arrays);
    free(m);
}

static double math1(uint16_t function, double x)
{
    switch (function) {
    case 0: return sqrt(x);
    case 1: return fabs(x);
    case 2: return floor(x);
    case 3: return ceil(x);
    case 4: return sin(x);
    case 5: return cos(x);
    case 6: return tan(x);
    case 7: return atan(x);
    case 9: return exp(x);
    case 10: return log(x);
    case 15: return tanh(x);
    case 16: return cbrt(x);
    default: return round(x);
    }
}

static double math2(uint16_t function, double x, double y)
{
    switch (function) {
    case 8: return atan2(x, y);
    case 11: return pow(x, y);
    case 12: return fmin(x, y);
    case 13: return fmax(x, y);
    case 14: return fmod(x, y);
    default: return hypot(x, y);
    }
}

/* Signalling NaNs would look unset. */
static double quiet(double x)
{
    return isnan(x) ? NAN : x;
}

static void load_elements(union elm_value *to, const uint8_t *from, uint32_t count, bool real)
{
    for (uint32_t i = 0; i < count; i++) {
        if (real) {
            double x;
            memcpy(&x, from + 8 * (size_t)i, 8);
            to[i].d = quiet(x);
        } else {
            int32_t x;
            memcpy(&x, from + 4 * (size_t)i, 4);
            to[i].i = x;
        }
    }
}

static void store_elements(uint8_t *to, const union elm_value *from, uint32_t count, bool real)
{
    for (uint32_t i = 0; i < count; i++) {
        if (real) {
            memcpy(to + 8 * (size_t)i, &from[i].d, 8);
        } else {
            int32_t x = (int32_t)from[i].i;
            memcpy(to + 4 * (size_t)i, &x, 4);
        }
    }
}

static bool is_real(uint8_t type)
{
    return type == ELM_TYPE_DOUBLE || type == ELM_TYPE_DOUBLE_ARRAY;
}

/* Lays the arguments of a case into the entry's frame. Returns the array slots used. */
static uint32_t load_case(const struct vm_code *code, struct elm_vm_memory *m, const uint8_t *in)
{
    const struct vm_param *params =
        (const struct vm_param *)((const uint8_t *)code + code->params);
    uint32_t used = 0;
    for (uint32_t i = 0; i < code->param_count; i++) {
        const struct vm_param *p = &params[i];
        bool real = is_real(p->type);
        if (p->length == 0) {
            load_elements(&m->slots[i], in + p->in_offset, 1, real);
            continue;
        }
        struct vm_descriptor d = {used, p->length, p->cols};
        memcpy(&m->slots[i], &d, sizeof(d));
        if (p->direction == ELM_IO_OUT)
            memset(m->arrays + used, 0, p->length * sizeof(m->arrays[0]));
        else
            load_elements(m->arrays + used, in + p->in_offset, p->length, real);
        used += p->length;
    }
    return used;
}

static void store_case(const struct vm_code *code, const struct elm_vm_memory *m,
                       union elm_value result, uint8_t *out)
{
    const struct vm_param *params =
        (const struct vm_param *)((const uint8_t *)code + code->params);
    uint32_t used = 0;
    memset(out, 0, code->out_bytes);
    if (code->returns != ELM_TYPE_NONE)
        store_elements(out, &result, 1, code->returns == ELM_TYPE_DOUBLE);
    for (uint32_t i = 0; i < code->param_count; i++) {
        const struct vm_param *p = &params[i];
        if (p->length > 0 && p->direction != ELM_IO_IN)
            store_elements(out + p->out_offset, m->arrays + used, p->length, is_real(p->type));
        used += p->length;
    }
}

static void note_trace(struct vm_watch *w, uint32_t node, union elm_value value)
{
    size_t at = (size_t)node * w->case_count + w->at_case;
    w->values[at] = value;
    w->visits[at] += w->visits[at] < UINT16_MAX;
}

static void note_snapshot(struct vm_watch *w, const union elm_value *frame)
{
    for (uint32_t i = 0; i < w->slot_count; i++) {
        size_t at = (size_t)i * w->case_count + w->at_case;
        if (w->slots[i] == UINT16_MAX)
            continue;
        w->snapshot[at] = frame[w->slots[i]];
        w->set[at] = frame[w->slots[i]].i != VM_POISON;
    }
}

/* Builds a local array and returns its descriptor as a slot. */
static union elm_value make_array(struct elm_vm_memory *m, const struct vm_array *a, uint32_t base)
{
    struct vm_descriptor d = {base + a->offset, a->length, a->cols};
    union elm_value slot, fill = {.i = a->zero ? 0 : VM_POISON};
    memcpy(&slot, &d, sizeof(d));
    for (uint32_t i = 0; i < a->length; i++)
        m->arrays[d.base + i] = fill;
    return slot;
}

#define STOP(how)      \
    do {               \
        end = (how);   \
        goto stopped;  \
    } while (0)

/* The element that an instruction means, checked; NULL when out of bounds. */
static inline union elm_value *element(union elm_value *arrays, union elm_value array, int64_t i)
{
    struct vm_descriptor d;
    memcpy(&d, &array, sizeof(d));
    return (uint64_t)i < d.length ? &arrays[d.base + (uint64_t)i] : NULL;
}

static inline union elm_value *element2(union elm_value *arrays, union elm_value array, int64_t i,
                                        int64_t j)
{
    struct vm_descriptor d;
    memcpy(&d, &array, sizeof(d));
    if ((uint64_t)j >= d.cols || (uint64_t)i >= d.length)
        return NULL;
    uint64_t flat = (uint64_t)i * d.cols + (uint64_t)j;
    return flat < d.length ? &arrays[d.base + flat] : NULL;
}

/* The interpreter: one label an instruction, kept in one function so that the machine state stays
 * in registers. */
static enum elm_vm_end run(const struct vm_code *code, struct elm_vm_memory *m,
                           uint32_t array_base, uint64_t *fuel_left, union elm_value *result)
{
    static const void *const labels[] = {
#define X(name) &&op_##name,
        VM_OPS(X)
#undef X
    };
    const uint8_t *bytes = (const uint8_t *)code;
    const struct vm_instruction *base =
        (const struct vm_instruction *)(bytes + code->instructions);
    const struct vm_function *functions = (const struct vm_function *)(bytes + code->functions);
    const union elm_value *constants = (const union elm_value *)(bytes + code->constants);
    const struct vm_array *array_table = (const struct vm_array *)(bytes + code->arrays);
    const struct vm_function *f = &functions[code->entry];
    const struct vm_instruction *pc = base + f->first;
    union elm_value *r = m->slots, *arrays = m->arrays, *e;
    uint64_t fuel = *fuel_left;
    uint32_t depth = 0;
    enum elm_vm_end end = ELM_VM_OK;
    int64_t x, y;

    result->i = 0;
    if (f->frame > VM_SLOTS || array_base + f->array_slots > VM_ARRAY_SLOTS)
        STOP(ELM_VM_STACK);
    memcpy(r + f->constant_slot, constants + f->constant_first,
           f->constant_count * sizeof(constants[0]));

#define NEXT goto *labels[pc->op]
#define INT_OP(name, expression)                             \
    op_##name:                                               \
        x = r[pc->b].i;                                      \
        y = r[pc->c].i;                                      \
        r[pc->a].i = (int32_t)(uint32_t)(expression);        \
        pc++;                                                \
        NEXT;
#define REAL_OP(name, operator)                              \
    op_##name:                                               \
        r[pc->a].d = r[pc->b].d operator r[pc->c].d;         \
        pc++;                                                \
        NEXT;
#define COMPARE(name, member, operator)                      \
    op_##name:                                               \
        r[pc->a].i = r[pc->b].member operator r[pc->c].member; \
        pc++;                                                \
        NEXT;
#define BRANCH(name, condition)                              \
    op_##name:                                               \
        pc = (condition) ? base + pc->c : pc + 1;            \
        NEXT;
#define FAR_BRANCH(name, condition)                          \
    op_##name:                                               \
        pc = (condition) ? base + (pc->b | (uint32_t)pc->c << 16) : pc + 1; \
        NEXT;

    NEXT;
op_STEP:
    x = (int64_t)(pc->a | (uint32_t)pc->b << 16);
    if (fuel < (uint64_t)x)
        STOP(ELM_VM_FUEL);
    fuel -= (uint64_t)x;
    pc++;
    NEXT;
op_MOVE:
    r[pc->a] = r[pc->b];
    pc++;
    NEXT;
op_CLEAR:
    r[pc->a].i = VM_POISON;
    pc++;
    NEXT;
op_CHECK:
    if (r[pc->a].i == VM_POISON)
        STOP(ELM_VM_UNSET);
    pc++;
    NEXT;
op_ARRAY:
    x = (int64_t)array_table[pc->b].length / 4;
    if (fuel < (uint64_t)x)
        STOP(ELM_VM_FUEL);
    fuel -= (uint64_t)x;
    r[pc->a] = make_array(m, &array_table[pc->b], array_base);
    pc++;
    NEXT;
op_LOAD:
    e = element(arrays, r[pc->b], r[pc->c].i);
    if (e == NULL)
        STOP(ELM_VM_INDEX);
    if (e->i == VM_POISON)
        STOP(ELM_VM_UNSET);
    r[pc->a] = *e;
    pc++;
    NEXT;
op_STORE:
    e = element(arrays, r[pc->b], r[pc->c].i);
    if (e == NULL)
        STOP(ELM_VM_INDEX);
    *e = r[pc->a];
    pc++;
    NEXT;
op_LOAD2:
    e = element2(arrays, r[pc->b], r[pc->c].i, r[pc->c + 1].i);
    if (e == NULL)
        STOP(ELM_VM_INDEX);
    if (e->i == VM_POISON)
        STOP(ELM_VM_UNSET);
    r[pc->a] = *e;
    pc++;
    NEXT;
op_STORE2:
    e = element2(arrays, r[pc->b], r[pc->c].i, r[pc->c + 1].i);
    if (e == NULL)
        STOP(ELM_VM_INDEX);
    *e = r[pc->a];
    pc++;
    NEXT;
    INT_OP(ADD_I, x + y)
    INT_OP(SUB_I, x - y)
    INT_OP(MUL_I, (uint64_t)x * (uint64_t)y)
    INT_OP(AND_I, x & y)
    INT_OP(OR_I, x | y)
    INT_OP(XOR_I, x ^ y)
op_DIV_I:
    x = r[pc->b].i;
    y = r[pc->c].i;
    if (y == 0 || (y == -1 && x == INT32_MIN))
        STOP(ELM_VM_DIVIDE);
    r[pc->a].i = x / y;
    pc++;
    NEXT;
op_MOD_I:
    x = r[pc->b].i;
    y = r[pc->c].i;
    if (y == 0 || (y == -1 && x == INT32_MIN))
        STOP(ELM_VM_DIVIDE);
    r[pc->a].i = x % y;
    pc++;
    NEXT;
op_SHL_I:
    y = r[pc->c].i;
    if ((uint64_t)y > 31)
        STOP(ELM_VM_SHIFT);
    r[pc->a].i = (int32_t)((uint32_t)r[pc->b].i << y);
    pc++;
    NEXT;
op_SHR_I:
    y = r[pc->c].i;
    if ((uint64_t)y > 31)
        STOP(ELM_VM_SHIFT);
    r[pc->a].i = r[pc->b].i >> y;
    pc++;
    NEXT;
op_NEG_I:
    r[pc->a].i = (int32_t)(0u - (uint32_t)r[pc->b].i);
    pc++;
    NEXT;
op_NOT_I:
    r[pc->a].i = ~r[pc->b].i;
    pc++;
    NEXT;
op_ABS_I:
    x = r[pc->b].i;
    r[pc->a].i = x < 0 ? (int32_t)(0u - (uint32_t)x) : x;
    pc++;
    NEXT;
    COMPARE(EQ_I, i, ==)
    COMPARE(NE_I, i, !=)
    COMPARE(LT_I, i, <)
    COMPARE(LE_I, i, <=)
    REAL_OP(ADD_D, +)
    REAL_OP(SUB_D, -)
    REAL_OP(MUL_D, *)
    REAL_OP(DIV_D, /)
op_NEG_D:
    r[pc->a].d = -r[pc->b].d;
    pc++;
    NEXT;
    COMPARE(EQ_D, d, ==)
    COMPARE(NE_D, d, !=)
    COMPARE(LT_D, d, <)
    COMPARE(LE_D, d, <=)
op_ZERO_I:
    r[pc->a].i = r[pc->b].i == 0;
    pc++;
    NEXT;
op_ZERO_D:
    r[pc->a].i = r[pc->b].d == 0;
    pc++;
    NEXT;
op_TO_D:
    r[pc->a].d = (double)r[pc->b].i;
    pc++;
    NEXT;
op_TO_I:
    /* written so that NaN fails too */
    if (!(r[pc->b].d > -2147483649.0 && r[pc->b].d < 2147483648.0))
        STOP(ELM_VM_CONVERT);
    r[pc->a].i = (int32_t)r[pc->b].d;
    pc++;
    NEXT;
op_MATH1:
    r[pc->a].d = math1(pc->c, r[pc->b].d);
    pc++;
    NEXT;
op_MATH2:
    r[pc->a].d = math2(pc->c, r[pc->b].d, r[pc->b + 1].d);
    pc++;
    NEXT;
op_JUMP:
    pc = base + (pc->a | (uint32_t)pc->b << 16);
    NEXT;
    FAR_BRANCH(JZ_I, r[pc->a].i == 0)
    FAR_BRANCH(JNZ_I, r[pc->a].i != 0)
    FAR_BRANCH(JZ_D, r[pc->a].d == 0)
    FAR_BRANCH(JNZ_D, r[pc->a].d != 0)
    BRANCH(JEQ_I, r[pc->a].i == r[pc->b].i)
    BRANCH(JNE_I, r[pc->a].i != r[pc->b].i)
    BRANCH(JLT_I, r[pc->a].i < r[pc->b].i)
    BRANCH(JLE_I, r[pc->a].i <= r[pc->b].i)
    BRANCH(JLT_D, r[pc->a].d < r[pc->b].d)
    BRANCH(JLE_D, r[pc->a].d <= r[pc->b].d)
    BRANCH(JNLT_D, !(r[pc->a].d < r[pc->b].d))
    BRANCH(JNLE_D, !(r[pc->a].d <= r[pc->b].d))
op_CALL: {
    const struct vm_function *g = &functions[pc->b];
    union elm_value *frame = r + pc->c;
    uint32_t arrays_at = array_base + f->array_slots;
    if (depth == VM_CALLS_MAX || (size_t)(frame - m->slots) + g->frame > VM_SLOTS ||
        arrays_at + g->array_slots > VM_ARRAY_SLOTS)
        STOP(ELM_VM_STACK);
    m->calls[depth++] = (struct vm_call){pc + 1, f, r, array_base, pc->a};
    f = g;
    r = frame;
    array_base = arrays_at;
    memcpy(r + f->constant_slot, constants + f->constant_first,
           f->constant_count * sizeof(constants[0]));
    pc = base + f->first;
    NEXT;
}
op_RETURN:
    *result = r[pc->a];
    goto leave;
op_LEAVE:
    result->i = 0;
leave:
    if (depth == 0)
        goto stopped;
    depth--;
    f = m->calls[depth].function;
    r = m->calls[depth].frame;
    array_base = m->calls[depth].array_base;
    pc = m->calls[depth].back;
    r[m->calls[depth].into] = *result;
    NEXT;
op_TRACE:
    note_trace(m->watch, pc->b | (uint32_t)pc->c << 16, r[pc->a]);
    pc++;
    NEXT;
op_SNAP:
    note_snapshot(m->watch, r);
    pc++;
    NEXT;
stopped:
    *fuel_left = fuel;
    return end;
}

enum elm_vm_end elm_vm_run(const void *code, struct elm_vm_memory *m, const void *in, void *out,
                           uint64_t fuel, uint64_t *steps)
{
    const struct vm_code *c = code;
    union elm_value result;
    uint64_t left = fuel;
    uint32_t used = load_case(c, m, in);
    enum elm_vm_end end = run(c, m, used, &left, &result);
    *steps = fuel - left;
    store_case(c, m, result, out);
    return end;
}
