/* judging: asks the caged judge for cases, wanted outputs, verdicts, explanations, pictures. */
#include "sandbox/sandbox.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define JUDGE_MB 2048
#define ANSWER_MS 60000

static const struct judge_shared *memory_of(const struct elm_evaluator *e)
{
    return (const struct judge_shared *)(const void *)e->judge_memory.memory;
}

static enum elm_status check_hello(const struct elm_evaluator *e, struct elm_error *err)
{
    const struct judge_hello *h = &e->judge_hello;
    const struct elm_problem *p = e->problem;
    if (h->version != ELM_JUDGE_VERSION)
        return elm_fail(err, ELM_PARSE, "the judge of '%s' has version %u, %d is wanted",
                        p->name, h->version, ELM_JUDGE_VERSION);
    if (h->in_bytes != p->io.in_bytes || h->out_bytes != p->io.out_bytes)
        return elm_fail(err, ELM_PARSE, "judge.c of '%s' has cases of %llu bytes in and %llu out, "
                        "the entry and io of problem.yaml make %u and %u", p->name,
                        (unsigned long long)h->in_bytes, (unsigned long long)h->out_bytes,
                        p->io.in_bytes, p->io.out_bytes);
    bool compare = p->judge == ELM_JUDGE_COMPARE;
    if (compare ? !h->compares || h->scores : !h->scores || h->compares)
        return elm_fail(err, ELM_PARSE, "judge.c of '%s' must define %s and not %s", p->name,
                        compare ? "compare" : "score", compare ? "score" : "compare");
    if (h->plays != (p->rounds > 0))
        return elm_fail(err, ELM_PARSE, h->plays ? "judge.c of '%s' defines next: say in "
                        "problem.yaml how many `rounds:` there are at most"
                        : "judge.c of '%s' does not define next, and problem.yaml has `rounds:`",
                        p->name);
    return ELM_OK;
}

static enum elm_status ask_once(struct elm_evaluator *e, const struct judge_request *q,
                                const int *fds, uint32_t fd_count, struct judge_reply *reply)
{
    size_t bytes = offsetof(struct judge_request, items) +
                   (q->op == JUDGE_SCORE ? q->count : 1) * sizeof(q->items[0]);
    ELM_TRY(cage_ask(&e->judge, q, bytes, fds, fd_count, reply, sizeof(*reply), sizeof(*reply),
                     ANSWER_MS));
    e->judge.live_cpu_us = reply->cpu_us;
    return ELM_OK;
}

/* Makes a set in the judge process; the bytes are in its memory then. */
static enum elm_status make_set(struct elm_evaluator *e, enum elm_set set,
                                struct judge_reply *reply, uint64_t *hash)
{
    const struct elm_problem *p = e->problem;
    struct judge_request q = {.op = JUDGE_MAKE, .set = set, .count = p->case_count[set],
                              .seed = p->case_seed};
    ELM_TRY(ask_once(e, &q, NULL, 0, reply));
    if (reply->count > 0 && (uint32_t)reply->count <= p->case_count[set])
        *hash = elm_hash(memory_of(e)->data, (size_t)reply->count * p->io.in_bytes, 0);
    return ELM_OK;
}

enum elm_status judge_start(struct elm_evaluator *e, struct elm_error *err)
{
    struct cage_def def = {.keeper = e->keeper, .kind = CAGE_JUDGE, .level = (uint32_t)e->level,
                           .memory_mb = JUDGE_MB + (uint32_t)(e->results.bytes >> 20) +
                                        play_memory_mb(e),
                           .processes = 4, .program = e->judge_program};
    ELM_TRY(cage_start(&e->judge, &def, JUDGE_READY, &e->judge_hello, sizeof(e->judge_hello), err));
    ELM_TRY(check_hello(e, err));
    struct judge_request q = {.op = JUDGE_SETUP, .shared_bytes = e->judge_memory.bytes,
                              .result_bytes = e->results.bytes, .slot_bytes = e->slot_bytes};
    struct judge_reply reply;
    int fds[2] = {e->judge_memory.fd, shared_read_only(&e->results)};
    enum elm_status status = ask_once(e, &q, fds, 2, &reply);
    close(fds[1]);
    if (status != ELM_OK || reply.count != 0)
        return elm_fail(err, ELM_SANDBOX, "the judge of '%s' can't share memory", e->problem->name);
    if (e->problem->rounds > 0)
        ELM_TRY(play_join(e, true, err));
    for (int set = 0; set < ELM_SETS; set++) {
        struct cases *c = &e->sets[set];
        uint64_t hash = 0;
        if (c->fd < 0)
            continue;
        if (make_set(e, (enum elm_set)set, &reply, &hash) != ELM_OK)
            return elm_fail(err, ELM_SANDBOX, "the judge of '%s' died making cases",
                            e->problem->name);
        if ((uint32_t)reply.count != c->count || hash != c->hash)
            return elm_fail(err, ELM_SANDBOX, "the judge of '%s' made other cases than before from "
                            "the same seed", e->problem->name);
    }
    return ELM_OK;
}

