/*
 * search_fakes: a store in memory, and evaluators that run programs in the machine here, without a
 * cage. They keep to include/elm/store.h and sandbox.h as far as a search asks; with them a run can
 * be cut at any batch and compared with an undisturbed one in milliseconds.
 */
#ifndef ELM_TESTS_SEARCH_FAKES_H
#define ELM_TESTS_SEARCH_FAKES_H

#include "elm/search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the disk: what a store holds ---- */
struct disk {
    struct elm_attempt *attempts;      /* own edit and text */
    uint32_t count, cap;
    struct {
        char key[32], value[200];
    } meta[32];
    uint32_t meta_count;
    struct {
        int64_t batch;
        struct elm_buf state;
    } snapshots[64];
    uint32_t snapshot_count;
    enum elm_keep keep;
    struct elm_call *call;             /* own text, [calls] */
    int64_t calls, tokens;             /* asked of a model */
    int refuse_after;                  /* appends that still work; -1: all */
};
struct elm_store {
    struct disk *disk;
};
static struct disk *fake_disk;

static struct elm_str own(struct elm_str s)
{
    return (struct elm_str){s.len > 0 ? elm_strndup(s.ptr, s.len) : NULL, s.len};
}

static void disk_add(struct disk *d, const struct elm_attempt *a)
{
    if (d->count == d->cap) {
        d->cap = d->cap == 0 ? 1024 : d->cap * 2;
        d->attempts = elm_realloc(d->attempts, d->cap * sizeof(*d->attempts));
    }
    struct elm_attempt *to = &d->attempts[d->count++];
    *to = *a;
    to->edit = d->keep == ELM_KEEP_ALL ? own(a->edit) : (struct elm_str){0};
    to->text = own(a->text);
    to->passes = own(a->passes);
}

static void drop(struct elm_str s)
{
    /* own() made it */
    char *p;
    memcpy(&p, &s.ptr, sizeof(p));
    free(p);
}

static void disk_add_call(struct disk *d, const struct elm_call *call)
{
    d->call = elm_realloc(d->call, ((size_t)d->calls + 1) * sizeof(*d->call));
    struct elm_call *to = &d->call[d->calls++];
    *to = *call;
    to->prompt = own(call->prompt);
    to->answer = own(call->answer);
    to->token_ids = own(call->token_ids);
    to->logprobs = own(call->logprobs);
    to->why = (struct elm_str){0};
    d->tokens += call->prompt_tokens + call->tokens;
}

static void disk_clear(struct disk *d)
{
    for (int64_t i = 0; i < d->calls; i++) {
        drop(d->call[i].prompt);
        drop(d->call[i].answer);
        drop(d->call[i].token_ids);
        drop(d->call[i].logprobs);
    }
    free(d->call);
    for (uint32_t i = 0; i < d->count; i++) {
        drop(d->attempts[i].edit);
        drop(d->attempts[i].text);
        drop(d->attempts[i].passes);
    }
    for (uint32_t i = 0; i < d->snapshot_count; i++)
        elm_buf_release(&d->snapshots[i].state);
    free(d->attempts);
    *d = (struct disk){.refuse_after = -1};
}

/* What a kill after `batch` was written leaves of `from`. Calls are there before their batch is. */
static inline void disk_cut(const struct disk *from, int64_t batch, struct disk *to)
{
    *to = (struct disk){.refuse_after = -1};
    for (uint32_t i = 0; i < from->count && from->attempts[i].batch <= batch; i++)
        disk_add(to, &from->attempts[i]);
    for (int64_t i = 0; i < from->calls && batch >= 0; i++) {
        if (from->attempts[from->call[i].attempt].batch < batch + ELM_SEARCH_LAG)
            disk_add_call(to, &from->call[i]);
    }
    memcpy(to->meta, from->meta, sizeof(to->meta));
    to->meta_count = from->meta_count;
    for (uint32_t i = 0; i < from->snapshot_count; i++) {
        /* it was put when the last batch asked before it was told */
        if (from->snapshots[i].batch + ELM_SEARCH_LAG - 1 > batch)
            break;
        to->snapshots[i].batch = from->snapshots[i].batch;
        elm_buf_add_str(&to->snapshots[i].state, elm_buf_str(&from->snapshots[i].state));
        to->snapshot_count++;
    }
}

