/* task: the in-memory form of a problem whose judge is a reference, its score, its folder. */
#include "learn/learn.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_array(uint8_t type)
{
    return type == ELM_TYPE_INT_ARRAY || type == ELM_TYPE_DOUBLE_ARRAY;
}

static bool is_real(uint8_t type)
{
    return type == ELM_TYPE_DOUBLE || type == ELM_TYPE_DOUBLE_ARRAY;
}

static uint32_t elements(const struct elm_io_param *p)
{
    return (p->dims[0] > 0 ? p->dims[0] : 1) * (p->dims[1] > 0 ? p->dims[1] : 1);
}

void task_slots(const struct elm_problem *p, struct task_slots *out)
{
    const struct elm_io *io = &p->io;
    out->in_count = out->out_count = 0;
    if (io->returns != ELM_TYPE_NONE)
        out->out[out->out_count++] = (struct formula_slot){.name = "", .count = 1,
                                                           .real = is_real(io->returns)};
    for (uint32_t i = 0; i < io->param_count; i++) {
        const struct elm_io_param *q = &io->params[i];
        struct formula_slot slot = {.name = q->name, .count = elements(q),
                                    .real = is_real(q->type), .array = is_array(q->type),
                                    .lo = p->inputs[i].lo, .hi = p->inputs[i].hi};
        slot.offset = q->in_offset;
        if (q->in_offset != UINT32_MAX)
            out->in[out->in_count++] = slot;
        slot.offset = q->out_offset;
        if (q->out_offset != UINT32_MAX)
            out->out[out->out_count++] = slot;
    }
}

void task_fill(const struct elm_problem *p, const struct task_slots *slots, enum elm_set set,
               uint32_t count, uint8_t *in)
{
    uint64_t s = formula_start(p->case_seed, (int)set);
    memset(in, 0, (size_t)count * p->io.in_bytes);
    for (uint32_t c = 0; c < count; c++)
        formula_fill(slots->in, slots->in_count, &s, in + (size_t)c * p->io.in_bytes);
}

bool task_finite(const struct task_slots *slots, const uint8_t *out)
{
    for (uint32_t i = 0; i < slots->out_count; i++) {
        const struct formula_slot *p = &slots->out[i];
        for (uint32_t k = 0; p->real && k < p->count; k++) {
            double x;
            memcpy(&x, out + p->offset + 8 * (size_t)k, 8);
            if (!isfinite(x))
                return false;
        }
    }
    return true;
}

void task_evidence(struct elm_task *t, const struct task_slots *slots)
{
    uint32_t out_bytes = t->problem.io.out_bytes, n = t->case_count[ELM_SET_SHOWN];
    memset(t->want_mask, 0, (size_t)n * out_bytes);
    for (uint32_t i = 0; i < slots->out_count; i++) {
        const struct formula_slot *p = &slots->out[i];
        for (uint32_t c = 0; c < n; c++)
            memset(t->want_mask + (size_t)c * out_bytes + p->offset, 1,
                   p->count * (p->real ? 8u : 4u));
    }
    t->evidence = (struct elm_evidence){.case_count = n, .in = t->in[ELM_SET_SHOWN],
                                        .want = t->want[ELM_SET_SHOWN],
                                        .want_mask = t->want_mask};
}

void elm_task_release(struct elm_task *t)
{
    elm_tree_release(&t->reference);
    elm_tree_release(&t->problem.seed);
    for (int set = 0; set < ELM_SETS; set++) {
        free(t->in[set]);
        free(t->want[set]);
    }
    free(t->want_mask);
    *t = (struct elm_task){0};
}

/* ---- of a folder ---- */

/* Draws a set and runs the reference on it. */
static enum elm_status fill_set(struct elm_task *t, const struct task_slots *slots,
                                const struct elm_buf *code, struct elm_vm_memory *vm,
                                enum elm_set set, struct elm_error *err)
{
    const struct elm_problem *p = &t->problem;
    uint32_t n = t->case_count[set] = p->case_count[set];
    uint8_t *in = t->in[set] = elm_malloc((size_t)n * p->io.in_bytes);
    uint8_t *want = t->want[set] = elm_malloc((size_t)n * p->io.out_bytes);
    task_fill(p, slots, set, n, in);
    for (uint32_t c = 0; c < n; c++) {
        uint64_t steps;
        uint8_t *out = want + (size_t)c * p->io.out_bytes;
        enum elm_vm_end end = elm_vm_run(code->ptr, vm, in + (size_t)c * p->io.in_bytes, out,
                                         p->fuel, &steps);
        if (end != ELM_VM_OK || !task_finite(slots, out))
            return elm_fail(err, ELM_USAGE, "reference.c of '%s' fails on a case: %s; narrow the "
                            "ranges under `inputs:`", p->name,
                            end == ELM_VM_OK ? "its output is not finite" : elm_vm_end_name(end));
    }
    return ELM_OK;
}

