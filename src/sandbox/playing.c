/*
 * playing: jobs to evaluations where the judge asks in rounds. Judge and runner share boards,
 * counters and two pipes, made here and handed to both; a batch is one trip to each of them, and
 * they play its games without elm.
 */
#include "sandbox/sandbox.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>

#define STEP_NS 20             /* far more than a step takes */
#define GAME_MS 60000          /* of the judge, each game */
#define ANSWER_MS 20000

static uint32_t seats_of(const struct elm_evaluator *e)
{
    return e->problem->judge == ELM_JUDGE_COMPARE ? 2 : 1;
}

static size_t whole_pages(size_t bytes)
{
    return (bytes + BOARD_ALIGN - 1) & ~(BOARD_ALIGN - 1);
}

/* ---- the table ---- */

void play_init(struct elm_evaluator *e)
{
    struct table *t = &e->table;
    for (int side = 0; side < 2; side++)
        t->boards[side].fd = t->words[side] = t->ends[side] = -1;
    memset(t->counters, -1, sizeof(t->counters));
}

static enum elm_status make_channels(struct table *t, struct elm_error *err)
{
    bool good = pipe2(t->words, O_CLOEXEC) == 0 && pipe2(t->ends, O_CLOEXEC) == 0;
    for (int i = 0; i < PLAY_FDS - PLAY_FD_ASKED; i++) {
        /* a child waits for what it is asked; nobody may wait to say that there is an answer */
        bool asks = i < PLAY_FD_ANSWERED - PLAY_FD_ASKED;
        t->counters[i] = eventfd(0, EFD_CLOEXEC | (asks ? 0 : EFD_NONBLOCK));
        good = good && t->counters[i] >= 0;
    }
    return good ? ELM_OK : elm_fail(err, ELM_SANDBOX, "cannot make channels: %s", strerror(errno));
}

static void close_all(int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (fds[i] >= 0)
            close(fds[i]);
        fds[i] = -1;
    }
}

static void close_channels(struct table *t)
{
    close_all(t->words, ELM_COUNT(t->words));
    close_all(t->ends, ELM_COUNT(t->ends));
    close_all(t->counters, ELM_COUNT(t->counters));
}

enum elm_status play_open(struct elm_evaluator *e, uint32_t cases, struct elm_error *err)
{
    struct table *t = &e->table;
    const struct elm_io *io = &e->problem->io;
    t->board_bytes[PLAY_QUESTIONS] = whole_pages(ELM_CASES_MAX + (size_t)cases * io->in_bytes);
    t->board_bytes[PLAY_ANSWERS] = whole_pages((size_t)cases * io->out_bytes);
    t->kept_bytes = whole_pages((size_t)cases * io->state_bytes + 1);
    for (int side = 0; side < 2; side++) {
        ELM_TRY(shared_make(&t->boards[side], "elm-board",
                            board_at((enum play_side)side, t->board_bytes, seats_of(e)), err));
    }
    return make_channels(t, err);
}

void play_close(struct elm_evaluator *e)
{
    close_channels(&e->table);
    for (int side = 0; side < 2; side++)
        shared_release(&e->table.boards[side]);
}

uint32_t play_memory_mb(const struct elm_evaluator *e)
{
    return (uint32_t)((e->table.boards[0].bytes + e->table.boards[1].bytes) >> 19);
}

enum elm_status play_join(struct elm_evaluator *e, bool judge, struct elm_error *err)
{
    struct table *t = &e->table;
    int look = shared_read_only(&t->boards[judge ? PLAY_ANSWERS : PLAY_QUESTIONS]);
    int fds[PLAY_FDS] = {
        [PLAY_FD_QUESTIONS] = judge ? t->boards[PLAY_QUESTIONS].fd : look,
        [PLAY_FD_ANSWERS] = judge ? look : t->boards[PLAY_ANSWERS].fd,
        [PLAY_FD_WORDS] = t->words[judge ? 1 : 0],
        [PLAY_FD_ENDS] = t->ends[judge ? 0 : 1],
    };
    memcpy(fds + PLAY_FD_ASKED, t->counters, sizeof(t->counters));
    enum elm_status status;
    if (judge) {
        struct judge_request q = {.op = JUDGE_JOIN};
        struct judge_reply reply;
        memcpy(q.board_bytes, t->board_bytes, sizeof(q.board_bytes));
        status = cage_ask(&e->judge, &q, offsetof(struct judge_request, items), fds, PLAY_FDS,
                          &reply, sizeof(reply), sizeof(reply), ANSWER_MS);
        if (status == ELM_OK && reply.count != 0)
            status = ELM_SANDBOX;
    } else {
        struct runner_join q = {.op = RUNNER_JOIN, .seats = seats_of(e),
                                .kept_bytes = t->kept_bytes};
        struct runner_reply reply;
        memcpy(q.board_bytes, t->board_bytes, sizeof(q.board_bytes));
        status = cage_ask(&e->runner, &q, sizeof(q), fds, PLAY_FDS, &reply,
                          runner_reply_bytes(0), sizeof(reply), ANSWER_MS);
    }
    close(look);
    if (status != ELM_OK)
        return elm_fail(err, ELM_SANDBOX, "the caged %s can't join a game",
                        judge ? "judge" : "runner");
    return ELM_OK;
}