/* ---- store.h ---- */

enum elm_status elm_store_open(const char *folder, enum elm_store_mode mode,
                               struct elm_store **out, struct elm_error *err)
{
    (void)folder;
    (void)err;
    if (mode == ELM_STORE_CREATE)
        disk_clear(fake_disk);
    *out = elm_malloc(sizeof(**out));
    (*out)->disk = fake_disk;
    return ELM_OK;
}

enum elm_status elm_store_close(struct elm_store *s, struct elm_error *err)
{
    (void)err;
    free(s);
    return ELM_OK;
}

enum elm_status elm_store_meta_put(struct elm_store *s, const char *key, struct elm_str value,
                                   struct elm_error *err)
{
    (void)err;
    struct disk *d = s->disk;
    uint32_t i = 0;
    while (i < d->meta_count && strcmp(d->meta[i].key, key) != 0)
        i++;
    ELM_ASSERT(i < ELM_COUNT(d->meta) && value.len < sizeof(d->meta[i].value));
    d->meta_count += i == d->meta_count;
    strcpy(d->meta[i].key, key);
    memset(d->meta[i].value, 0, sizeof(d->meta[i].value));
    memcpy(d->meta[i].value, value.ptr, value.len);
    return ELM_OK;
}

enum elm_status elm_store_meta_get(struct elm_store *s, const char *key, struct elm_buf *value,
                                   struct elm_error *err)
{
    for (uint32_t i = 0; i < s->disk->meta_count; i++) {
        if (strcmp(s->disk->meta[i].key, key) == 0) {
            elm_buf_add_str(value, elm_str(s->disk->meta[i].value));
            elm_buf_reserve(value, 1);
            return ELM_OK;
        }
    }
    return elm_fail(err, ELM_NOT_FOUND, "no key '%s'", key);
}

void elm_store_set_keep(struct elm_store *s, enum elm_keep keep)
{
    s->disk->keep = keep;
}

enum elm_status elm_store_append(struct elm_store *s, const struct elm_attempt *attempts,
                                 uint32_t count, struct elm_error *err)
{
    if (s->disk->refuse_after == 0)
        return elm_fail(err, ELM_FULL, "the disk is full");
    s->disk->refuse_after -= s->disk->refuse_after > 0;
    for (uint32_t i = 0; i < count; i++) {
        ELM_ASSERT(attempts[i].id == s->disk->count);
        disk_add(s->disk, &attempts[i]);
    }
    return ELM_OK;
}

enum elm_status elm_store_progress(struct elm_store *s, const struct elm_progress_row *row,
                                   struct elm_error *err)
{
    (void)s, (void)row, (void)err;
    return ELM_OK;
}

enum elm_status elm_store_calls(struct elm_store *s, const struct elm_call *calls, uint32_t count,
                                struct elm_error *err)
{
    (void)err;
    for (uint32_t i = 0; i < count; i++)
        disk_add_call(s->disk, &calls[i]);
    return ELM_OK;
}

enum elm_status elm_store_call(struct elm_store *s, int64_t attempt, struct elm_arena *arena,
                               struct elm_call *out, struct elm_error *err)
{
    (void)arena;
    for (int64_t i = s->disk->calls; i-- > 0;) {
        if (s->disk->call[i].attempt == attempt) {
            *out = s->disk->call[i];
            return ELM_OK;
        }
    }
    return elm_fail(err, ELM_NOT_FOUND, "no call");
}

enum elm_status elm_store_call_totals(struct elm_store *s, struct elm_call_totals *out,
                                      struct elm_error *err)
{
    (void)err;
    *out = (struct elm_call_totals){s->disk->calls, s->disk->tokens, 0};
    return ELM_OK;
}

enum elm_status elm_store_snapshot_put(struct elm_store *s, int64_t batch, struct elm_str state,
                                       struct elm_error *err)
{
    (void)err;
    struct disk *d = s->disk;
    ELM_ASSERT(d->snapshot_count < ELM_COUNT(d->snapshots));
    d->snapshots[d->snapshot_count].batch = batch;
    elm_buf_add_str(&d->snapshots[d->snapshot_count++].state, state);
    return ELM_OK;
}

