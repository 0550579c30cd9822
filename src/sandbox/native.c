/*
 * native: programs outside core C, or in a tier that wants machine code: compiled in one cage,
 * run in another. A compiler that dies names its killer by how far it got.
 */
#include "sandbox/sandbox.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define TCC_CPU_MS 1000        /* one program; a usual one takes 0.1 ms */
#define GCC_WALL_MS 20000
#define ANSWER_MS 20000
#define COMPILED_MAX 1000      /* then libtcc starts afresh */

static struct build_results *builds_of(const struct elm_evaluator *e)
{
    return (struct build_results *)(void *)e->builds.memory;
}

static void put_text(struct elm_evaluator *e, const struct run *r, uint32_t index,
                     struct build_job *job)
{
    struct elm_str text = run_text(e, r);
    job->at = e->shim.len + (uint64_t)index * ELM_TEXT_BYTES_MAX;
    job->bytes = text.len;
    if (text.len > 0)
        memcpy(e->text.memory + job->at, text.ptr, text.len);
}

/* The compiler died before it was done with this one. */
static void blame(struct run *r, int wait_status, uint32_t cpu_ms)
{
    int code = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 0;
    if (code == COMPILER_TIMEOUT)
        run_fail(r, ELM_EVAL_TIMEOUT, "compiling it takes more than %u ms", cpu_ms);
    else if (code == COMPILER_CRASHED)
        run_fail(r, ELM_EVAL_BUILD_FAILED, "the compiler can't take it: nested too deeply");
    else if (r->retried)
        run_fail(r, ELM_EVAL_FAULT, "the compiler died of it twice");
    r->retried = true;
}

/* One trip to the compiler. Afterwards each has a state; BUILD_LATER, and where the compiler died
 * BUILD_NONE: again. */
static enum elm_status compile(struct elm_evaluator *e, struct run **runs, uint32_t count,
                               enum elm_tier tier, bool *died, struct elm_error *err)
{
    struct cage *c = tier == ELM_TIER_GCC ? &e->gcc : &e->compiler;
    struct compiler_request q = {.op = COMPILER_BUILD, .count = count,
                                 .cpu_ms = tier == ELM_TIER_GCC ? GCC_WALL_MS : TCC_CPU_MS,
                                 .memory_mb = e->problem->memory_mb};
    struct compiler_reply reply;
    if (tier == ELM_TIER_FAST && e->compiled_since_start > COMPILED_MAX)
        cage_stop(c);
    if (c->socket < 0)
        ELM_TRY(evaluator_start_compiler(e, tier, err));
    memset(builds_of(e)->jobs, 0, count * sizeof(builds_of(e)->jobs[0]));
    for (uint32_t i = 0; i < count; i++)
        put_text(e, runs[i], i, &q.jobs[i]);
    e->compiled_since_start += count;
    if (cage_ask(c, &q, offsetof(struct compiler_request, jobs) + count * sizeof(q.jobs[0]), NULL,
                 0, &reply, sizeof(reply), sizeof(reply), count * q.cpu_ms + ANSWER_MS) == ELM_OK) {
        c->live_cpu_us = reply.cpu_us;
        *died = false;
        return ELM_OK;
    }
    *died = true;
    e->totals.restarts++;
    /* the first that it was not done with; else the first that it put off */
    static const uint32_t order[] = {BUILD_NONE, BUILD_LATER};
    for (size_t k = 0; k < ELM_COUNT(order); k++) {
        for (uint32_t i = 0; i < count; i++) {
            if (builds_of(e)->jobs[i].state == order[k]) {
                blame(runs[i], c->wait_status, q.cpu_ms);
                return ELM_OK;
            }
        }
    }
    return ELM_OK;
}

/* What the compiler said of one, true when that is code; it wrote this memory, so nothing in it is
 * trusted. */
static bool take_build(const struct elm_evaluator *e, struct run *r, uint32_t index, bool died)
{
    struct build_result b = builds_of(e)->jobs[index];
    b.why[sizeof(b.why) - 1] = '\0';
    r->code = b.code;
    switch (b.state) {
    case BUILD_OK:
        if (b.code.offset % CODE_ALIGN != 0 || b.code.offset < SHIM_BYTES ||
            b.code.offset > WINDOW_BYTES || b.code.bytes == 0 ||
            b.code.bytes > WINDOW_BYTES - b.code.offset || b.code.entry < CODE_BASE ||
            b.code.entry - CODE_BASE >= b.code.bytes)
            run_fail(r, ELM_EVAL_FAULT, "the compiler gave no code");
        break;
    case BUILD_FAILED: run_fail(r, ELM_EVAL_BUILD_FAILED, "%s", b.why); break;
    case BUILD_MEMORY: run_fail(r, ELM_EVAL_MEMORY, "%s", b.why); break;
    case BUILD_TIMEOUT: run_fail(r, ELM_EVAL_TIMEOUT, "%s", b.why); break;
    case BUILD_LATER: break;
    default:
        if (!died || b.state != BUILD_NONE)
            run_fail(r, ELM_EVAL_FAULT, "the compiler gave neither code nor a reason");
        break;
    }
    return b.state == BUILD_OK;
}

