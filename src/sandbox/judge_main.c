/*
 * judge_main: the other half of a judge program: answers elm's requests with the functions that
 * judge.c defines. Compiled with judge.c, never into elm.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "wire.h"

struct made {
    void *state, *in;
    int count;
};

struct server {
    struct judge_shared *shared;
    const uint8_t *results;
    size_t slot_bytes, data_bytes;
    struct made sets[ELM_SETS];
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
    size_t bytes = elm_judge.picture(m->state, m->count, m->in,
                                     s->results + q->items[0].slot * s->slot_bytes,
                                     (char *)s->shared->data, JUDGE_SVG_BYTES);
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
        elm_judge.score != NULL, elm_judge.compare != NULL, elm_judge.want != NULL,
        elm_judge.explain != NULL, elm_judge.picture != NULL,
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