enum elm_status elm_store_snapshot_get(struct elm_store *s, int64_t *batch, struct elm_buf *state,
                                       struct elm_error *err)
{
    const struct disk *d = s->disk;
    if (d->snapshot_count == 0)
        return elm_fail(err, ELM_NOT_FOUND, "no snapshot");
    *batch = d->snapshots[d->snapshot_count - 1].batch;
    elm_buf_add_str(state, elm_buf_str(&d->snapshots[d->snapshot_count - 1].state));
    return ELM_OK;
}

enum elm_status elm_store_archive_put(struct elm_store *s, const struct elm_archive_row *rows,
                                      uint32_t count, struct elm_error *err)
{
    (void)s, (void)rows, (void)count, (void)err;
    return ELM_OK;
}

enum elm_status elm_store_flush(struct elm_store *s, struct elm_error *err)
{
    (void)s, (void)err;
    return ELM_OK;
}

enum elm_status elm_store_each_batch(struct elm_store *s, int64_t from_batch,
                                     bool (*each)(void *ctx, const struct elm_attempt *a),
                                     void *ctx, struct elm_error *err)
{
    (void)err;
    for (uint32_t i = 0; i < s->disk->count; i++) {
        if (s->disk->attempts[i].batch >= from_batch && !each(ctx, &s->disk->attempts[i]))
            break;
    }
    return ELM_OK;
}

enum elm_status elm_store_text(struct elm_store *s, int64_t id, struct elm_buf *text,
                               struct elm_error *err)
{
    if (id < 0 || id >= s->disk->count || s->disk->attempts[id].text.len == 0)
        return elm_fail(err, ELM_NOT_FOUND, "no text");
    elm_buf_add_str(text, s->disk->attempts[id].text);
    return ELM_OK;
}

enum elm_status elm_store_totals(struct elm_store *s, struct elm_store_totals *out,
                                 struct elm_error *err)
{
    (void)err;
    const struct disk *d = s->disk;
    *out = (struct elm_store_totals){.attempts = d->count, .newest_batch = -1};
    if (d->count > 0)
        out->newest_batch = d->attempts[d->count - 1].batch;
    return ELM_OK;
}

/* ---- sandbox.h ---- */

#define FAKE_CASES 12
struct elm_keeper {
    int dummy;
};
struct elm_evaluator {
    const struct elm_problem *problem;
    struct elm_vm_memory *memory;
    struct elm_rng rng;                /* of delays, so that workers come home in any order */
    double noise;
    uint8_t passes[ELM_JOBS_MAX][FAKE_CASES];
};
static double fake_noise;

/* `int f(int x, int y)` should give x * x + 3 * y - 7. */
static void fake_case(int i, int32_t in[2], int32_t *want)
{
    in[0] = i * 5 % 13 - 6;
    in[1] = i * 7 % 11 - 5;
    *want = in[0] * in[0] + 3 * in[1] - 7;
}

enum elm_status elm_sandbox_probe(struct elm_keeper *k, struct elm_sandbox_report *out,
                                  struct elm_error *err)
{
    (void)k, (void)err;
    *out = (struct elm_sandbox_report){.level = 3};
    return ELM_OK;
}

enum elm_status elm_judge_build(const struct elm_problem *p, const char *cache_folder, char **path,
                                struct elm_error *err)
{
    (void)p, (void)cache_folder, (void)err;
    *path = NULL;
    return ELM_OK;
}

enum elm_status elm_evaluator_open(const struct elm_evaluator_def *def, struct elm_evaluator **out,
                                   struct elm_error *err)
{
    (void)err;
    *out = elm_calloc(1, sizeof(**out));
    (*out)->problem = def->problem;
    (*out)->memory = elm_vm_memory_new();
    (*out)->rng = elm_rng((uint64_t)elm_clock_us(), 0);
    return ELM_OK;
}

void elm_evaluator_close(struct elm_evaluator *e)
{
    if (e == NULL)
        return;
    elm_vm_memory_free(e->memory);
    free(e);
}

