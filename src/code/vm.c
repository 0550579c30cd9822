/*
 * vm: runs a code block over one case. Every index is checked, every read of an unset value is
 * caught, every step is counted; nothing is allocated. Also linked into the caged runner.
 */
#include "code/vm.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NO_STATE UINT32_MAX

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
    m->state_slots = 0;
    return m;
}

void elm_vm_clear_state(struct elm_vm_memory *m, uint32_t slots)
{
    ELM_ASSERT(slots <= ELM_VM_STATE_SLOTS_MAX);
    if (slots > m->state_slots) {
        free(m->arrays);
        m->arrays = elm_malloc((VM_ARRAY_SLOTS + (size_t)slots) * sizeof(*m->arrays));
        m->state_slots = slots;
    }
    memset(m->arrays + VM_ARRAY_SLOTS, 0, slots * sizeof(*m->arrays));
}

void elm_vm_memory_free(struct elm_vm_memory *m)
{
    if (m == NULL)
        return;
    free(m->arrays);
    free(m);
}

/* By name. Through pointers, because a compiler that knows fmin and fmax swaps their operands, and
 * then the sign of a zero is another than in the exported C. */
static double (*const of_one[ELM_MATH_FUNCTIONS])(double) = {
    [2] = floor, [3] = ceil, [4] = sin,  [5] = cos,   [6] = tan,   [7] = atan,
    [9] = exp,   [10] = log, [15] = tanh, [16] = cbrt, [17] = round,
};
static double (*const of_two[ELM_MATH_FUNCTIONS])(double, double) = {
    [8] = atan2, [11] = pow, [12] = fmin, [13] = fmax, [14] = fmod, [19] = hypot,
};

static double math1(uint16_t function, double x)
{
    return function == 0 ? sqrt(x) : function == 1 ? fabs(x) : of_one[function](x);
}

/* Signalling NaNs would look unset. */
static double quiet(double x)
{
    return isnan(x) ? NAN : x;
}

static inline void load_element(union elm_value *to, const uint8_t *from, bool real)
{
    int32_t x;
    if (real) {
        memcpy(to, from, sizeof(to[0]));
        to->d = quiet(to->d);
        return;
    }
    memcpy(&x, from, 4);
    to->i = x;
}

typedef int32_t four_ints __attribute__((vector_size(16), aligned(1), may_alias));
typedef int64_t four_longs __attribute__((vector_size(32), aligned(1), may_alias));

static void load_elements(union elm_value *to, const uint8_t *from, uint32_t count, bool real)
{
    uint32_t i = 0;
    for (; !real && i + 4 <= count; i += 4)
        *(four_longs *)&to[i] = __builtin_convertvector(*(const four_ints *)(from + 4 * (size_t)i), four_longs);
    for (; i < count; i++)
        load_element(&to[i], from + (real ? 8 : 4) * (size_t)i, real);
}

static void store_elements(uint8_t *to, const union elm_value *from, uint32_t count, bool real)
{
    if (real) {
        memcpy(to, from, count * sizeof(from[0]));
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        int32_t x = (int32_t)from[i].i;
        memcpy(to + 4 * (size_t)i, &x, 4);
    }
}

static bool is_real(uint8_t type)
{
    return type == ELM_TYPE_DOUBLE || type == ELM_TYPE_DOUBLE_ARRAY;
}

/* A STATE array that lies elsewhere takes no room among the others. */
static bool is_kept(const struct vm_param *p, uint32_t state)
{
    return p->direction == ELM_IO_STATE && state != NO_STATE;
}

/* Lays the arguments of a case into the entry's frame. Returns the array slots used. state: where
 * the STATE arrays lie among the arrays. */
static uint32_t load_case(const struct vm_code *code, struct elm_vm_memory *m, uint32_t state,
                          const uint8_t *in)
{
    const struct vm_param *params =
        (const struct vm_param *)((const uint8_t *)code + code->params);
    uint32_t used = 0;
    for (uint32_t i = 0; i < code->param_count; i++) {
        const struct vm_param *p = &params[i];
        bool real = is_real(p->type);
        if (p->length == 0) {
            load_element(&m->slots[i], in + p->in_offset, real);
            continue;
        }
        bool kept = is_kept(p, state);
        struct vm_descriptor d = {.base = kept ? state : used, .length = p->length,
                                  .cols = p->cols};
        memcpy(&m->slots[i], &d, sizeof(d));
        if (kept) {
            state += p->length;
            continue;
        }
        if (p->in_offset == UINT32_MAX)
            memset(m->arrays + used, 0, p->length * sizeof(m->arrays[0]));
        else
            load_elements(m->arrays + used, in + p->in_offset, p->length, real);
        used += p->length;
    }
    return used;
}

/* What comes back comes first; without arrays it is all. */
static inline void store_result(const struct vm_code *code, union elm_value result, uint8_t *out)
{
    memset(out, 0, sizeof(result));
    if (code->returns == ELM_TYPE_DOUBLE)
        memcpy(out, &result, 8);
    else if (code->returns != ELM_TYPE_NONE)
        memcpy(out, &(int32_t){(int32_t)result.i}, 4);
}

