/*
 * running: jobs to evaluations. All programs of a batch that are core C run in one trip to the
 * runner, the rest in one to the compiler and one to the runner; one trip to the judge scores all.
 */
#include "sandbox/sandbox.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define STEP_NS 20             /* far more than a step takes */
#define ANSWER_MS 20000

void run_fail(struct run *r, enum elm_eval_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(r->why, sizeof(r->why), format, args);
    va_end(args);
    r->status = status;
    /* words of a candidate or its compiler end up on terminals */
    for (char *at = r->why; *at != '\0'; at++) {
        if ((unsigned char)*at < ' ' || (unsigned char)*at >= 127)
            *at = '?';
    }
}

struct elm_str run_text(const struct elm_evaluator *e, const struct run *r)
{
    if (r->tree == NULL)
        return r->text;
    return (struct elm_str){e->printed.ptr + r->printed_at, r->include_bytes + r->cost.text_bytes};
}

void run_print(struct elm_evaluator *e, struct run *r)
{
    r->printed_at = e->printed.len;
    elm_tree_includes(r->tree, e->problem->names, &e->printed);
    r->include_bytes = (uint32_t)(e->printed.len - r->printed_at);
    elm_tree_print(r->tree, e->problem->names, &e->printed);
    r->cost.text_bytes = (uint32_t)(e->printed.len - r->printed_at) - r->include_bytes;
}

void run_prepare(struct elm_evaluator *e, struct run *r, enum elm_tier tier, size_t *code_bytes)
{
    const struct elm_problem *p = e->problem;
    struct elm_error err = {0};
    r->status = ELM_EVAL_OK;
    r->native = r->tree == NULL || e->force_tcc || tier == ELM_TIER_GCC ||
                p->runner == ELM_RUNNER_TCC;
    if (r->tree != NULL) {
        r->cost.nodes = r->tree->count;
        r->cost.operators = elm_tree_operators(r->tree);
        run_print(e, r);
    } else {
        r->cost.text_bytes = (uint32_t)r->text.len;
    }
    if (r->tree != NULL && elm_io_match(&p->io, r->tree, p->names, &err) != ELM_OK) {
        run_fail(r, ELM_EVAL_BUILD_FAILED, "%s", err.message);
        return;
    }
    if (!r->native) {
        elm_buf_clear(&e->code);
        enum elm_status status = elm_vm_compile(r->tree, p->names, &p->io, &e->code, &err);
        if (status == ELM_OK) {
            r->code.offset = *code_bytes;
            memcpy(e->vm_code.memory + *code_bytes, e->code.ptr, e->code.len);
            *code_bytes += (e->code.len + 63) & ~(size_t)63;
            return;
        }
        r->native = status == ELM_RANGE;
        if (!r->native) {
            run_fail(r, ELM_EVAL_BUILD_FAILED, "%s", err.message);
            return;
        }
    }
    if (p->needs_steps)
        run_fail(r, ELM_EVAL_REFUSED, "only core C in the virtual machine: its steps are counted");
    else if (run_text(e, r).len > ELM_TEXT_BYTES_MAX)
        run_fail(r, ELM_EVAL_BUILD_FAILED, "a text of %zu bytes, %d are allowed",
                 run_text(e, r).len, ELM_TEXT_BYTES_MAX);
    else if (memchr(run_text(e, r).ptr, '\0', run_text(e, r).len) != NULL)
        run_fail(r, ELM_EVAL_BUILD_FAILED, "its text holds a zero byte");
}

void run_take_vm(struct run *r, const struct run_result *result)
{
    r->cost.steps = result->steps;
    if (result->end >= ELM_VM_ENDS)
        run_fail(r, ELM_EVAL_FAULT, "the runner gave no verdict");
    else if (result->end != ELM_VM_OK)
        run_fail(r, result->end == ELM_VM_FUEL ? ELM_EVAL_TIMEOUT : ELM_EVAL_CRASHED, "%s",
                 elm_vm_end_name(result->end));
}

/* One trip to the runner; false when it died. */
static bool ask_vm(struct elm_evaluator *e, struct run **runs, uint32_t count, enum elm_set set)
{
    struct runner_request q = {.op = RUNNER_VM, .set = set, .count = count,
                               .fuel = e->problem->fuel};
    struct runner_reply reply;
    for (uint32_t i = 0; i < count; i++)
        q.jobs[i] = (struct run_job){.code = runs[i]->code, .slot = runs[i]->slot};
    double most = (double)count * e->sets[set].count * (double)q.fuel * STEP_NS / 1e6 + ANSWER_MS;
    if (cage_ask(&e->runner, &q, offsetof(struct runner_request, jobs) + count * sizeof(q.jobs[0]),
                 NULL, 0, &reply, runner_reply_bytes(count), sizeof(reply),
                 most < 1e9 ? (uint32_t)most : 1000000000u) != ELM_OK || reply.count != count)
        return false;
    e->runner.live_cpu_us = reply.cpu_us;
    e->totals.vm_runs += count;
    for (uint32_t i = 0; i < count; i++)
        run_take_vm(runs[i], &reply.results[i]);
    return true;
}

