/* evaluator: opens the cages of one worker, makes the cases, keeps what the last run gave. */
#include "sandbox/sandbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define OUT_BYTES_MAX ((size_t)64 << 20)      /* of one program on one set */
#define RUNNER_MB 1024                         /* besides its results */
#define COMPILER_MB 512
#define GCC_MB 1024
#define RUNNER_ANSWER_MS 20000

static const struct cage idle_cage = {.socket = -1, .pid = -1};

bool program_find(const char *name, char *path, size_t cap)
{
    const char *at = getenv("PATH");
    if (at == NULL)
        at = "/usr/local/bin:/usr/bin:/bin";
    while (*at != '\0') {
        size_t len = strcspn(at, ":");
        struct stat st;
        if (len > 0 && *at == '/' &&
            snprintf(path, cap, "%.*s/%s", (int)len, at, name) < (int)cap &&
            stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0)
            return true;
        at += len + (at[len] == ':');
    }
    return false;
}

static enum elm_status give_set(struct elm_evaluator *e, enum elm_set set)
{
    struct runner_set q = {.op = RUNNER_SET, .set = set, .count = e->sets[set].count};
    struct runner_reply reply;
    return cage_ask(&e->runner, &q, sizeof(q), &e->sets[set].fd, 1, &reply,
                    runner_reply_bytes(0), sizeof(reply), RUNNER_ANSWER_MS);
}

enum elm_status evaluator_start_runner(struct elm_evaluator *e, struct elm_error *err)
{
    const struct elm_io *io = &e->problem->io;
    struct cage_def def = {.keeper = e->keeper, .kind = CAGE_RUNNER, .level = (uint32_t)e->level,
                           .memory_mb = RUNNER_MB + e->problem->memory_mb +
                                        (uint32_t)(e->results.bytes >> 20),
                           .processes = 16, .program = -1};
    struct cage_hello hello;
    ELM_TRY(cage_start(&e->runner, &def, CAGE_READY, &hello, sizeof(hello), err));
    struct runner_setup q = {.op = RUNNER_SETUP, .in_bytes = io->in_bytes,
                             .out_bytes = io->out_bytes, .memory_mb = e->problem->memory_mb,
                             .vm_bytes = e->vm_code.bytes, .result_bytes = e->results.bytes,
                             .slot_bytes = e->slot_bytes};
    struct runner_reply reply;
    int fds[3] = {shared_read_only(&e->vm_code), shared_read_only(&e->window), e->results.fd};
    enum elm_status status = cage_ask(&e->runner, &q, sizeof(q), fds, 3, &reply,
                                      runner_reply_bytes(0), sizeof(reply), RUNNER_ANSWER_MS);
    close(fds[0]);
    close(fds[1]);
    if (status == ELM_OK && e->problem->rounds > 0)
        status = play_join(e, false, NULL);
    for (int set = 0; status == ELM_OK && set < ELM_SETS; set++) {
        if (e->sets[set].fd >= 0)
            status = give_set(e, (enum elm_set)set);
    }
    /* what a broken runner left in the results is not to be trusted */
    memset(e->known, 0, sizeof(e->known));
    if (status != ELM_OK)
        return elm_fail(err, ELM_SANDBOX, "the caged runner died while it started");
    return ELM_OK;
}

enum elm_status evaluator_start_compiler(struct elm_evaluator *e, enum elm_tier tier,
                                         struct elm_error *err)
{
    bool gcc = tier == ELM_TIER_GCC;
    struct cage *c = gcc ? &e->gcc : &e->compiler;
    struct cage_def def = {.keeper = e->keeper, .kind = gcc ? CAGE_GCC : CAGE_COMPILER,
                           .level = (uint32_t)e->level, .memory_mb = gcc ? GCC_MB : COMPILER_MB,
                           .processes = gcc ? 32 : 4, .program = -1};
    struct cage_hello hello;
    if (gcc && e->gcc_path[0] == '\0' && !program_find("gcc", e->gcc_path, sizeof(e->gcc_path)))
        return elm_fail(err, ELM_NOT_FOUND, "there is no gcc on PATH: apt-get install gcc");
    ELM_TRY(cage_start(c, &def, CAGE_READY, &hello, sizeof(hello), err));
    struct compiler_setup q = {.op = COMPILER_SETUP, .text_bytes = e->text.bytes,
                               .shim_bytes = e->shim.len};
    memcpy(e->text.memory, e->shim.ptr, e->shim.len);
    snprintf(q.entry, sizeof(q.entry), "%s", e->problem->io.entry);
    snprintf(q.gcc, sizeof(q.gcc), "%s", e->gcc_path);
    struct compiler_reply reply;
    int fds[3] = {shared_read_only(&e->text), e->window.fd, e->builds.fd};
    enum elm_status status = cage_ask(c, &q, sizeof(q), fds, 3, &reply, sizeof(reply),
                                      sizeof(reply), RUNNER_ANSWER_MS);
    close(fds[0]);
    e->compiled_since_start = 0;
    if (status != ELM_OK)
        return elm_fail(err, ELM_SANDBOX, "the caged compiler died while it started");
    return ELM_OK;
}