/* What a broken game left in pipes and counters goes with them. */
static enum elm_status start_again(struct elm_evaluator *e, struct elm_error *err)
{
    e->totals.restarts++;
    cage_stop(&e->judge);
    cage_stop(&e->runner);
    close_channels(&e->table);
    ELM_TRY(make_channels(&e->table, err));
    ELM_TRY(judge_start(e, err));
    return evaluator_start_runner(e, err);
}

/* ---- games ---- */

struct game {
    struct elm_job *job;
    struct run *run;
    struct run *opponent;      /* nullable */
    bool opponent_failed;
};

/* Who sits where: one, or a and b. */
static struct run *player(const struct elm_evaluator *e, const struct game *g, uint32_t seat)
{
    return seat + 1 == seats_of(e) || g->opponent == NULL || g->opponent_failed ? g->run
                                                                                : g->opponent;
}

static bool is_native(const struct elm_evaluator *e, const struct game *g)
{
    return player(e, g, 0)->native || g->run->native;
}

/* A program that plays itself does so in two processes with outputs of their own. */
static uint32_t slot_of(const struct elm_evaluator *e, const struct game *g, uint32_t seat)
{
    return seat + 1 == seats_of(e) ? g->run->slot : g->run->slot + ELM_JOBS_MAX;
}

static void put_game(const struct elm_evaluator *e, const struct game *g,
                     struct runner_request *runner, struct judge_request *judge)
{
    const struct run *a = player(e, g, 0), *b = g->run;
    struct judge_item *item = &judge->items[judge->count++];
    *item = (struct judge_item){.slot = b->slot, .slot_a = a->slot, .cost = b->cost,
                                .cost_a = a->cost};
    for (uint32_t seat = 0; seat < seats_of(e); seat++) {
        const struct run *r = player(e, g, seat);
        item->native[seat] = r->native;
        runner->jobs[runner->count++] = (struct run_job){.code = r->code, .native = r->native,
                                                         .slot = slot_of(e, g, seat)};
    }
}

static uint32_t patience_ms(const struct elm_evaluator *e, enum elm_set set, uint32_t count)
{
    const struct elm_problem *p = e->problem;
    double fuel = (double)p->fuel * e->sets[set].count * p->rounds;
    fuel = fuel < (double)p->total_fuel ? fuel : (double)p->total_fuel;
    double ms = count * (GAME_MS + seats_of(e) * (fuel * STEP_NS / 1e6 + 2.0 * p->cpu_ms));
    return ms < 1e9 ? (uint32_t)ms : 1000000000u;
}

/* What the runner says of one player. True when the verdict stands; false: once more. */
static bool take_player(struct elm_evaluator *e, struct run *r, const struct run_result *result)
{
    if (r->native)
        return native_take(e, r, result);
    run_take_vm(r, result);
    return true;
}

static bool take_game(struct elm_evaluator *e, struct game *g, uint32_t index,
                      const struct run_result *results, enum elm_set set)
{
    struct run *a = player(e, g, 0);
    uint32_t last = seats_of(e) - 1;
    if (last > 0 && !take_player(e, a, &results[0]))
        return false;
    /* against itself it may have failed already, as a */
    if (g->run->status == ELM_EVAL_OK && !take_player(e, g->run, &results[last]))
        return false;
    if (g->run->status == ELM_EVAL_OK)
        judge_take(e, index, g->job, g->run, g->opponent_failed || a->status != ELM_EVAL_OK, set);
    return true;
}

/* One trip to judge and runner for all; false when one of them died. `again` gets the games that
 * are to be played once more. */