static enum elm_status read_reference(const struct elm_problem *p, struct elm_tree *out,
                                      struct elm_error *err)
{
    struct elm_error why = {0};
    struct elm_tree tree = {0};
    enum elm_status status = elm_tree_parse(elm_str(p->reference_text), p->names, &tree, &why);
    if (status == ELM_OK)
        status = elm_tree_check(&tree, p->names, &why);
    if (status == ELM_OK)
        status = elm_io_match(&p->io, &tree, p->names, &why);
    if (status != ELM_OK) {
        elm_tree_release(&tree);
        return elm_fail(err, ELM_USAGE, "reference.c of '%s': %s", p->name, why.message);
    }
    *out = tree;
    return ELM_OK;
}

enum elm_status elm_task_open(const struct elm_problem *p, struct elm_task *out,
                              struct elm_error *err)
{
    if (!p->by_reference)
        return elm_fail(err, ELM_USAGE, "the judge of '%s' is no reference: a task in memory needs "
                        "`judge: reference` in problem.yaml", p->name);
    if (p->seed.count == 0)
        return elm_fail(err, ELM_USAGE, "the seed of '%s' is outside core C: %s", p->name,
                        p->seed_outside);
    struct elm_task t = {.problem = *p};
    struct task_slots slots;
    struct elm_buf code = {0};
    struct elm_vm_memory *vm = elm_vm_memory_new();
    t.problem.seed = elm_tree_copy(&p->seed);
    task_slots(p, &slots);
    enum elm_status status = read_reference(p, &t.reference, err);
    if (status == ELM_OK)
        status = elm_vm_compile(&t.reference, p->names, &p->io, &code, err);
    for (int set = 0; set < ELM_SETS && status == ELM_OK; set++)
        status = fill_set(&t, &slots, &code, vm, (enum elm_set)set, err);
    elm_buf_release(&code);
    elm_vm_memory_free(vm);
    if (status != ELM_OK) {
        elm_task_release(&t);
        return status;
    }
    t.want_mask = elm_malloc((size_t)t.case_count[ELM_SET_SHOWN] * p->io.out_bytes);
    task_evidence(&t, &slots);
    *out = t;
    return ELM_OK;
}

/* ---- score ---- */

double elm_task_score(const struct elm_task *t, const struct elm_tree *program, enum elm_set set,
                      struct elm_vm_memory *vm, uint8_t *passes)
{
    const struct elm_problem *p = &t->problem;
    struct task_slots slots;
    struct elm_buf code = {0};
    double sum = 0;
    uint32_t n = t->case_count[set];
    if (passes != NULL)
        memset(passes, 0, n / 8 + 1);
    if (n == 0 || elm_vm_compile(program, p->names, &p->io, &code, NULL) != ELM_OK) {
        elm_buf_release(&code);
        return 0;
    }
    task_slots(p, &slots);
    uint8_t *out = elm_malloc(p->io.out_bytes);
    for (uint32_t c = 0; c < n; c++) {
        uint64_t steps;
        const uint8_t *in = (const uint8_t *)t->in[set] + (size_t)c * p->io.in_bytes;
        const uint8_t *want = (const uint8_t *)t->want[set] + (size_t)c * p->io.out_bytes;
        if (elm_vm_run(code.ptr, vm, in, out, p->fuel, &steps) != ELM_VM_OK ||
            !task_finite(&slots, out))
            continue;
        double worth = formula_case(slots.out, slots.out_count, want, out);
        if (passes != NULL && worth >= 1)
            passes[c / 8] |= (uint8_t)(1u << (c % 8));
        sum += worth;
    }
    free(out);
    elm_buf_release(&code);
    return sum / n;
}