enum elm_status evaluator_need_set(struct elm_evaluator *e, enum elm_set set,
                                   struct elm_error *err)
{
    struct cases *c = &e->sets[set];
    if (c->fd >= 0)
        return ELM_OK;
    ELM_TRY(judge_make(e, set, err));
    struct elm_str bytes = {(const char *)c->in, (size_t)c->count * e->problem->io.in_bytes};
    ELM_TRY(sealed_make("elm-cases", bytes, false, &c->fd, err));
    if (give_set(e, set) == ELM_OK)
        return ELM_OK;
    e->totals.restarts++;
    return evaluator_start_runner(e, err);
}

static enum elm_status share_memory(struct elm_evaluator *e, struct elm_error *err)
{
    const struct elm_problem *p = e->problem;
    uint32_t cases = 1;
    for (int set = 0; set < ELM_SETS; set++)
        cases = p->case_count[set] > cases ? p->case_count[set] : cases;
    if (cases > ELM_CASES_MAX)
        return elm_fail(err, ELM_RANGE, "a set of %u cases: %d are allowed", cases, ELM_CASES_MAX);
    size_t out = (size_t)cases * p->io.out_bytes, in = (size_t)cases * p->io.in_bytes;
    if (out > OUT_BYTES_MAX || in > OUT_BYTES_MAX)
        return elm_fail(err, ELM_RANGE, "%u cases of %u bytes in and %u out: %zu MiB a set and "
                        "side are allowed", cases, p->io.in_bytes, p->io.out_bytes,
                        OUT_BYTES_MAX >> 20);
    size_t data = in > 2 * out ? in : 2 * out;
    data = data > JUDGE_SVG_BYTES ? data : JUDGE_SVG_BYTES;
    e->slot_bytes = (out + 63) & ~(size_t)63;
    e->zeros = elm_calloc(1, e->slot_bytes);
    ELM_TRY(shared_make(&e->results, "elm-results", e->slot_bytes * RUN_JOBS_MAX, err));
    ELM_TRY(shared_make(&e->judge_memory, "elm-judge", sizeof(struct judge_shared) + data, err));
    ELM_TRY(shared_make(&e->vm_code, "elm-vm", (size_t)RUN_JOBS_MAX * ELM_VM_CODE_BYTES_MAX, err));
    ELM_TRY(shared_make(&e->window, "elm-window", WINDOW_BYTES, err));
    ELM_TRY(shared_make(&e->builds, "elm-builds", sizeof(struct build_results), err));
    if (p->rounds > 0)
        ELM_TRY(play_open(e, cases, err));
    shim_write(&p->io, p->rounds > 0, &e->shim);
    return shared_make(&e->text, "elm-text",
                       (size_t)(RUN_JOBS_MAX + 1) * ELM_TEXT_BYTES_MAX + e->shim.len, err);
}

/* A copy in memory: later changes of the file don't matter, and a nobody can run it. */
static enum elm_status load_judge(struct elm_evaluator *e, const char *path, struct elm_error *err)
{
    struct elm_buf bytes = {0};
    enum elm_status status = elm_file_read(path, (size_t)256 << 20, &bytes, err);
    if (status == ELM_OK)
        status = sealed_make("elm-judge", elm_buf_str(&bytes), true, &e->judge_program, err);
    elm_buf_release(&bytes);
    return status;
}

