/*
 * sampler: threads that hand requests to the backend, a lane each. The search thread waits for
 * them, so that what is asked and in which order depends on nothing that a clock decides.
 */
#include "search/state.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct lane {
    pthread_t thread;
    struct sampler *sampler;
    uint32_t number;
};

struct sampler {
    const struct elm_backend_kind *kind;
    void *self;
    pthread_mutex_t lock;
    pthread_cond_t work, done;
    const struct elm_request *requests;    /* NULL: nothing is asked */
    struct elm_reply *replies;
    uint32_t count, next, step;            /* requests; the next one to take, this many at a time */
    uint32_t open;                         /* lanes at work */
    bool stop;
    struct elm_error failure;              /* the first one */
    struct lane *lanes;
    uint32_t lane_count, started;
};

static void *serve(void *ctx)
{
    struct lane *lane = ctx;
    struct sampler *s = lane->sampler;
    pthread_mutex_lock(&s->lock);
    for (;;) {
        while (s->next == s->count && !s->stop)
            pthread_cond_wait(&s->work, &s->lock);
        if (s->stop)
            break;
        uint32_t first = s->next, left = s->count - first;
        uint32_t n = left < s->step ? left : s->step;
        s->next += n;
        s->open++;
        pthread_mutex_unlock(&s->lock);
        struct elm_error err = {0};
        enum elm_status status = s->kind->complete(s->self, lane->number, s->requests + first, n,
                                                   s->replies + first, &err);
        pthread_mutex_lock(&s->lock);
        s->open--;
        if (status != ELM_OK && s->failure.status == ELM_OK) {
            s->failure = err;
            s->failure.status = status;
        }
        pthread_cond_broadcast(&s->done);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

enum elm_status sampler_open(const struct sampler_def *def, struct sampler **out,
                             struct elm_error *err)
{
    struct elm_backend_def backend = def->backend;
    /* a server answers many at a time by itself */
    backend.lanes = def->kind->local ? def->lanes : 1;
    struct sampler *s = elm_calloc(1, sizeof(*s));
    s->kind = def->kind;
    enum elm_status status = def->kind->open(&backend, &s->self, err);
    if (status != ELM_OK) {
        free(s);
        return status;
    }
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->work, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&s->done, &monotonic);
    pthread_condattr_destroy(&monotonic);
    s->lane_count = backend.lanes;
    s->lanes = elm_calloc(s->lane_count, sizeof(s->lanes[0]));
    for (uint32_t i = 0; i < s->lane_count; i++) {
        s->lanes[i] = (struct lane){.sampler = s, .number = i};
        if (pthread_create(&s->lanes[i].thread, NULL, serve, &s->lanes[i]) != 0) {
            sampler_close(s);
            return elm_fail(err, ELM_IO, "cannot start model thread %u of %u", i + 1,
                            backend.lanes);
        }
        s->started++;
    }
    *out = s;
    return ELM_OK;
}

double sampler_price_us(const struct sampler *s, uint32_t tokens)
{
    return s->kind->price_us(s->self, tokens);
}

int64_t sampler_cpu_us(const struct sampler *s)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < s->started; i++) {
        clockid_t clock;
        struct timespec used = {0};
        if (pthread_getcpuclockid(s->lanes[i].thread, &clock) == 0)
            clock_gettime(clock, &used);
        sum += (int64_t)used.tv_sec * 1000000 + used.tv_nsec / 1000;
    }
    return sum;
}

void sampler_cancel(struct sampler *s)
{
    pthread_mutex_lock(&s->lock);
    s->next = s->count;
    pthread_mutex_unlock(&s->lock);
    s->kind->cancel(s->self);
}

void sampler_close(struct sampler *s)
{
    if (s == NULL)
        return;
    sampler_cancel(s);
    pthread_mutex_lock(&s->lock);
    s->stop = true;
    pthread_cond_broadcast(&s->work);
    pthread_mutex_unlock(&s->lock);
    for (uint32_t i = 0; i < s->started; i++)
        pthread_join(s->lanes[i].thread, NULL);
    s->kind->close(s->self);
    pthread_cond_destroy(&s->work);
    pthread_cond_destroy(&s->done);
    pthread_mutex_destroy(&s->lock);
    free(s->lanes);
    free(s);
}

void sampler_submit(struct sampler *s, const struct elm_request *requests, uint32_t count,
                    uint32_t group, struct elm_reply *replies)
{
    pthread_mutex_lock(&s->lock);
    ELM_ASSERT(s->next == s->count && s->open == 0);
    uint32_t groups = (count + group - 1) / group;
    s->requests = requests;
    s->replies = replies;
    s->count = count;
    s->next = 0;
    s->step = (groups + s->lane_count - 1) / s->lane_count * group;
    s->failure = (struct elm_error){0};
    pthread_cond_broadcast(&s->work);
    pthread_mutex_unlock(&s->lock);
}

enum elm_status sampler_wait(struct sampler *s, int timeout_ms, bool *done, struct elm_error *err)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    until.tv_sec += timeout_ms / 1000 + until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&s->lock);
    int waited = 0;
    while ((s->next < s->count || s->open > 0) && waited != ETIMEDOUT)
        waited = pthread_cond_timedwait(&s->done, &s->lock, &until);
    *done = s->next == s->count && s->open == 0;
    enum elm_status status = ELM_OK;
    if (*done && s->failure.status != ELM_OK) {
        status = s->failure.status;
        if (err != NULL)
            *err = s->failure;
    }
    pthread_mutex_unlock(&s->lock);
    return status;
}

void sampler_totals(struct sampler *s, struct elm_backend_totals *out)
{
    s->kind->totals(s->self, out);
}