enum elm_status judge_ask(struct elm_evaluator *e, const struct judge_request *q,
                          struct judge_reply *reply, struct elm_error *err)
{
    for (int try = 0; try < 2; try++) {
        if (e->judge.socket < 0) {
            e->totals.restarts++;
            ELM_TRY(judge_start(e, err));
        }
        if (ask_once(e, q, NULL, 0, reply) == ELM_OK)
            return ELM_OK;
    }
    return elm_fail(err, ELM_SANDBOX, "the judge of '%s' died or took more than %d s",
                    e->problem->name, ANSWER_MS / 1000);
}

enum elm_status judge_make(struct elm_evaluator *e, enum elm_set set, struct elm_error *err)
{
    static const char *const names[ELM_SETS] = {"shown", "scored", "audit"};
    struct cases *c = &e->sets[set];
    struct judge_reply reply;
    uint32_t asked = e->problem->case_count[set];
    uint64_t hash = 0;
    if (asked == 0)
        return elm_fail(err, ELM_USAGE, "'%s' has no %s cases: give their number in problem.yaml",
                        e->problem->name, names[set]);
    if (make_set(e, set, &reply, &hash) != ELM_OK) {
        e->totals.restarts++;
        ELM_TRY(judge_start(e, err));
        if (make_set(e, set, &reply, &hash) != ELM_OK)
            return elm_fail(err, ELM_SANDBOX, "make of the judge of '%s' dies or takes more than "
                            "%d s", e->problem->name, ANSWER_MS / 1000);
    }
    if (reply.count <= 0 || (uint32_t)reply.count > asked)
        return elm_fail(err, ELM_PARSE, "make of the judge of '%s' gave %d %s cases, 1 to %u were "
                        "asked for", e->problem->name, reply.count, names[set], asked);
    size_t bytes = (size_t)reply.count * e->problem->io.in_bytes;
    c->in = elm_malloc(bytes);
    memcpy(c->in, memory_of(e)->data, bytes);
    c->count = (uint32_t)reply.count;
    c->hash = elm_hash(c->in, bytes, 0);
    return ELM_OK;
}

enum elm_status judge_want(struct elm_evaluator *e, struct elm_error *err)
{
    struct judge_request q = {.op = JUDGE_WANT, .set = ELM_SET_SHOWN};
    struct judge_reply reply;
    size_t bytes = (size_t)e->sets[ELM_SET_SHOWN].count * e->problem->io.out_bytes;
    if (!e->judge_hello.wants)
        return ELM_OK;
    ELM_TRY(judge_ask(e, &q, &reply, err));
    if (reply.count < 0)
        return ELM_OK;
    e->want = elm_malloc(bytes);
    e->want_mask = elm_malloc(bytes);
    memcpy(e->want, memory_of(e)->data, bytes);
    memcpy(e->want_mask, memory_of(e)->data + bytes, bytes);
    return ELM_OK;
}

static void fill_measures(const struct elm_problem *p, const struct elm_result *r,
                          const struct run *run, double *measures)
{
    uint32_t from_judge = 0;
    for (uint32_t i = 0; i < p->measure_count; i++) {
        switch (p->measures[i].source) {
        case ELM_MEASURE_NODES: measures[i] = run->cost.nodes; break;
        case ELM_MEASURE_STEPS: measures[i] = log2(1 + (double)run->cost.steps); break;
        default: measures[i] = r->measures[from_judge++]; break;
        }
    }
}

/* The verdict is the judge's word; what it may not say is checked. */
void judge_take(struct elm_evaluator *e, uint32_t index, struct elm_job *job, struct run *run,
                bool opponent_failed, enum elm_set set)
{
    struct judge_verdict v = memory_of(e)->verdicts[index];
    struct elm_evaluation *out = &job->evaluation;
    v.result.why[sizeof(v.result.why) - 1] = '\0';
    run->judged = true;
    if (v.result.invalid) {
        run_fail(run, ELM_EVAL_INVALID, "%s", v.result.why);
        return;
    }
    if (e->problem->judge == ELM_JUDGE_COMPARE) {
        out->compared = opponent_failed || v.compared > 0 ? 1 : v.compared < 0 ? -1 : 0;
    } else if (!isfinite(v.result.fitness)) {
        run_fail(run, ELM_EVAL_INVALID, "its fitness is not finite");
        return;
    }
    fill_measures(e->problem, &v.result, run, out->measures);
    for (uint32_t i = 0; i < e->problem->measure_count; i++) {
        if (!isfinite(out->measures[i])) {
            run_fail(run, ELM_EVAL_INVALID, "its measure '%s' is not finite",
                     e->problem->measures[i].name);
            return;
        }
    }
    out->fitness = v.result.fitness;
    for (uint32_t i = 0; i < e->sets[set].count; i++)
        out->passed += e->passes[run->slot][i] = v.result.pass[i] != 0;
}