static enum elm_status open_all(struct elm_evaluator *e, const struct elm_evaluator_def *def,
                                struct elm_error *err)
{
    if (e->problem->judge == ELM_JUDGE_COMMAND)
        return ELM_OK;
    ELM_TRY(share_memory(e, err));
    ELM_TRY(load_judge(e, def->judge_path, err));
    ELM_TRY(judge_start(e, err));
    ELM_TRY(evaluator_start_runner(e, err));
    for (int set = ELM_SET_SHOWN; set <= ELM_SET_SCORED; set++) {
        if (e->problem->case_count[set] > 0)
            ELM_TRY(evaluator_need_set(e, (enum elm_set)set, err));
    }
    return e->sets[ELM_SET_SHOWN].fd >= 0 ? judge_want(e, err) : ELM_OK;
}

enum elm_status elm_evaluator_open(const struct elm_evaluator_def *def, struct elm_evaluator **out,
                                   struct elm_error *err)
{
    ELM_ASSERT(def->keeper != NULL && def->problem != NULL);
    if (def->level < 1 || def->level > 3)
        return elm_fail(err, ELM_USAGE, "sandbox level %d: 1, 2 and 3 are the levels", def->level);
    struct elm_evaluator *e = elm_calloc(1, sizeof(*e));
    e->keeper = def->keeper;
    e->problem = def->problem;
    e->level = def->level;
    e->force_tcc = def->force_tcc;
    e->judge_program = -1;
    e->runner = e->compiler = e->gcc = e->judge = e->command = idle_cage;
    struct shared *const memory[] = {&e->vm_code, &e->text,    &e->window,
                                     &e->builds,  &e->results, &e->judge_memory};
    for (size_t i = 0; i < ELM_COUNT(memory); i++)
        memory[i]->fd = -1;
    play_init(e);
    for (int set = 0; set < ELM_SETS; set++)
        e->sets[set].fd = -1;
    enum elm_status status = open_all(e, def, err);
    if (status != ELM_OK) {
        elm_evaluator_close(e);
        return status;
    }
    *out = e;
    return ELM_OK;
}

void elm_evaluator_close(struct elm_evaluator *e)
{
    if (e == NULL)
        return;
    struct cage *const cages[] = {&e->runner, &e->compiler, &e->gcc, &e->judge, &e->command};
    for (size_t i = 0; i < ELM_COUNT(cages); i++)
        cage_stop(cages[i]);
    struct shared *const memory[] = {&e->vm_code, &e->text,    &e->window,
                                     &e->builds,  &e->results, &e->judge_memory};
    for (size_t i = 0; i < ELM_COUNT(memory); i++)
        shared_release(memory[i]);
    play_close(e);
    for (int set = 0; set < ELM_SETS; set++) {
        free(e->sets[set].in);
        if (e->sets[set].fd >= 0)
            close(e->sets[set].fd);
    }
    if (e->judge_program >= 0)
        close(e->judge_program);
    free(e->want);
    free(e->want_mask);
    free(e->zeros);
    elm_buf_release(&e->code);
    elm_buf_release(&e->printed);
    elm_buf_release(&e->shim);
    free(e);
}

void elm_evaluator_evidence(struct elm_evaluator *e, uint32_t *case_count, const void **in,
                            const void **want, const uint8_t **want_mask)
{
    *case_count = e->sets[ELM_SET_SHOWN].count;
    *in = e->sets[ELM_SET_SHOWN].in;
    *want = e->want;
    *want_mask = e->want_mask;
}

const void *elm_evaluator_outputs(struct elm_evaluator *e, uint32_t job)
{
    ELM_ASSERT(job < ELM_JOBS_MAX);
    return e->finished[job] ? e->results.memory + job * e->slot_bytes : e->zeros;
}

const uint8_t *elm_evaluator_passes(struct elm_evaluator *e, uint32_t job)
{
    ELM_ASSERT(job < ELM_JOBS_MAX);
    return e->passes[job];
}

void elm_evaluator_totals(struct elm_evaluator *e, struct elm_evaluator_totals *out)
{
    const struct cage *const cages[] = {&e->runner, &e->compiler, &e->gcc, &e->judge, &e->command};
    *out = e->totals;
    for (size_t i = 0; i < ELM_COUNT(cages); i++)
        out->cpu_us += cages[i]->cpu_us + cages[i]->live_cpu_us;
}