static bool play_games(struct elm_evaluator *e, struct game **games, uint32_t count,
                       enum elm_set set, struct game **again, uint32_t *again_count)
{
    const struct elm_problem *p = e->problem;
    uint32_t wall_ms = native_wall_ms(e);
    struct runner_request rq = {.op = RUNNER_PLAY, .set = set, .cpu_ms = p->cpu_ms,
                                .wall_ms = wall_ms, .fuel = p->fuel, .total_fuel = p->total_fuel,
                                .shim = native_shim(e)};
    struct judge_request jq = {.op = JUDGE_PLAY, .set = set, .rounds = p->rounds,
                               .wall_ms = wall_ms};
    struct runner_reply runner;
    struct judge_reply judge;
    for (uint32_t i = 0; i < count; i++)
        put_game(e, games[i], &rq, &jq);
    const struct cage_call calls[2] = {
        {&e->runner, &rq, offsetof(struct runner_request, jobs) + rq.count * sizeof(rq.jobs[0]),
         &runner, runner_reply_bytes(rq.count), sizeof(runner)},
        {&e->judge, &jq, offsetof(struct judge_request, items) + jq.count * sizeof(jq.items[0]),
         &judge, sizeof(judge), sizeof(judge)},
    };
    if ((is_native(e, games[0]) && rq.shim == 0) ||
        cage_ask_pair(calls, patience_ms(e, set, count)) != ELM_OK || runner.count != rq.count ||
        judge.count != (int32_t)jq.count)
        return false;
    e->runner.live_cpu_us = runner.cpu_us;
    e->judge.live_cpu_us = judge.cpu_us;
    for (uint32_t i = 0; i < count; i++) {
        if (!take_game(e, games[i], i, &runner.results[i * seats_of(e)], set))
            again[(*again_count)++] = games[i];
    }
    return true;
}

/* Plays; when judge or runner dies of it, each game on its own, once. */
static enum elm_status play_all(struct elm_evaluator *e, struct game **games, uint32_t count,
                                enum elm_set set, struct elm_error *err)
{
    struct game *again[ELM_JOBS_MAX], *still[ELM_JOBS_MAX];
    uint32_t again_count = 0;
    if (count == 0)
        return ELM_OK;
    if (e->judge.socket < 0 || e->runner.socket < 0)
        ELM_TRY(start_again(e, err));
    if (!play_games(e, games, count, set, again, &again_count)) {
        memcpy(again, games, count * sizeof(again[0]));
        again_count = count;
    }
    for (uint32_t i = 0; i < again_count; i++) {
        uint32_t still_count = 0;
        if (e->judge.socket < 0 || e->runner.socket < 0)
            ELM_TRY(start_again(e, err));
        if (!play_games(e, &again[i], 1, set, still, &still_count) || still_count > 0)
            run_fail(again[i]->run, ELM_EVAL_FAULT, "the judge or the runner died of it twice");
    }
    return ELM_OK;
}

static void count_vm(struct elm_evaluator *e, const struct game *g)
{
    e->totals.vm_runs += !g->run->native;
    e->totals.vm_runs += g->opponent != NULL && !g->opponent->native;
}

/* Compiled players one game at a time: both of a game have to be in the window together. */
static enum elm_status play_native(struct elm_evaluator *e, struct game *g, enum elm_set set,
                                   enum elm_tier tier, struct elm_error *err)
{
    struct run *runs[2];
    uint32_t count = 0;
    if (g->run->native)
        runs[count++] = g->run;
    if (player(e, g, 0) != g->run && g->opponent->native)
        runs[count++] = g->opponent;
    ELM_TRY(native_build(e, runs, count, tier, err));
    if (g->run->status != ELM_EVAL_OK)
        return ELM_OK;
    g->opponent_failed |= g->opponent != NULL && g->opponent->status != ELM_EVAL_OK;
    return play_all(e, &g, 1, set, err);
}

enum elm_status play_jobs(struct elm_evaluator *e, struct elm_job *jobs, struct run **of,
                          struct run **opponents, uint32_t count, enum elm_set set,
                          enum elm_tier tier, struct elm_error *err)
{
    struct game games[ELM_JOBS_MAX], *vm[ELM_JOBS_MAX], *native[ELM_JOBS_MAX];
    uint32_t vm_count = 0, native_count = 0;
    size_t code_bytes = 0;
    elm_buf_clear(&e->printed);
    for (uint32_t i = 0; i < count; i++) {
        struct game *g = &games[i];
        *g = (struct game){.job = &jobs[i], .run = of[i], .opponent = opponents[i]};
        run_prepare(e, of[i], tier, &code_bytes);
        if (g->opponent != NULL)
            run_prepare(e, g->opponent, tier, &code_bytes);
        g->opponent_failed = g->opponent != NULL && g->opponent->status != ELM_EVAL_OK;
        if (of[i]->status != ELM_EVAL_OK)
            continue;
        count_vm(e, g);
        if (is_native(e, g))
            native[native_count++] = g;
        else
            vm[vm_count++] = g;
    }
    ELM_TRY(play_all(e, vm, vm_count, set, err));
    for (uint32_t i = 0; i < native_count; i++)
        ELM_TRY(play_native(e, native[i], set, tier, err));
    if (tier == ELM_TIER_GCC)
        cage_stop(&e->gcc);
    return ELM_OK;
}