static double fake_score(struct elm_evaluator *e, const struct elm_tree *t,
                         struct elm_evaluation *out, uint8_t *passes)
{
    struct elm_buf code = {0};
    double error = 0;
    *out = (struct elm_evaluation){.status = ELM_EVAL_BUILD_FAILED};
    if (t == NULL)
        return 0;
    *out = (struct elm_evaluation){.status = ELM_EVAL_OK, .cases = FAKE_CASES, .in_vm = true,
                                   .signature = elm_tree_hash(t)};
    if (elm_vm_compile(t, e->problem->names, &e->problem->io, &code, NULL) != ELM_OK)
        out->status = ELM_EVAL_BUILD_FAILED;
    for (int i = 0; i < FAKE_CASES && out->status == ELM_EVAL_OK; i++) {
        int32_t in[2], result[2] = {0}, want;
        uint64_t steps;
        fake_case(i, in, &want);
        enum elm_vm_end end = elm_vm_run(code.ptr, e->memory, in, result, 500, &steps);
        out->steps += steps;
        out->status = end == ELM_VM_OK ? ELM_EVAL_OK : end == ELM_VM_FUEL ? ELM_EVAL_TIMEOUT
                                                                         : ELM_EVAL_CRASHED;
        out->passed += passes[i] = result[0] == want;
        error += fabs((double)result[0] - want);
    }
    elm_buf_release(&code);
    return -log1p(error);
}

enum elm_status elm_evaluator_run(struct elm_evaluator *e, struct elm_job *jobs, uint32_t count,
                                  enum elm_set set, enum elm_tier tier, struct elm_error *err)
{
    (void)set, (void)tier, (void)err;
    if (elm_rng_below(&e->rng, 4) == 0)
        usleep(elm_rng_below(&e->rng, 300));
    for (uint32_t i = 0; i < count; i++) {
        struct elm_evaluation *out = &jobs[i].evaluation;
        double score = fake_score(e, jobs[i].tree, out, e->passes[i]);
        if (e->problem->judge == ELM_JUDGE_COMPARE && jobs[i].opponent != NULL) {
            struct elm_evaluation other;
            uint8_t unused[FAKE_CASES];
            double theirs = fake_score(e, jobs[i].opponent, &other, unused);
            out->compared = (int8_t)(score > theirs ? 1 : score < theirs ? -1 : 0);
        } else {
            out->fitness = score + fake_noise * elm_rng_normal(&e->rng);
        }
        out->measures[0] = (double)out->steps / FAKE_CASES;
        out->measures[1] = out->passed;
    }
    return ELM_OK;
}

void elm_evaluator_totals(struct elm_evaluator *e, struct elm_evaluator_totals *out)
{
    (void)e;
    *out = (struct elm_evaluator_totals){0};
}

const uint8_t *elm_evaluator_passes(struct elm_evaluator *e, uint32_t job)
{
    return e->passes[job];
}

void elm_evaluator_evidence(struct elm_evaluator *e, uint32_t *case_count, const void **in,
                            const void **want, const uint8_t **want_mask)
{
    (void)e;
    *case_count = 0;
    *in = *want = NULL;
    *want_mask = NULL;
}

enum elm_status elm_evaluator_explain(struct elm_evaluator *e, struct elm_job *job,
                                      uint32_t cases_max, struct elm_buf *text,
                                      struct elm_error *err)
{
    (void)e, (void)job, (void)cases_max;
    (void)err;
    elm_buf_printf(text, "case 1: wanted 3, got 4\n");
    return ELM_OK;
}

enum elm_status elm_evaluator_picture(struct elm_evaluator *e, struct elm_job *job,
                                      struct elm_buf *svg, struct elm_error *err)
{
    (void)e, (void)job, (void)svg;
    return elm_fail(err, ELM_NOT_FOUND, "no picture");
}

/* ---- problem.h: one problem, made by the test ---- */
static struct elm_problem *(*fake_problem)(void);

enum elm_status elm_problem_load(const char *name, const char *problems_path,
                                 struct elm_problem **out, struct elm_error *err)
{
    (void)name, (void)problems_path, (void)err;
    *out = fake_problem();
    return ELM_OK;
}

enum elm_status elm_problem_from_file(const char *file, const char *command,
                                      struct elm_problem **out, struct elm_error *err)
{
    return elm_problem_load(file, command, out, err);
}

void elm_problem_free(struct elm_problem *p)
{
    elm_tree_release(&p->seed);
    elm_names_free(p->names);
    free(p->seed_text);
    free(p);
}

#endif