static enum elm_status run_vm(struct elm_evaluator *e, struct run **runs, uint32_t count,
                              enum elm_set set, struct elm_error *err)
{
    if (count == 0 || ask_vm(e, runs, count, set))
        return ELM_OK;
    for (uint32_t i = 0; i < count; i++) {
        if (e->runner.socket < 0) {
            e->totals.restarts++;
            ELM_TRY(evaluator_start_runner(e, err));
        }
        if (!ask_vm(e, &runs[i], 1, set))
            run_fail(runs[i], ELM_EVAL_FAULT, "the runner died of it twice");
    }
    if (e->runner.socket >= 0)
        return ELM_OK;
    e->totals.restarts++;
    return evaluator_start_runner(e, err);
}

static void check_finite(const struct elm_evaluator *e, struct run *r, enum elm_set set)
{
    const struct elm_io *io = &e->problem->io;
    const uint8_t *out = e->results.memory + r->slot * e->slot_bytes;
    for (uint32_t k = 0; k <= io->param_count; k++) {
        const struct elm_io_param *p = k < io->param_count ? &io->params[k] : NULL;
        uint32_t at = p == NULL ? 0 : p->out_offset, count = 1;
        if (p == NULL ? io->returns != ELM_TYPE_DOUBLE
                      : p->direction == ELM_IO_IN || p->type != ELM_TYPE_DOUBLE_ARRAY)
            continue;
        if (p != NULL)
            count = p->dims[0] * (p->dims[1] > 0 ? p->dims[1] : 1);
        for (uint32_t i = 0; i < e->sets[set].count; i++) {
            for (uint32_t j = 0; j < count; j++) {
                double x;
                memcpy(&x, out + (size_t)i * io->out_bytes + at + 8 * (size_t)j, sizeof(x));
                if (!isfinite(x)) {
                    run_fail(r, ELM_EVAL_INVALID, "its output is not finite");
                    return;
                }
            }
        }
    }
}

static enum elm_status run_all(struct elm_evaluator *e, struct run **runs, uint32_t count,
                               enum elm_set set, enum elm_tier tier, struct elm_error *err)
{
    struct run *vm[RUN_JOBS_MAX], *native[RUN_JOBS_MAX];
    uint32_t vm_count = 0, native_count = 0;
    size_t code_bytes = 0;
    elm_buf_clear(&e->printed);
    for (uint32_t i = 0; i < count; i++) {
        run_prepare(e, runs[i], tier, &code_bytes);
        if (runs[i]->status != ELM_EVAL_OK)
            continue;
        if (runs[i]->native)
            native[native_count++] = runs[i];
        else
            vm[vm_count++] = runs[i];
    }
    ELM_TRY(run_vm(e, vm, vm_count, set, err));
    if (native_count > 0)
        ELM_TRY(native_run(e, native, native_count, set, tier, err));
    for (uint32_t i = 0; i < count; i++) {
        if (runs[i]->status == ELM_EVAL_OK)
            check_finite(e, runs[i], set);
    }
    return ELM_OK;
}

static bool has_opponent(const struct elm_evaluator *e, const struct elm_job *job)
{
    return e->problem->judge == ELM_JUDGE_COMPARE &&
           (job->opponent != NULL || job->opponent_text.len > 0);
}

/* In rounds an opponent plays each game anew. */
static enum elm_status play(struct elm_evaluator *e, struct elm_job *jobs, uint32_t count,
                            enum elm_set set, enum elm_tier tier, struct elm_error *err)
{
    struct run *of[ELM_JOBS_MAX], *opponents[ELM_JOBS_MAX] = {NULL};
    for (uint32_t i = 0; i < count; i++) {
        of[i] = &e->runs[i];
        if (!has_opponent(e, &jobs[i]))
            continue;
        opponents[i] = &e->runs[ELM_JOBS_MAX + i];
        *opponents[i] = (struct run){.tree = jobs[i].opponent, .text = jobs[i].opponent_text,
                                     .slot = ELM_JOBS_MAX + i};
    }
    return play_jobs(e, jobs, of, opponents, count, set, tier, err);
}