static void put_item(struct judge_request *q, const struct run *run, const struct run *opponent)
{
    const struct run *a = opponent == NULL || opponent->status != ELM_EVAL_OK ? run : opponent;
    q->items[q->count++] = (struct judge_item){.slot = run->slot, .slot_a = a->slot,
                                               .cost = run->cost, .cost_a = a->cost};
}

enum elm_status judge_jobs(struct elm_evaluator *e, struct elm_job *jobs, struct run **of,
                           struct run **opponents, uint32_t count, enum elm_set set,
                           struct elm_error *err)
{
    struct judge_request q = {.op = JUDGE_SCORE, .set = set};
    uint32_t index[ELM_JOBS_MAX];
    struct judge_reply reply;
    for (uint32_t i = 0; i < count; i++) {
        if (of[i]->status != ELM_EVAL_OK || of[i]->judged)
            continue;
        index[q.count] = i;
        put_item(&q, of[i], opponents[i]);
    }
    if (q.count == 0)
        return ELM_OK;
    if (e->judge.socket < 0) {
        e->totals.restarts++;
        ELM_TRY(judge_start(e, err));
    }
    if (ask_once(e, &q, NULL, 0, &reply) == ELM_OK && reply.count == (int32_t)q.count) {
        for (uint32_t k = 0; k < q.count; k++) {
            struct run *a = opponents[index[k]];
            judge_take(e, k, &jobs[index[k]], of[index[k]],
                       a != NULL && a->status != ELM_EVAL_OK, set);
        }
        return ELM_OK;
    }
    if (q.count == 1 && of[index[0]]->retried) {
        run_fail(of[index[0]], ELM_EVAL_FAULT, "the judge died of it twice");
        return ELM_OK;
    }
    /* one of them kills the judge: each on its own */
    for (uint32_t k = 0; k < q.count; k++) {
        of[index[k]]->retried = true;
        ELM_TRY(judge_jobs(e, &jobs[index[k]], &of[index[k]], &opponents[index[k]], 1, set, err));
    }
    return ELM_OK;
}

/* ---- pictures and explanations: one program, run first ---- */
enum elm_status elm_evaluator_picture(struct elm_evaluator *e, struct elm_job *job,
                                      struct elm_buf *svg, struct elm_error *err)
{
    struct judge_request q = {.op = JUDGE_PICTURE, .set = ELM_SET_SCORED};
    struct judge_reply reply;
    if (e->problem->judge == ELM_JUDGE_COMMAND || !e->judge_hello.pictures)
        return elm_fail(err, ELM_NOT_FOUND, "the judge of '%s' makes no pictures",
                        e->problem->name);
    ELM_TRY(elm_evaluator_run(e, job, 1, ELM_SET_SCORED, ELM_TIER_FAST, err));
    if (!e->finished[0])
        return elm_fail(err, ELM_NOT_FOUND, "no picture of a program that fails: %s, %s",
                        elm_eval_status_name(job->evaluation.status), job->evaluation.why);
    ELM_TRY(judge_ask(e, &q, &reply, err));
    if (reply.count <= 0 || (uint32_t)reply.count > JUDGE_SVG_BYTES)
        return elm_fail(err, ELM_NOT_FOUND, "the judge of '%s' made no picture of this program",
                        e->problem->name);
    elm_buf_add(svg, memory_of(e)->data, (size_t)reply.count);
    return ELM_OK;
}

enum elm_status elm_evaluator_explain(struct elm_evaluator *e, struct elm_job *job,
                                      uint32_t cases_max, struct elm_buf *text,
                                      struct elm_error *err)
{
    struct judge_reply reply;
    if (e->problem->judge == ELM_JUDGE_COMMAND || !e->judge_hello.explains)
        return elm_fail(err, ELM_NOT_FOUND, "the judge of '%s' explains nothing",
                        e->problem->name);
    ELM_TRY(elm_evaluator_run(e, job, 1, ELM_SET_SHOWN, ELM_TIER_FAST, err));
    if (!e->finished[0]) {
        elm_buf_printf(text, "%s: %s\n", elm_eval_status_name(job->evaluation.status),
                       job->evaluation.why);
        return ELM_OK;
    }
    uint32_t said = 0;
    for (uint32_t i = 0; i < e->sets[ELM_SET_SHOWN].count && said < cases_max; i++) {
        struct judge_request q = {.op = JUDGE_EXPLAIN, .set = ELM_SET_SHOWN, .count = i};
        if (e->passes[0][i])
            continue;
        ELM_TRY(judge_ask(e, &q, &reply, err));
        if (reply.count <= 0 || reply.count > 511)
            continue;
        elm_buf_printf(text, "case %u: %.*s\n", i, reply.count, (const char *)memory_of(e)->data);
        said++;
    }
    return ELM_OK;
}
