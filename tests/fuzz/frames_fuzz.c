/*
 * what caged processes may send: a keeper's, a judge's, a runner's, a compiler's and a command's
 * answers are made here as they should be, and the input says where they are changed, cut, lengthened,
 * left out, or what is put into the memory that is shared with them. The evaluator gives evaluations
 * within their bounds, or fails; it never waits for ever.
 *
 * Input: a byte with the kind of problem and what the compiler always says of the first program, then
 * what is done to one answer after the other.
 */
#include "fuzz.h"
#include "sandbox/sandbox.h"

#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define SOCKETS_MAX 256
#define PACKET_MAX 16384
#define CASES 4

enum { COMPARES = 1, PLAYS = 2, COMMANDS = 4, BY_GCC = 8 };

struct peer {
    const uint8_t *at, *end;
    const struct elm_problem *problem;
    uint8_t habit;                         /* 1 + the state of the first job of every build; 0: none */
    uint32_t count;
    struct pollfd sockets[SOCKETS_MAX];    /* the first one is the keeper's */
    uint32_t kinds[SOCKETS_MAX];
    int shared[CAGE_KINDS];                /* what each may write; -1: not given yet */
};

/* Nothing is done to an answer once the input is used up. */
static uint8_t take(struct peer *p)
{
    return p->at < p->end ? *p->at++ : 0;
}

static void put_shared(struct peer *p, uint32_t kind)
{
    uint8_t bytes[8];
    off_t at = take(p) << 8;
    at = (at | take(p)) * 4;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = take(p);
    /* beyond its end nothing can be written: it is sealed */
    if (p->shared[kind] >= 0 && pwrite(p->shared[kind], bytes, sizeof(bytes), at) < 0)
        return;
}

/* False: nothing is sent, the socket is closed. */
static bool change(struct peer *p, uint32_t kind, uint8_t *packet, size_t *len)
{
    uint8_t how = take(p);
    for (int n = how & 3; n > 0; n--) {
        size_t at = (size_t)take(p) << 8;
        at |= take(p);
        for (int k = take(p) & 7; k >= 0; k--, at++)
            packet[at % *len] = take(p);
    }
    if (how & 4)
        *len = (*len * take(p)) / 256;
    if (how & 8)
        *len += take(p);
    if (how & 16)
        put_shared(p, kind);
    return !(how & 32);
}

static void answer(struct peer *p, uint32_t i, void *packet, size_t len)
{
    uint8_t bytes[PACKET_MAX + 256] = {0};
    int fds[2] = {STDIN_FILENO, p->sockets[i].fd};
    memcpy(bytes, packet, len);
    bool with_fds = p->at < p->end && *p->at >= 0xc0;
    if (change(p, p->kinds[i], bytes, &len) &&
        wire_send(p->sockets[i].fd, bytes, len, fds, with_fds ? 2 : 0) == 0)
        return;
    close(p->sockets[i].fd);
    p->sockets[i].fd = -1;
}

static void say_hello(struct peer *p, uint32_t i)
{
    const struct elm_problem *q = p->problem;
    bool compares = q->judge == ELM_JUDGE_COMPARE;
    struct cage_hello hello = {.ready = CAGE_READY};
    struct judge_hello judge = {.ready = JUDGE_READY, .version = ELM_JUDGE_VERSION,
                                .in_bytes = q->io.in_bytes, .out_bytes = q->io.out_bytes,
                                .scores = !compares, .compares = compares, .wants = 1,
                                .explains = 1, .pictures = 1, .plays = q->rounds > 0};
    if (p->kinds[i] == CAGE_JUDGE)
        answer(p, i, &judge, sizeof(judge));
    else
        answer(p, i, &hello, sizeof(hello));
}

static void serve_keeper(struct peer *p)
{
    struct keeper_request q;
    int fds[WIRE_FDS_MAX];
    if (wire_recv(p->sockets[0].fd, &q, sizeof(q), fds) != (ssize_t)sizeof(q)) {
        close(p->sockets[0].fd);
        p->sockets[0].fd = -1;
        return;
    }
    struct keeper_reply reply = {.pid = (int32_t)p->count, .wait_status = take(p) << 8};
    wire_send(p->sockets[0].fd, &reply, sizeof(reply), NULL, 0);
    for (int k = q.op == KEEPER_START; k < WIRE_FDS_MAX; k++) {
        if (fds[k] >= 0)
            close(fds[k]);
    }
    if (q.op != KEEPER_START)
        return;
    ELM_ASSERT(p->count < SOCKETS_MAX && q.kind < CAGE_KINDS);
    p->sockets[p->count] = (struct pollfd){fds[0], POLLIN, 0};
    p->kinds[p->count] = q.kind;
    say_hello(p, p->count++);
}