static void take_signal(struct run *r, int signal, const struct run_result *result, uint32_t cpu_ms)
{
    static const struct {
        int signal;
        const char *name;
    } names[] = {
        {SIGSEGV, "segmentation fault"}, {SIGFPE, "division by zero or overflow"},
        {SIGILL, "illegal instruction"}, {SIGBUS, "bus error"}, {SIGABRT, "aborted"},
        {SIGTRAP, "breakpoint"},
    };
    bool spent = result->cpu_us / 1000 >= cpu_ms - cpu_ms / 8;
    if (signal == SIGSYS) {
        run_fail(r, ELM_EVAL_REFUSED, "it made a system call");
    } else if (signal == SIGXCPU || (signal == SIGKILL && spent)) {
        run_fail(r, ELM_EVAL_TIMEOUT, "more than %u ms of CPU time", cpu_ms);
    } else if (signal == SIGKILL) {
        /* by the memory limit of the cage, or by someone outside: the second time decides */
        if (r->retried)
            run_fail(r, ELM_EVAL_MEMORY, "killed for want of memory");
        r->retried = true;
    } else {
        run_fail(r, ELM_EVAL_CRASHED, "signal %d", signal);
        for (size_t i = 0; i < ELM_COUNT(names); i++) {
            if (names[i].signal == signal)
                run_fail(r, ELM_EVAL_CRASHED, "%s", names[i].name);
        }
    }
}

uint32_t native_wall_ms(const struct elm_evaluator *e)
{
    return 10 * e->problem->cpu_ms + 2000;
}

/* Where the compiler put the shim; 0: nowhere that it could be. */
uint64_t native_shim(const struct elm_evaluator *e)
{
    uint64_t shim = builds_of(e)->shim;
    return shim >= SHIM_BASE && shim < SHIM_BASE + SHIM_BYTES ? shim : 0;
}

bool native_take(struct elm_evaluator *e, struct run *r, const struct run_result *result)
{
    uint32_t cpu_ms = e->problem->cpu_ms;
    bool before = r->retried;
    r->cost.cpu_us = result->cpu_us;
    if (result->late) {
        if (r->retried && e->problem->rounds > 0)
            run_fail(r, ELM_EVAL_TIMEOUT, "it did not answer in %u ms", native_wall_ms(e));
        else if (r->retried)
            run_fail(r, ELM_EVAL_FAULT, "it got too little CPU time for its time limit");
        r->retried = true;
    } else if (WIFSIGNALED(result->wait_status)) {
        take_signal(r, WTERMSIG(result->wait_status), result, cpu_ms);
    } else {
        switch (WEXITSTATUS(result->wait_status)) {
        case RUN_DONE:
            e->totals.near_limit += result->cpu_us / 750 >= cpu_ms;
            break;
        case RUN_NO_MEMORY:
            run_fail(r, ELM_EVAL_MEMORY, "more than %u MiB of heap", e->problem->memory_mb);
            break;
        case RUN_ABORTED: run_fail(r, ELM_EVAL_CRASHED, "aborted"); break;
        default: run_fail(r, ELM_EVAL_INVALID, "exited before answering"); break;
        }
    }
    return r->retried == before || r->status != ELM_EVAL_OK;
}

/* One trip to the runner; false when it died. `again` gets those to be run once more. */
static bool run_built(struct elm_evaluator *e, struct run **runs, uint32_t count, enum elm_set set,
                      struct run **again, uint32_t *again_count)
{
    uint32_t wall_ms = native_wall_ms(e);
    struct runner_request q = {.op = RUNNER_NATIVE, .set = set, .count = count,
                               .cpu_ms = e->problem->cpu_ms, .wall_ms = wall_ms,
                               .shim = native_shim(e)};
    struct runner_reply reply;
    for (uint32_t i = 0; i < count; i++)
        q.jobs[i] = (struct run_job){.code = runs[i]->code, .slot = runs[i]->slot};
    if (q.shim == 0)
        return false;
    if (cage_ask(&e->runner, &q, offsetof(struct runner_request, jobs) + count * sizeof(q.jobs[0]),
                 NULL, 0, &reply, runner_reply_bytes(count), sizeof(reply),
                 count * wall_ms + ANSWER_MS) != ELM_OK || reply.count != count)
        return false;
    e->runner.live_cpu_us = reply.cpu_us;
    for (uint32_t i = 0; i < count; i++) {
        if (!native_take(e, runs[i], &reply.results[i]))
            again[(*again_count)++] = runs[i];
    }
    return true;
}