/* The opponent's run: one whose outputs are still there, or a new one in the oldest slot. */
static struct run *find_opponent(struct elm_evaluator *e, const struct elm_job *job,
                                 enum elm_set set, enum elm_tier tier, bool *fresh)
{
    uint64_t hash = job->opponent != NULL
                        ? elm_tree_text_hash(job->opponent)
                        : elm_hash(job->opponent_text.ptr, job->opponent_text.len, 1);
    uint64_t key = elm_hash_mix(hash, set * 2u + tier + 1);
    uint32_t oldest = 0;
    *fresh = false;
    for (uint32_t i = 0; i < OPPONENT_SLOTS; i++) {
        if (e->known[i].key == key) {
            e->known[i].used = e->run_number;
            return &e->runs[ELM_JOBS_MAX + i];
        }
        if (e->known[i].used < e->known[oldest].used)
            oldest = i;
    }
    *fresh = true;
    e->known[oldest] = (struct known){key, e->run_number};
    struct run *r = &e->runs[ELM_JOBS_MAX + oldest];
    *r = (struct run){.tree = job->opponent, .text = job->opponent_text,
                      .slot = ELM_JOBS_MAX + oldest};
    return r;
}

static void fill(struct elm_evaluator *e, struct elm_job *job, const struct run *r,
                 enum elm_set set)
{
    struct elm_evaluation *out = &job->evaluation;
    out->status = r->status;
    out->steps = r->cost.steps;
    out->cpu_us = (uint32_t)r->cost.cpu_us;
    out->cases = (uint16_t)e->sets[set].count;
    out->in_vm = !r->native && r->status != ELM_EVAL_BUILD_FAILED;
    memcpy(out->why, r->why, sizeof(out->why));
    if (r->status != ELM_EVAL_OK)
        return;
    e->finished[r->slot] = true;
    out->signature = elm_hash(e->results.memory + r->slot * e->slot_bytes,
                              (size_t)e->sets[set].count * e->problem->io.out_bytes, 0);
}

static enum elm_status run_and_judge(struct elm_evaluator *e, struct elm_job *jobs, uint32_t count,
                                     enum elm_set set, enum elm_tier tier, struct elm_error *err)
{
    struct run *runs[RUN_JOBS_MAX], *of[ELM_JOBS_MAX], *opponents[ELM_JOBS_MAX] = {NULL};
    uint32_t run_count = 0;
    e->run_number++;
    for (uint32_t i = 0; i < count; i++) {
        bool fresh = false;
        runs[run_count++] = of[i] = &e->runs[i];
        if (has_opponent(e, &jobs[i]))
            opponents[i] = find_opponent(e, &jobs[i], set, tier, &fresh);
        if (fresh)
            runs[run_count++] = opponents[i];
    }
    enum elm_status status = run_all(e, runs, run_count, set, tier, err);
    if (status == ELM_OK)
        status = judge_jobs(e, jobs, of, opponents, count, set, err);
    /* half-done opponents are not to be taken for done ones */
    for (uint32_t i = 0; i < OPPONENT_SLOTS; i++) {
        if (status != ELM_OK || e->runs[ELM_JOBS_MAX + i].status == ELM_EVAL_FAULT)
            e->known[i].key = 0;
    }
    return status;
}

enum elm_status elm_evaluator_run(struct elm_evaluator *e, struct elm_job *jobs, uint32_t count,
                                  enum elm_set set, enum elm_tier tier, struct elm_error *err)
{
    ELM_ASSERT(count <= ELM_JOBS_MAX && set < ELM_SETS);
    memset(e->finished, 0, sizeof(e->finished));
    for (uint32_t i = 0; i < count; i++)
        jobs[i].evaluation = (struct elm_evaluation){0};
    for (uint32_t i = 0; e->problem->judge == ELM_JUDGE_COMMAND && i < count; i++)
        ELM_TRY(command_run(e, &jobs[i], err));
    if (e->problem->judge == ELM_JUDGE_COMMAND)
        return ELM_OK;
    ELM_TRY(evaluator_need_set(e, set, err));
    for (uint32_t i = 0; i < count; i++) {
        e->runs[i] = (struct run){.tree = jobs[i].tree, .text = jobs[i].text, .slot = i};
        memset(e->passes[i], 0, sizeof(e->passes[i]));
    }
    enum elm_status status = e->problem->rounds > 0 ? play(e, jobs, count, set, tier, err)
                                                    : run_and_judge(e, jobs, count, set, tier, err);
    for (uint32_t i = 0; status == ELM_OK && i < count; i++)
        fill(e, &jobs[i], &e->runs[i], set);
    return status;
}