static void serve_judge(struct peer *p, uint32_t i, const struct judge_request *q)
{
    struct judge_reply reply = {.op = q->op, .count = (int32_t)q->count};
    if (q->op == JUDGE_EXPLAIN || q->op == JUDGE_PICTURE)
        reply.count = 5;
    answer(p, i, &reply, sizeof(reply));
}

static void serve_runner(struct peer *p, uint32_t i, const struct runner_request *q)
{
    struct runner_reply reply = {.op = q->op};
    if (q->op == RUNNER_VM || q->op == RUNNER_NATIVE || q->op == RUNNER_PLAY)
        reply.count = q->count;
    for (uint32_t k = 0; k < reply.count; k++)
        reply.results[k] = (struct run_result){.wait_status = RUN_DONE << 8, .end = take(p)};
    answer(p, i, &reply, offsetof(struct runner_reply, results) +
                             reply.count * sizeof(reply.results[0]));
}

static void serve_compiler(struct peer *p, uint32_t i, const struct compiler_request *q)
{
    struct compiler_reply reply = {.op = q->op};
    struct build_results built = {.shim = SHIM_BASE};
    for (uint32_t k = 0; q->op == COMPILER_BUILD && k < q->count; k++) {
        built.jobs[k].code = (struct code){SHIM_BYTES + k * CODE_ALIGN, CODE_ALIGN, CODE_BASE};
        built.jobs[k].state = (BUILD_OK + take(p)) % 256;
        if (k == 0 && p->habit > 0)
            built.jobs[k].state = p->habit - 1u;
    }
    ELM_ASSERT(pwrite(p->shared[p->kinds[i]], &built, sizeof(built), 0) > 0);
    answer(p, i, &reply, sizeof(reply));
}

static void serve_cage(struct peer *p, uint32_t i)
{
    /* where the descriptor stands that each is given to write to */
    static const int writes[CAGE_KINDS] = {
        [CAGE_JUDGE] = 0, [CAGE_RUNNER] = 2, [CAGE_COMPILER] = 2, [CAGE_GCC] = 2,
    };
    _Alignas(16) uint8_t packet[PACKET_MAX] = {0};
    uint32_t kind = p->kinds[i], op;
    int fds[WIRE_FDS_MAX];
    if (wire_recv(p->sockets[i].fd, packet, sizeof(packet), fds) <= 0) {
        close(p->sockets[i].fd);
        p->sockets[i].fd = -1;
        return;
    }
    memcpy(&op, packet, sizeof(op));
    for (int k = 0; k < WIRE_FDS_MAX; k++) {
        /* every set-up is operation 0 */
        bool keep = kind != CAGE_COMMAND && op == 0 && k == writes[kind] && fds[k] >= 0;
        if (keep && p->shared[kind] >= 0)
            close(p->shared[kind]);
        if (keep)
            p->shared[kind] = fds[k];
        else if (fds[k] >= 0)
            close(fds[k]);
    }
    struct command_reply reply = {.has_number = 1, .number = 1, .last_line = "1"};
    if (kind == CAGE_JUDGE)
        serve_judge(p, i, (const void *)packet);
    else if (kind == CAGE_RUNNER)
        serve_runner(p, i, (const void *)packet);
    else if (kind == CAGE_COMMAND)
        answer(p, i, &reply, sizeof(reply));
    else
        serve_compiler(p, i, (const void *)packet);
}

static void *serve(void *ctx)
{
    struct peer *p = ctx;
    while (p->sockets[0].fd >= 0 && poll(p->sockets, p->count, -1) > 0) {
        if (p->sockets[0].revents != 0)
            serve_keeper(p);
        for (uint32_t i = 1, count = p->count; i < count; i++) {
            if (p->sockets[i].fd >= 0 && p->sockets[i].revents != 0)
                serve_cage(p, i);
        }
    }
    for (uint32_t i = 1; i < p->count; i++) {
        if (p->sockets[i].fd >= 0)
            close(p->sockets[i].fd);
    }
    for (int kind = 0; kind < CAGE_KINDS; kind++) {
        if (p->shared[kind] >= 0)
            close(p->shared[kind]);
    }
    return NULL;
}

