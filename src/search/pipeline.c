/*
 * pipeline: worker threads, each with an evaluator of its own, that take chunks of batches from a
 * bounded queue and write only the evaluations of their chunk.
 */
#include "search/state.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct chunk {
    struct batch *batch;
    uint32_t first, end;       /* items */
};

struct worker {
    pthread_t thread;
    struct pipeline *pipeline;
    struct elm_evaluator *evaluator;
    int64_t cpu_us;            /* of thread and cages, after its last chunk */
};

struct pipeline {
    pthread_mutex_t lock;
    pthread_cond_t work, done;
    struct chunk *queue;       /* ring */
    uint32_t head, count, cap;
    uint32_t chunk;
    bool noisy, passes, stop;
    struct elm_error failure;  /* the first one of any worker */
    struct worker *workers;
    uint32_t worker_count;
};

static void fill_job(struct elm_job *job, const struct candidate *c)
{
    const struct held *self = c->again;
    *job = (struct elm_job){0};
    if (self != NULL && self->tree.count > 0)
        job->tree = &self->tree;
    else if (self != NULL)
        job->text = elm_buf_str(&self->text);
    else if (c->tree.count > 0)
        job->tree = &c->tree;
    if (c->opponent != NULL && c->opponent->tree.count > 0)
        job->opponent = &c->opponent->tree;
    else if (c->opponent != NULL)
        job->opponent_text = elm_buf_str(&c->opponent->text);
}

static enum elm_status race(struct elm_evaluator *e, struct candidate *c, struct elm_job *job,
                            struct elm_error *err)
{
    struct elm_job parent = {.tree = job->opponent, .text = job->opponent_text};
    job->opponent = NULL;
    job->opponent_text = (struct elm_str){0};
    enum elm_better better = ELM_BETTER_UNDECIDED;
    ELM_TRY(race_run(e, job, &parent, &better, err));
    c->attempt.better = (uint8_t)better;
    return ELM_OK;
}

/* Of the job at `index` in the last run. */
static void take_passes(struct worker *w, struct candidate *c, const struct elm_job *job,
                        uint32_t index)
{
    if (w->pipeline->passes && job->evaluation.status == ELM_EVAL_OK)
        passes_set(&c->passes, elm_evaluator_passes(w->evaluator, index), job->evaluation.cases);
}

static enum elm_status run_chunk(struct worker *w, const struct chunk *k, struct elm_error *err)
{
    struct elm_job jobs[ELM_JOBS_MAX];
    struct candidate *of[ELM_JOBS_MAX];
    uint32_t count = 0;
    for (uint32_t i = k->first; i < k->end; i++) {
        struct candidate *c = &k->batch->items[i];
        if (!c->evaluate)
            continue;
        fill_job(&jobs[count], c);
        if (jobs[count].tree == NULL && jobs[count].text.ptr == NULL)
            jobs[count].text = (struct elm_str){k->batch->edits.ptr + c->edit_at, c->edit_len};
        of[count++] = c;
    }
    for (uint32_t i = 0; w->pipeline->noisy && i < count; i++) {
        ELM_TRY(race(w->evaluator, of[i], &jobs[i], err));
        take_passes(w, of[i], &jobs[i], 0);
    }
    if (!w->pipeline->noisy && count > 0) {
        ELM_TRY(elm_evaluator_run(w->evaluator, jobs, count, ELM_SET_SCORED, ELM_TIER_FAST,
                                  err));
    }
    for (uint32_t i = 0; i < count; i++) {
        of[i]->evaluation = jobs[i].evaluation;
        if (!w->pipeline->noisy)
            take_passes(w, of[i], &jobs[i], i);
    }
    return ELM_OK;
}

static int64_t cpu_us(struct worker *w)
{
    struct elm_evaluator_totals totals;
    elm_evaluator_totals(w->evaluator, &totals);
    return search_thread_cpu_us() + (int64_t)totals.cpu_us;
}

