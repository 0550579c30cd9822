/*
 * command: one file scored by the user's command. Each program gets a cage of its own, with a copy
 * of its folder as working folder.
 */
#include "sandbox/sandbox.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

/* Until a program has been scored; then so many times what that took, and no less than 2 s. A
 * loop that never ends would else cost a minute each time. */
#define WALL_MS 60000
#define WALL_MIN_MS 2000
#define WALL_TIMES 20
/* at least; a problem may allow more */
#define MEMORY_MB 2048
#define PROCESSES 256
#define ANSWER_MS 20000

static void take_reply(const struct elm_problem *p, const struct command_request *q,
                       const struct command_reply *reply, struct run *r,
                       struct elm_evaluation *out)
{
    bool ended = WIFEXITED(reply->wait_status) && WEXITSTATUS(reply->wait_status) == 0;
    r->cost.cpu_us = reply->cpu_us;
    if (reply->late)
        run_fail(r, ELM_EVAL_TIMEOUT, "the command took more than %u s", q->wall_ms / 1000);
    else if (WIFSIGNALED(reply->wait_status))
        run_fail(r, ELM_EVAL_CRASHED, "the command died of signal %d",
                 WTERMSIG(reply->wait_status));
    else if (!ended)
        run_fail(r, ELM_EVAL_CRASHED, "the command failed with %d%s%.60s",
                 WEXITSTATUS(reply->wait_status), reply->last_line[0] != '\0' ? ": " : "",
                 reply->last_line);
    else if (!reply->has_number)
        run_fail(r, ELM_EVAL_INVALID, "the command printed no number");
    else if (!isfinite(reply->number))
        run_fail(r, ELM_EVAL_INVALID, "its score is not finite");
    if (r->status != ELM_EVAL_OK)
        return;
    out->fitness = reply->number;
    out->signature = elm_hash(&reply->number, sizeof(reply->number), 0);
    for (uint32_t i = 0; i < p->measure_count; i++)
        out->measures[i] = p->measures[i].source == ELM_MEASURE_NODES ? r->cost.nodes : 0;
}

/* Runs the command once; false when the cage died. */
static bool ask(struct elm_evaluator *e, const struct command_request *q, struct elm_str text,
                struct command_reply *reply)
{
    int fd;
    if (sealed_make("elm-program", text, false, &fd, NULL) != ELM_OK)
        return false;
    enum elm_status status = cage_ask(&e->command, q, sizeof(*q), &fd, 1, reply, sizeof(*reply),
                                      sizeof(*reply), q->wall_ms + ANSWER_MS);
    close(fd);
    cage_stop(&e->command);
    return status == ELM_OK;
}

static uint32_t wall_limit_ms(const struct elm_evaluator *e)
{
    uint32_t most = e->problem->cpu_ms > WALL_MS ? e->problem->cpu_ms : WALL_MS;
    uint64_t times = e->command_us * WALL_TIMES / 1000;
    if (e->command_us == 0 || times > most)
        return most;
    return times < WALL_MIN_MS ? WALL_MIN_MS : (uint32_t)times;
}

enum elm_status command_run(struct elm_evaluator *e, struct elm_job *job, struct elm_error *err)
{
    const struct elm_problem *p = e->problem;
    const char *path = getenv("PATH");
    struct run r = {.tree = job->tree, .text = job->text};
    struct command_request q = {.wall_ms = wall_limit_ms(e)};
    if ((size_t)snprintf(q.command, sizeof(q.command), "%s", p->score_command) >= sizeof(q.command))
        return elm_fail(err, ELM_RANGE, "the command is longer than %zu bytes", sizeof(q.command));
    snprintf(q.file, sizeof(q.file), "%s", p->name);
    snprintf(q.path, sizeof(q.path), "%s", path == NULL ? "/usr/local/bin:/usr/bin:/bin" : path);
    if (r.tree != NULL) {
        r.cost.nodes = r.tree->count;
        elm_buf_clear(&e->printed);
        run_print(e, &r);
    }
    struct command_reply reply = {0};
    bool answered = false;
    for (int try = 0; try < 2 && !answered; try++) {
        struct cage_def def = {.keeper = e->keeper, .kind = CAGE_COMMAND,
                               .level = (uint32_t)e->level, .processes = PROCESSES, .program = -1,
                               .folder = p->folder,
                               .memory_mb = p->memory_mb > MEMORY_MB ? p->memory_mb : MEMORY_MB};
        struct cage_hello hello;
        e->totals.restarts += (uint64_t)try;
        ELM_TRY(cage_start(&e->command, &def, CAGE_READY, &hello, sizeof(hello), err));
        int64_t from_us = elm_clock_us();
        answered = ask(e, &q, run_text(e, &r), &reply);
        if (answered && e->command_us == 0 && reply.has_number && !reply.late)
            e->command_us = (uint64_t)(elm_clock_us() - from_us) + 1;
    }
    reply.last_line[sizeof(reply.last_line) - 1] = '\0';
    if (answered)
        take_reply(p, &q, &reply, &r, &job->evaluation);
    else
        run_fail(&r, ELM_EVAL_FAULT, "the cage of the command died twice");
    job->evaluation.status = r.status;
    job->evaluation.cpu_us = (uint32_t)r.cost.cpu_us;
    memcpy(job->evaluation.why, r.why, sizeof(r.why));
    return ELM_OK;
}