static void check_job(const struct elm_problem *p, const struct elm_evaluation *e)
{
    ELM_ASSERT(e->status < ELM_EVAL_STATUSES && memchr(e->why, 0, sizeof(e->why)) != NULL);
    ELM_ASSERT(e->passed <= e->cases && e->cases <= CASES);
    for (const char *c = e->why; *c != '\0'; c++)
        ELM_ASSERT(*c >= ' ' && *c < 127);
    if (e->status != ELM_EVAL_OK)
        return;
    ELM_ASSERT(p->judge == ELM_JUDGE_COMPARE ? abs(e->compared) <= 1 : isfinite(e->fitness));
    for (uint32_t i = 0; i < p->measure_count; i++)
        ELM_ASSERT(isfinite(e->measures[i]));
}

static void use(struct elm_evaluator *e, const struct elm_problem *p, uint8_t kind)
{
    static const char text[] = "int f(int a) { return a + 1; }";
    struct elm_job jobs[3] = {{.tree = &p->seed, .opponent = &p->seed}, {.text = ELM_STR(text)},
                              {.tree = &p->seed, .opponent_text = ELM_STR(text)}};
    struct elm_error err = {0};
    struct elm_buf out = {0};
    enum elm_tier tier = kind & BY_GCC ? ELM_TIER_GCC : ELM_TIER_FAST;
    if (elm_evaluator_run(e, jobs, 3, ELM_SET_SHOWN, tier, &err) == ELM_OK) {
        for (int i = 0; i < 3; i++)
            check_job(p, &jobs[i].evaluation);
    }
    if (elm_evaluator_explain(e, &jobs[0], CASES, &out, &err) == ELM_OK)
        ELM_ASSERT(out.len < 4096);
    elm_buf_clear(&out);
    if (elm_evaluator_picture(e, &jobs[0], &out, &err) == ELM_OK)
        ELM_ASSERT(out.len > 0 && out.len <= JUDGE_SVG_BYTES);
    elm_buf_release(&out);
}

static void make_problem(struct elm_problem *p, uint8_t kind)
{
    static char name[] = "fuzz", command[] = "true", folder[] = "/";
    *p = (struct elm_problem){
        .name = name, .folder = folder, .score_command = command, .names = elm_names_new(),
        .judge = kind & COMMANDS ? ELM_JUDGE_COMMAND : kind & COMPARES ? ELM_JUDGE_COMPARE
                                                                       : ELM_JUDGE_SCORE,
        .io = {.entry = "f", .returns = ELM_TYPE_INT, .param_count = 1,
               .params = {{.name = "a", .type = ELM_TYPE_INT}}},
        .case_count = {CASES, CASES, CASES}, .rounds = kind & PLAYS ? 3 : 0,
        .fuel = 1000, .total_fuel = 100000, .cpu_ms = 10, .memory_mb = 16,
        .measure_count = 2, .measures = {{"a", 0, 1, 4, ELM_MEASURE_JUDGE},
                                         {"b", 0, 1, 4, ELM_MEASURE_NODES}},
    };
    ELM_ASSERT(elm_io_layout(&p->io, NULL) == ELM_OK);
    ELM_ASSERT(elm_tree_parse(ELM_STR("int f(int a) { return a; }"), p->names, &p->seed,
                              NULL) == ELM_OK);
    ELM_ASSERT(elm_tree_check(&p->seed, p->names, NULL) == ELM_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct elm_problem problem;
    struct peer peer = {.at = data, .end = data + size, .problem = &problem, .count = 1};
    uint8_t kind = take(&peer);
    peer.habit = kind >> 4;
    int sockets[2], program = memfd_create("judge", 0);
    char path[64];
    pthread_t thread;
    make_problem(&problem, kind);
    ELM_ASSERT(program >= 0 && write(program, "judge", 5) == 5);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", program);
    ELM_ASSERT(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) == 0);
    peer.sockets[0] = (struct pollfd){sockets[1], POLLIN, 0};
    memset(peer.shared, -1, sizeof(peer.shared));
    struct elm_keeper keeper = {.socket = sockets[0], .pid = -1,
                                .lock = PTHREAD_MUTEX_INITIALIZER};
    ELM_ASSERT(pthread_create(&thread, NULL, serve, &peer) == 0);
    struct elm_evaluator_def def = {.keeper = &keeper, .problem = &problem, .judge_path = path,
                                    .level = 3};
    struct elm_evaluator *e;
    struct elm_error err = {0};
    if (elm_evaluator_open(&def, &e, &err) == ELM_OK) {
        use(e, &problem, kind);
        elm_evaluator_close(e);
    } else {
        ELM_ASSERT(err.message[0] != '\0');
    }
    close(sockets[0]);
    pthread_join(thread, NULL);
    close(program);
    elm_tree_release(&problem.seed);
    elm_names_free(problem.names);
    return 0;
}