static void *work(void *ctx)
{
    struct worker *w = ctx;
    struct pipeline *p = w->pipeline;
    pthread_mutex_lock(&p->lock);
    for (;;) {
        while (p->count == 0 && !p->stop)
            pthread_cond_wait(&p->work, &p->lock);
        if (p->stop)
            break;
        struct chunk k = p->queue[p->head];
        p->head = (p->head + 1) % p->cap;
        p->count--;
        pthread_mutex_unlock(&p->lock);
        struct elm_error err = {0};
        enum elm_status status = run_chunk(w, &k, &err);
        int64_t used_us = cpu_us(w);
        pthread_mutex_lock(&p->lock);
        w->cpu_us = used_us;
        if (status != ELM_OK && p->failure.status == ELM_OK)
            p->failure = err;
        if (--k.batch->waiting == 0 || status != ELM_OK)
            pthread_cond_broadcast(&p->done);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

enum elm_status pipeline_open(const struct pipeline_def *def, struct pipeline **out,
                              struct elm_error *err)
{
    ELM_ASSERT(def->chunk > 0 && def->chunk <= ELM_JOBS_MAX);
    struct pipeline *p = elm_calloc(1, sizeof(*p));
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&p->done, &monotonic);
    pthread_condattr_destroy(&monotonic);
    p->chunk = def->chunk;
    p->noisy = def->noisy;
    p->passes = def->passes;
    p->cap = 64;
    p->queue = elm_malloc(p->cap * sizeof(p->queue[0]));
    p->workers = elm_calloc(def->workers, sizeof(p->workers[0]));
    for (uint32_t i = 0; i < def->workers; i++)
        p->workers[i] = (struct worker){.pipeline = p, .evaluator = def->evaluators[i]};
    for (uint32_t i = 0; i < def->workers; i++) {
        if (pthread_create(&p->workers[i].thread, NULL, work, &p->workers[i]) != 0) {
            /* the evaluators of threads that never ran are closed with the others */
            p->worker_count = i;
            pipeline_close(p);
            for (uint32_t k = i; k < def->workers; k++)
                elm_evaluator_close(def->evaluators[k]);
            return elm_fail(err, ELM_IO, "cannot start worker thread %u of %u", i + 1,
                            def->workers);
        }
    }
    p->worker_count = def->workers;
    *out = p;
    return ELM_OK;
}

void pipeline_close(struct pipeline *p)
{
    if (p == NULL)
        return;
    pthread_mutex_lock(&p->lock);
    p->stop = true;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
    for (uint32_t i = 0; i < p->worker_count; i++) {
        pthread_join(p->workers[i].thread, NULL);
        elm_evaluator_close(p->workers[i].evaluator);
    }
    pthread_cond_destroy(&p->work);
    pthread_cond_destroy(&p->done);
    pthread_mutex_destroy(&p->lock);
    free(p->workers);
    free(p->queue);
    free(p);
}

static void push(struct pipeline *p, struct chunk k)
{
    if (p->count == p->cap) {
        struct chunk *queue = elm_malloc(p->cap * 2 * sizeof(*queue));
        for (uint32_t i = 0; i < p->count; i++)
            queue[i] = p->queue[(p->head + i) % p->cap];
        free(p->queue);
        p->queue = queue;
        p->head = 0;
        p->cap *= 2;
    }
    p->queue[(p->head + p->count++) % p->cap] = k;
}

void pipeline_submit(struct pipeline *p, struct batch *b)
{
    pthread_mutex_lock(&p->lock);
    uint32_t first = 0, jobs = 0;
    for (uint32_t i = 0; i < b->count; i++) {
        jobs += b->items[i].evaluate;
        if (jobs == p->chunk || (i + 1 == b->count && jobs > 0)) {
            b->waiting++;
            push(p, (struct chunk){b, first, i + 1});
            first = i + 1;
            jobs = 0;
        }
    }
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
}

int64_t pipeline_cpu_us(struct pipeline *p)
{
    int64_t sum = 0;
    pthread_mutex_lock(&p->lock);
    for (uint32_t i = 0; i < p->worker_count; i++)
        sum += p->workers[i].cpu_us;
    pthread_mutex_unlock(&p->lock);
    return sum;
}

enum elm_status pipeline_wait(struct pipeline *p, struct batch *b, int timeout_ms,
                              struct elm_error *err)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    until.tv_sec += timeout_ms / 1000 + until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&p->lock);
    int waited = 0;
    while (b->waiting > 0 && p->failure.status == ELM_OK && waited != ETIMEDOUT)
        waited = pthread_cond_timedwait(&p->done, &p->lock, &until);
    enum elm_status status = b->waiting > 0 ? ELM_STOPPED : ELM_OK;
    if (p->failure.status != ELM_OK) {
        status = p->failure.status;
        if (err != NULL)
            *err = p->failure;
    }
    pthread_mutex_unlock(&p->lock);
    return status;
}
