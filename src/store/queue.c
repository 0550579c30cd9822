/*
 * queue: messages from the search to the writer's thread. The writer takes what has come in the
 * last 10 ms and makes one transaction of it, so a synced commit costs the same for one batch as
 * for a hundred. After a failure nothing more is written, and every client hears of it.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/store.h"

#define COMMIT_US 10000
#define BYTES_MAX ((size_t)32 * 1024 * 1024)

void store_queue_init(struct queue *q)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->wake, &monotonic);
    pthread_cond_init(&q->moved, NULL);
    pthread_condattr_destroy(&monotonic);
    q->last = &q->first;
}

static void free_list(struct message *m)
{
    while (m != NULL) {
        struct message *next = m->next;
        free(m);
        m = next;
    }
}

void store_queue_release(struct queue *q)
{
    free_list(q->first);
    pthread_mutex_destroy(&q->lock);
    pthread_cond_destroy(&q->wake);
    pthread_cond_destroy(&q->moved);
}

static void wait_until(struct queue *q, int64_t at_us)
{
    struct timespec at = {at_us / 1000000, at_us % 1000000 * 1000};
    pthread_cond_timedwait(&q->wake, &q->lock, &at);
}

/* Waits for work and for its 10 ms; NULL when the store closes. Called and returns locked. */
static struct message *take(struct queue *q)
{
    while (q->first == NULL && !q->stop)
        pthread_cond_wait(&q->wake, &q->lock);
    while (!q->hurry && !q->stop && elm_clock_us() < q->since_us + COMMIT_US)
        wait_until(q, q->since_us + COMMIT_US);
    struct message *list = q->first;
    q->first = NULL;
    q->last = &q->first;
    q->bytes = 0;
    q->hurry = false;
    return list;
}

static void *write_all(void *context)
{
    struct elm_store *s = context;
    struct queue *q = &s->queue;
    pthread_mutex_lock(&q->lock);
    for (struct message *list; (list = take(q)) != NULL;) {
        uint64_t upto = q->put;
        bool broken = q->failure.status != ELM_OK;
        /* there is room again; the search need not wait for the disk */
        pthread_cond_broadcast(&q->moved);
        pthread_mutex_unlock(&q->lock);
        struct elm_error why = {0};
        enum elm_status status = broken ? ELM_OK : store_commit(s, list, &why);
        free_list(list);
        pthread_mutex_lock(&q->lock);
        if (status != ELM_OK)
            q->failure = why;
        q->written = upto;
        pthread_cond_broadcast(&q->moved);
    }
    pthread_mutex_unlock(&q->lock);
    return NULL;
}

enum elm_status store_queue_start(struct elm_store *s, struct elm_error *err)
{
    /* signals are for the threads that know what to do with them; a file size limit is an error */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&s->queue.thread, NULL, write_all, s);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code != 0)
        return elm_fail(err, ELM_FAIL, "cannot start a thread: %s", strerror(code));
    s->queue.running = true;
    return ELM_OK;
}

static enum elm_status failure(const struct queue *q, struct elm_error *err)
{
    if (q->failure.status != ELM_OK && err != NULL)
        *err = q->failure;
    return q->failure.status;
}

enum elm_status store_queue_stop(struct elm_store *s, struct elm_error *err)
{
    struct queue *q = &s->queue;
    if (!q->running)
        return ELM_OK;
    pthread_mutex_lock(&q->lock);
    q->stop = true;
    pthread_cond_signal(&q->wake);
    pthread_mutex_unlock(&q->lock);
    pthread_join(q->thread, NULL);
    q->running = false;
    return failure(q, err);
}

enum elm_status store_queue_put(struct elm_store *s, struct message *m, struct elm_error *err)
{
    struct queue *q = &s->queue;
    pthread_mutex_lock(&q->lock);
    while (q->failure.status == ELM_OK && q->bytes > 0 && q->bytes + m->bytes > BYTES_MAX) {
        q->hurry = true;
        pthread_cond_signal(&q->wake);
        pthread_cond_wait(&q->moved, &q->lock);
    }
    enum elm_status status = failure(q, err);
    if (status == ELM_OK) {
        if (q->first == NULL) {
            q->since_us = elm_clock_us();
            pthread_cond_signal(&q->wake);
        }
        *q->last = m;
        q->last = &m->next;
        q->bytes += m->bytes;
        q->put++;
    } else {
        free(m);
    }
    pthread_mutex_unlock(&q->lock);
    return status;
}

enum elm_status elm_store_flush(struct elm_store *s, struct elm_error *err)
{
    struct queue *q = &s->queue;
    if (!q->running)
        return ELM_OK;
    pthread_mutex_lock(&q->lock);
    uint64_t upto = q->put;
    while (q->written < upto && q->failure.status == ELM_OK) {
        q->hurry = true;
        pthread_cond_signal(&q->wake);
        pthread_cond_wait(&q->moved, &q->lock);
    }
    enum elm_status status = failure(q, err);
    pthread_mutex_unlock(&q->lock);
    return status;
}
