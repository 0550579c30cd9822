/* trace: evidence of a run: values of every expression node, and of the names at one node. */
#include "code/vm.h"

#include <stdlib.h>
#include <string.h>

static void run_cases(const struct elm_buf *code, const struct elm_io *io, const void *in,
                      uint32_t case_count, uint64_t fuel, struct elm_vm_memory *m,
                      struct vm_watch *watch, uint8_t *ends)
{
    uint8_t *out = elm_malloc(io->out_bytes);
    m->watch = watch;
    for (uint32_t i = 0; i < case_count; i++) {
        uint64_t steps;
        watch->at_case = i;
        enum elm_vm_end end = elm_vm_run(code->ptr, m,
                                         (const uint8_t *)in + (size_t)i * io->in_bytes, out, fuel,
                                         &steps);
        if (ends != NULL)
            ends[i] = (uint8_t)end;
    }
    m->watch = NULL;
    free(out);
}

enum elm_status elm_vm_trace(const struct elm_tree *t, const struct elm_names *names,
                             const struct elm_io *io, const void *in, uint32_t case_count,
                             uint64_t fuel, struct elm_vm_memory *m, struct elm_trace *trace,
                             struct elm_error *err)
{
    struct vm_options options = {.trace = true, .snap_at = UINT32_MAX};
    struct elm_buf code = {0};
    enum elm_status status = vm_compile(t, names, io, &options, &code, err);
    if (status == ELM_OK) {
        size_t cells = (size_t)t->count * case_count;
        *trace = (struct elm_trace){
            .values = elm_calloc(cells + 1, sizeof(trace->values[0])),
            .visits = elm_calloc(cells + 1, sizeof(trace->visits[0])),
            .ends = elm_calloc(case_count + 1, 1),
            .node_count = t->count,
            .case_count = case_count,
        };
        struct vm_watch watch = {.values = trace->values, .visits = trace->visits,
                                 .case_count = case_count};
        run_cases(&code, io, in, case_count, fuel, m, &watch, trace->ends);
    }
    elm_buf_release(&code);
    return status;
}

void elm_trace_release(struct elm_trace *trace)
{
    free(trace->values);
    free(trace->visits);
    free(trace->ends);
    *trace = (struct elm_trace){0};
}

enum elm_status elm_vm_snapshot(const struct elm_tree *t, const struct elm_names *names,
                                const struct elm_io *io, uint32_t at,
                                const struct elm_symbol *symbols, uint32_t symbol_count,
                                const void *in, uint32_t case_count, uint64_t fuel,
                                struct elm_vm_memory *m, union elm_value *values, uint8_t *set,
                                struct elm_error *err)
{
    uint16_t *slots = elm_malloc((symbol_count + 1) * sizeof(*slots));
    for (uint32_t i = 0; i < symbol_count; i++)
        slots[i] = UINT16_MAX;
    struct vm_options options = {.snap_at = at, .symbols = symbols,
                                 .symbol_count = symbol_count, .snap_slots = slots};
    struct elm_buf code = {0};
    enum elm_status status = vm_compile(t, names, io, &options, &code, err);
    if (status == ELM_OK) {
        memset(set, 0, (size_t)symbol_count * case_count);
        struct vm_watch watch = {.slots = slots, .slot_count = symbol_count, .snapshot = values,
                                 .set = set, .case_count = case_count};
        run_cases(&code, io, in, case_count, fuel, m, &watch, NULL);
    }
    elm_buf_release(&code);
    free(slots);
    return status;
}