static void store_case(const struct vm_code *code, const struct elm_vm_memory *m, uint32_t state,
                       union elm_value result, uint8_t *out)
{
    const struct vm_param *params =
        (const struct vm_param *)((const uint8_t *)code + code->params);
    uint32_t used = 0;
    if (code->gives_arrays)
        memset(out, 0, code->out_bytes);
    store_result(code, result, out);
    for (uint32_t i = 0; i < code->param_count; i++) {
        const struct vm_param *p = &params[i];
        if (p->length > 0 && p->out_offset != UINT32_MAX)
            store_elements(out + p->out_offset, m->arrays + used, p->length, is_real(p->type));
        used += is_kept(p, state) ? 0 : p->length;
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
    struct vm_descriptor d = {.base = base + a->offset, .length = a->length, .cols = a->cols};
    union elm_value slot, fill = {.i = a->zero ? 0 : VM_POISON};
    memcpy(&slot, &d, sizeof(d));
    for (uint32_t i = 0; i < a->length; i++)
        m->arrays[d.base + i] = fill;
    return slot;
}

/* The element that an instruction means; NULL when out of bounds. */
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

static const void *section(const struct vm_code *code, uint32_t offset)
{
    return (const uint8_t *)code + offset;
}

/* Makes f the running function, with its frame at `frame`; false when that is beyond a limit. */
static bool enter(struct elm_vm_memory *m, const struct vm_code *code,
                  const struct vm_function *f, union elm_value *frame, uint32_t array_base)
{
    if ((size_t)(frame - m->slots) + f->frame > VM_SLOTS ||
        array_base + f->array_slots > VM_ARRAY_SLOTS)
        return false;
    const union elm_value *constants = section(code, code->constants);
    memcpy(frame + f->constant_slot, constants + f->constant_first,
           f->constant_count * sizeof(constants[0]));
    m->function = f;
    m->array_base = array_base;
    return true;
}

/* The interpreter, of a function that was entered. What every instruction touches is local, so that it
 * stays in registers; the rest is in *m. */
static enum elm_vm_end run(const struct vm_code *code, struct elm_vm_memory *m, uint64_t *fuel_left,
                           union elm_value *result)
{
    static const void *const labels[] = {
#define X(name) &&op_##name,
        VM_OPS(X)
#undef X
    };
    const struct vm_instruction *pc =
        (const struct vm_instruction *)section(code, code->instructions) + m->function->first;
    union elm_value *r = m->slots, *arrays = m->arrays, *e;
    int64_t fuel = *fuel_left > INT64_MAX ? INT64_MAX : (int64_t)*fuel_left, x, y;
    int64_t given = fuel;
    enum elm_vm_end end = ELM_VM_OK;

    result->i = 0;
    m->depth = 0;
    goto *labels[pc->op];
#include "code/vm_ops.h"
stopped:
    *fuel_left -= (uint64_t)(given - fuel);
    return end;
}

static const struct vm_function *entry_of(const struct vm_code *code)
{
    return (const struct vm_function *)section(code, code->functions) + code->entry;
}

static enum elm_vm_end run_case(const void *code, struct elm_vm_memory *m, uint32_t state,
                                const void *in, void *out, uint64_t fuel, uint64_t *steps)
{
    const struct vm_code *c = code;
    union elm_value result = {.i = 0};
    uint64_t left = fuel;
    enum elm_vm_end end = ELM_VM_STACK;
    ELM_ASSERT(c->magic == VM_MAGIC);
    uint32_t used = load_case(c, m, state, in);
    if (enter(m, c, entry_of(c), m->slots, used))
        end = run(c, m, &left, &result);
    *steps = fuel - left;
    store_case(c, m, state, result, out);
    return end;
}

enum elm_vm_end elm_vm_run(const void *code, struct elm_vm_memory *m, const void *in, void *out,
                           uint64_t fuel, uint64_t *steps)
{
    return run_case(code, m, NO_STATE, in, out, fuel, steps);
}

uint32_t elm_vm_case_words(const void *code)
{
    const struct vm_code *c = code;
    const struct vm_param *params = section(c, c->params);
    uint32_t words = c->param_count;
    for (uint32_t i = 0; i < c->param_count; i++)
        words += params[i].length;
    return words;
}

void elm_vm_load(const void *code, struct elm_vm_memory *m, const void *in, union elm_value *words)
{
    const struct vm_code *c = code;
    uint32_t used = load_case(c, m, NO_STATE, in);
    memcpy(words, m->slots, c->param_count * sizeof(words[0]));
    memcpy(words + c->param_count, m->arrays, used * sizeof(words[0]));
}

uint32_t elm_vm_run_loaded(const void *code, struct elm_vm_memory *m, const union elm_value *words,
                           uint32_t count, uint64_t fuel, void *out)
{
    const struct vm_code *c = code;
    const struct vm_function *f = entry_of(c);
    uint32_t params = c->param_count, arrays = elm_vm_case_words(code) - params;
    if (!enter(m, c, f, m->slots, arrays))
        return 0;
    for (uint32_t i = 0; i < count; i++, words += params + arrays) {
        union elm_value result;
        uint64_t left = fuel;
        memcpy(m->slots, words, params * sizeof(words[0]));
        if (arrays > 0)
            memcpy(m->arrays, words + params, arrays * sizeof(words[0]));
        m->function = f;
        m->array_base = arrays;
        if (run(c, m, &left, &result) != ELM_VM_OK)
            return i;
        uint8_t *to = (uint8_t *)out + (size_t)i * c->out_bytes;
        if (c->gives_arrays)
            store_case(c, m, NO_STATE, result, to);
        else
            store_result(c, result, to);
    }
    return count;
}

uint32_t elm_vm_state_slots(const void *code)
{
    const struct vm_code *c = code;
    return c->state_slots;
}

enum elm_vm_end elm_vm_run_state(const void *code, struct elm_vm_memory *m, uint32_t first,
                                 const void *in, void *out, uint64_t fuel, uint64_t *steps)
{
    ELM_ASSERT((uint64_t)first + elm_vm_state_slots(code) <= m->state_slots);
    return run_case(code, m, VM_ARRAY_SLOTS + first, in, out, fuel, steps);
}
