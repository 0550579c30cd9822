/*
 * judge_main: the other half of a judge program: answers elm's requests with the functions that
 * judge.c defines. Compiled with judge.c, never into elm.
 */
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "wire.h"

struct made {
    void *state, *in;
    int count;
};

/* What rounds need: boards shared with the runner, and our own copies of what stands there. */
struct table {
    uint64_t board_bytes[2];
    uint8_t *questions;
    const uint8_t *answers;
    int fds[PLAY_FDS];
    uint8_t *world, *in, *out;
    uint8_t live[ELM_CASES_MAX];
};

struct server {
    struct judge_shared *shared;
    const uint8_t *results;
    size_t slot_bytes, data_bytes;
    struct made sets[ELM_SETS];
    struct table table;
};

static uint64_t cpu_us(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 +
           (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static int set_up(struct server *s, const struct judge_request *q, const int *fds)
{
    s->shared = mmap(NULL, q->shared_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fds[0], 0);
    void *results = mmap(NULL, q->result_bytes, PROT_READ, MAP_SHARED, fds[1], 0);
    close(fds[0]);
    close(fds[1]);
    s->results = results;
    s->slot_bytes = q->slot_bytes;
    s->data_bytes = q->shared_bytes - sizeof(*s->shared);
    return s->shared == MAP_FAILED || results == MAP_FAILED ? -1 : 0;
}

static int make(struct server *s, const struct judge_request *q)
{
    struct made *m = &s->sets[q->set];
    free(m->state);
    free(m->in);
    m->state = calloc(1, elm_judge.state_bytes + 16);
    m->in = calloc(q->count, elm_judge.in_bytes);
    if (m->state == NULL || m->in == NULL)
        return -1;
    m->count = elm_judge.make(m->state, (enum elm_set)q->set, q->seed, (int)q->count, m->in);
    if (m->count < 0 || (uint32_t)m->count > q->count)
        return -1;
    memcpy(s->shared->data, m->in, (size_t)m->count * elm_judge.in_bytes);
    return m->count;
}

static int want(struct server *s, const struct judge_request *q)
{
    const struct made *m = &s->sets[q->set];
    size_t bytes = (size_t)m->count * elm_judge.out_bytes;
    if (elm_judge.want == NULL)
        return -1;
    memset(s->shared->data, 0, 2 * bytes);
    elm_judge.want(m->state, m->count, m->in, s->shared->data, s->shared->data + bytes);
    return m->count;
}

static int score(struct server *s, const struct judge_request *q)
{
    const struct made *m = &s->sets[q->set];
    for (uint32_t i = 0; i < q->count; i++) {
        const struct judge_item *item = &q->items[i];
        struct judge_verdict *v = &s->shared->verdicts[i];
        const uint8_t *b = s->results + item->slot * s->slot_bytes;
        const uint8_t *a = s->results + item->slot_a * s->slot_bytes;
        memset(v, 0, sizeof(*v));
        if (elm_judge.compare != NULL)
            v->compared = elm_judge.compare(m->state, m->count, m->in, a, &item->cost_a, b,
                                            &item->cost, &v->result);
        else
            elm_judge.score(m->state, m->count, m->in, b, &item->cost, &v->result);
    }
    return (int)q->count;
}

/* ---- rounds ---- */
static uint32_t seats_of(void)
{
    return elm_judge.compare != NULL ? 2 : 1;
}

static int join(struct server *s, const struct judge_request *q, const int *fds)
{
    struct table *t = &s->table;
    memcpy(t->board_bytes, q->board_bytes, sizeof(t->board_bytes));
    memcpy(t->fds, fds, sizeof(t->fds));
    t->questions = mmap(NULL, board_at(PLAY_QUESTIONS, t->board_bytes, seats_of()),
                        PROT_READ | PROT_WRITE, MAP_SHARED, fds[PLAY_FD_QUESTIONS], 0);
    void *answers = mmap(NULL, board_at(PLAY_ANSWERS, t->board_bytes, seats_of()), PROT_READ,
                         MAP_SHARED, fds[PLAY_FD_ANSWERS], 0);
    t->answers = answers;
    t->world = calloc(1, elm_judge.world_bytes + 16);
    t->in = calloc(1, t->board_bytes[PLAY_QUESTIONS]);
    t->out = calloc(1, t->board_bytes[PLAY_ANSWERS]);
    return t->questions == MAP_FAILED || answers == MAP_FAILED || t->world == NULL ||
                   t->in == NULL || t->out == NULL ? -1 : 0;
}

static void say(const struct table *t, uint32_t op, uint32_t seat, uint32_t late)
{
    struct play_word w = {op, seat, late};
    if (write(t->fds[PLAY_FD_WORDS], &w, sizeof(w)) != (ssize_t)sizeof(w))
        _exit(1);
}

/* Puts the questions of the seat's live lanes on its board and asks. Returns their number. */
static int ask(struct table *t, int n, uint32_t seat, int by_counter)
{
    uint8_t *board = t->questions + board_at(PLAY_QUESTIONS, t->board_bytes, seat);
    size_t bytes = elm_judge.in_bytes;
    const uint64_t one = 1;
    int asked = 0;
    memset(board, 0, (size_t)n);
    for (int i = (int)seat; i < n; i += (int)seats_of()) {
        if (!t->live[i])
            continue;
        board[i] = 1;
        memcpy(board + ELM_CASES_MAX + (size_t)i * bytes, t->in + (size_t)i * bytes, bytes);
        asked++;
    }
    if (asked > 0 && !by_counter)
        say(t, PLAY_ASK, seat, 0);
    else if (asked > 0 && write(t->fds[PLAY_FD_ASKED + seat], &one, sizeof(one)) < 0)
        _exit(1);
    return asked;
}

/* Waits for the seat's answers, at most wall_ms (-1: as long as it takes), and copies them: what is
 * on the board may change at any time. 0: there are none, as it failed or was late. */
static int hear(struct table *t, int n, uint32_t seat, int wall_ms, uint32_t *late)
{
    const struct play_state *state = (const struct play_state *)(const void *)t->answers;
    const uint8_t *board = t->answers + board_at(PLAY_ANSWERS, t->board_bytes, seat);
    struct pollfd p = {t->fds[PLAY_FD_ANSWERED + seat], POLLIN, 0};
    size_t bytes = elm_judge.out_bytes;
    uint64_t count;
    if (poll(&p, 1, wall_ms) <= 0) {
        *late |= 1u << seat;
        return 0;
    }
    if (read(p.fd, &count, sizeof(count)) < 0 ||
        __atomic_load_n(&state->gone[seat], __ATOMIC_ACQUIRE))
        return 0;
    for (int i = (int)seat; i < n; i += (int)seats_of()) {
        if (t->live[i])
            memcpy(t->out + (size_t)i * bytes, board + (size_t)i * bytes, bytes);
    }
    return 1;
}

/* All seats compute at the same time. 0: the game is over, as one gave no answer. */
static int ask_all(struct table *t, const struct judge_request *q, const struct judge_item *item,
                   int n, int begun[SEATS_MAX], uint32_t *late)
{
    int asked[SEATS_MAX] = {0}, all = 1;
    for (uint32_t seat = 0; seat < seats_of(); seat++) {
        asked[seat] = ask(t, n, seat, begun[seat] && item->native[seat]);
        begun[seat] |= asked[seat] > 0;
    }
    for (uint32_t seat = 0; seat < seats_of(); seat++) {
        if (asked[seat] > 0)
            all &= hear(t, n, seat, item->native[seat] ? (int)q->wall_ms : -1, late);
    }
    return all;
}

static void begin_game(struct table *t, const struct made *m)
{
    size_t n = (size_t)m->count, bytes = elm_judge.in_bytes;
    memset(t->world, 0, elm_judge.world_bytes);
    memcpy(t->in, m->in, n * bytes);
    memset(t->out, 0, n * elm_judge.out_bytes);
    memset(t->live, 1, n);
    /* whoever is asked next sees no question of the game before */
    for (uint32_t i = 0; i < n; i++) {
        uint8_t *board = t->questions + board_at(PLAY_QUESTIONS, t->board_bytes, i % seats_of());
        memcpy(board + ELM_CASES_MAX + i * bytes, t->in + i * bytes, bytes);
    }
}

static void play_game(struct server *s, const struct judge_request *q, uint32_t index)
{
    const struct made *m = &s->sets[q->set];
    struct table *t = &s->table;
    struct judge_item item = q->items[index];
    struct judge_verdict *v = &s->shared->verdicts[index];
    int begun[SEATS_MAX] = {0};
    uint32_t round = 0, late = 0, last = seats_of() - 1;
    struct play_end end;
    memset(v, 0, sizeof(*v));
    begin_game(t, m);
    while (elm_judge.next(m->state, t->world, (int)round, m->count, t->out, t->in, t->live) > 0 &&
           round < q->rounds && ask_all(t, q, &item, m->count, begun, &late))
        round++;
    say(t, PLAY_END, 0, late);
    if (read(t->fds[PLAY_FD_ENDS], &end, sizeof(end)) != (ssize_t)sizeof(end))
        _exit(1);
    if (end.failed != 0)
        return;
    item.cost.steps = end.steps[last];
    item.cost.cpu_us = end.cpu_us[last];
    item.cost_a.steps = end.steps[0];
    item.cost_a.cpu_us = end.cpu_us[0];
    item.cost.rounds = item.cost_a.rounds = round;
    if (elm_judge.compare != NULL)
        v->compared = elm_judge.compare(m->state, m->count, m->in, t->world, &item.cost_a,
                                        t->world, &item.cost, &v->result);
    else
        elm_judge.score(m->state, m->count, m->in, t->world, &item.cost, &v->result);
}

static int play(struct server *s, const struct judge_request *q)
{
    for (uint32_t i = 0; i < q->count; i++)
        play_game(s, q, i);
    return (int)q->count;
}

static int explain(struct server *s, const struct judge_request *q)
{
    const struct made *m = &s->sets[q->set];
    char *text = (char *)s->shared->data;
    if (elm_judge.explain == NULL || q->count >= (uint32_t)m->count)
        return -1;
    const uint8_t *out = s->results + q->items[0].slot * s->slot_bytes;
    memset(text, 0, 512);
    elm_judge.explain(m->state, (const uint8_t *)m->in + q->count * elm_judge.in_bytes,
                      out + q->count * elm_judge.out_bytes, text, 512);
    text[511] = '\0';
    return (int)strlen(text);
}

static int picture(struct server *s, const struct judge_request *q)
{
    const struct made *m = &s->sets[q->set];
    if (elm_judge.picture == NULL)
        return -1;
    const uint8_t *out = elm_judge.next != NULL ? s->table.world
                                                : s->results + q->items[0].slot * s->slot_bytes;
    size_t bytes = elm_judge.picture(m->state, m->count, m->in, out, (char *)s->shared->data,
                                     JUDGE_SVG_BYTES);
    return bytes == 0 || bytes > JUDGE_SVG_BYTES ? -1 : (int)bytes;
}

static int answer(struct server *s, const struct judge_request *q, const int *fds)
{
    switch (q->op) {
    case JUDGE_SETUP: return set_up(s, q, fds);
    case JUDGE_MAKE: return make(s, q);
    case JUDGE_WANT: return want(s, q);
    case JUDGE_SCORE: return score(s, q);
    case JUDGE_EXPLAIN: return explain(s, q);
    case JUDGE_PICTURE: return picture(s, q);
    case JUDGE_JOIN: return join(s, q, fds);
    case JUDGE_PLAY: return play(s, q);
    default: return -1;
    }
}

int main(void)
{
    static struct server server;
    static struct judge_request q;
    int fds[WIRE_FDS_MAX];
    struct judge_hello hello = {
        JUDGE_READY, elm_judge.version, elm_judge.in_bytes, elm_judge.out_bytes,
        elm_judge.score != NULL, elm_judge.compare != NULL,
        elm_judge.want != NULL && elm_judge.next == NULL,
        elm_judge.explain != NULL && elm_judge.next == NULL, elm_judge.picture != NULL,
        elm_judge.next != NULL,
    };
    if (wire_send(JUDGE_SOCKET, &hello, sizeof(hello), NULL, 0) != 0)
        return 1;
    while (wire_recv(JUDGE_SOCKET, &q, sizeof(q), fds) > 0) {
        struct judge_reply reply = {.op = q.op};
        reply.count = answer(&server, &q, fds);
        reply.cpu_us = cpu_us();
        if (wire_send(JUDGE_SOCKET, &reply, sizeof(reply), NULL, 0) != 0)
            return 1;
    }
    return 0;
}