/* Runs what compiled; when the runner dies, each on its own, once. */
static enum elm_status run_all_built(struct elm_evaluator *e, struct run **runs, uint32_t count,
                                     enum elm_set set, struct elm_error *err)
{
    struct run *again[RUN_JOBS_MAX];
    uint32_t again_count = 0;
    if (!run_built(e, runs, count, set, again, &again_count)) {
        memcpy(again, runs, count * sizeof(again[0]));
        again_count = count;
    }
    for (uint32_t i = 0; i < again_count; i++) {
        struct run *still[1];
        uint32_t still_count = 0;
        if (e->runner.socket < 0) {
            e->totals.restarts++;
            ELM_TRY(evaluator_start_runner(e, err));
        }
        if (!run_built(e, &again[i], 1, set, still, &still_count) || still_count > 0)
            run_fail(again[i], ELM_EVAL_FAULT, "the runner died of it twice");
    }
    if (e->runner.socket >= 0)
        return ELM_OK;
    e->totals.restarts++;
    return evaluator_start_runner(e, err);
}

/* One trip to the compiler: what it built goes to `built`, what it didn't get to stays in `left`. */
static enum elm_status build_some(struct elm_evaluator *e, struct run **left, uint32_t *left_count,
                                  struct run **built, uint32_t *built_count, enum elm_tier tier,
                                  struct elm_error *err)
{
    uint32_t count = *left_count;
    bool died;
    *left_count = *built_count = 0;
    ELM_TRY(compile(e, left, count, tier, &died, err));
    for (uint32_t i = 0; i < count; i++) {
        struct run *r = left[i];
        if (r->status != ELM_EVAL_OK)
            continue;
        bool is_built = take_build(e, r, i, died);
        if (r->status != ELM_EVAL_OK)
            continue;
        if (is_built)
            built[(*built_count)++] = r;
        else
            left[(*left_count)++] = r;
    }
    /* one that puts off everything would do so for ever */
    for (; !died && *left_count == count && count > 0; count--)
        run_fail(left[--*left_count], ELM_EVAL_FAULT, "the compiler has no room for it");
    return ELM_OK;
}

enum elm_status native_build(struct elm_evaluator *e, struct run **runs, uint32_t count,
                             enum elm_tier tier, struct elm_error *err)
{
    *(tier == ELM_TIER_GCC ? &e->totals.gcc_runs : &e->totals.tcc_runs) += count;
    /* all anew when one is left: the next trip puts its code where that of this one is */
    for (uint32_t left_count = 1; left_count > 0;) {
        struct run *asked[RUN_JOBS_MAX] = {NULL}, *left[RUN_JOBS_MAX], *built[RUN_JOBS_MAX];
        uint32_t asked_count = 0, built_count;
        for (uint32_t i = 0; i < count; i++) {
            if (runs[i]->status == ELM_EVAL_OK)
                asked[asked_count++] = runs[i];
        }
        memcpy(left, asked, asked_count * sizeof(left[0]));
        left_count = asked_count;
        if (asked_count > 0)
            ELM_TRY(build_some(e, left, &left_count, built, &built_count, tier, err));
        for (uint32_t i = 0; i < asked_count; i++) {
            if (builds_of(e)->jobs[i].state == BUILD_LATER)
                run_fail(asked[i], ELM_EVAL_MEMORY, "the variables of both that play take more "
                         "memory than is allowed");
        }
    }
    return ELM_OK;
}

enum elm_status native_run(struct elm_evaluator *e, struct run **runs, uint32_t count,
                           enum elm_set set, enum elm_tier tier, struct elm_error *err)
{
    struct run *left[RUN_JOBS_MAX], *built[RUN_JOBS_MAX];
    memcpy(left, runs, count * sizeof(left[0]));
    *(tier == ELM_TIER_GCC ? &e->totals.gcc_runs : &e->totals.tcc_runs) += count;
    while (count > 0) {
        uint32_t built_count = 0;
        ELM_TRY(build_some(e, left, &count, built, &built_count, tier, err));
        if (built_count > 0)
            ELM_TRY(run_all_built(e, built, built_count, set, err));
    }
    /* gcc's cage is for one batch: its folder and its processes go with it */
    if (tier == ELM_TIER_GCC)
        cage_stop(&e->gcc);
    return ELM_OK;
}
