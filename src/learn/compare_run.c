/* compare_run: threads that take the cells that are missing, one after the other, and the one that
 * watches them. */
#include "learn/compare.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TICK_MS 100

/* Under the lock. */
static bool take_next(struct elm_compare *c, uint32_t *index)
{
    while (c->next < c->cell_count && c->cells[c->next].done)
        c->next++;
    if (c->next == c->cell_count || c->failure.status != ELM_OK || atomic_load(&c->stop))
        return false;
    *index = c->next++;
    return true;
}

/* Under the lock. */
static void keep(struct elm_compare *c, uint32_t index, const struct elm_compare_cell *cell,
                 char *why)
{
    struct compare_place at = compare_place(c, index);
    char **to = &c->problems[at.problem].why[at.arm];
    if (why != NULL && *to == NULL)
        *to = why;
    else
        free(why);
    c->cells[index] = *cell;
    struct elm_error err = {0};
    if (compare_cells_append(c, index, &err) != ELM_OK) {
        c->cells[index].done = false;
        c->failure = err;
        return;
    }
    c->done++;
    c->last = index;
}

static void *work(void *ctx)
{
    struct elm_compare *c = ctx;
    uint32_t index;
    pthread_mutex_lock(&c->lock);
    while (take_next(c, &index)) {
        pthread_mutex_unlock(&c->lock);
        struct elm_compare_cell cell;
        struct elm_error err = {0};
        char *why = NULL;
        enum elm_status status = compare_cell_run(c, index, &cell, &why, &err);
        pthread_mutex_lock(&c->lock);
        if (status == ELM_OK)
            keep(c, index, &cell, why);
        else if (c->failure.status == ELM_OK && status != ELM_STOPPED)
            c->failure = err;
        /* the others need not finish what will not be reported */
        if (c->failure.status != ELM_OK)
            atomic_store(&c->stop, true);
        pthread_cond_broadcast(&c->changed);
    }
    c->working--;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

static struct timespec in_ms(long ms)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_nsec += ms * 1000000;
    at.tv_sec += at.tv_nsec / 1000000000;
    at.tv_nsec %= 1000000000;
    return at;
}

/* Under the lock. */
static struct elm_compare_progress progress_of(const struct elm_compare *c)
{
    struct elm_compare_progress p = {.cells = c->cell_count, .done = c->done,
                                     .resumed = c->resumed};
    if (c->last >= 0) {
        struct compare_place at = compare_place(c, (uint32_t)c->last);
        p.arm = c->def.arms[at.arm].name;
        p.problem = c->problems[at.problem].label;
    }
    return p;
}

static void watch(struct elm_compare *c,
                  bool (*tick)(void *ctx, const struct elm_compare_progress *p), void *ctx)
{
    pthread_mutex_lock(&c->lock);
    for (bool working = true; working;) {
        struct timespec until = in_ms(TICK_MS);
        while (c->working > 0 &&
               pthread_cond_timedwait(&c->changed, &c->lock, &until) != ETIMEDOUT)
            ;
        working = c->working > 0;
        struct elm_compare_progress p = progress_of(c);
        pthread_mutex_unlock(&c->lock);
        if (tick != NULL && !tick(ctx, &p))
            atomic_store(&c->stop, true);
        pthread_mutex_lock(&c->lock);
    }
    pthread_mutex_unlock(&c->lock);
}

static uint32_t worker_count(const struct elm_compare *c)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    uint32_t wanted = c->def.workers > 0 ? c->def.workers : cores > 0 ? (uint32_t)cores : 1;
    uint32_t left = c->cell_count - c->done;
    return wanted < left ? wanted : left;
}

enum elm_status elm_compare_run(struct elm_compare *c,
                                bool (*tick)(void *ctx, const struct elm_compare_progress *p),
                                void *ctx, struct elm_error *err)
{
    uint32_t workers = worker_count(c), started = 0;
    pthread_t *threads = elm_calloc(workers + 1, sizeof(*threads));
    c->next = 0;
    c->failure = (struct elm_error){0};
    atomic_store(&c->stop, false);
    c->working = workers;
    while (started < workers && pthread_create(&threads[started], NULL, work, c) == 0)
        started++;
    if (started < workers) {
        pthread_mutex_lock(&c->lock);
        c->working -= workers - started;
        pthread_mutex_unlock(&c->lock);
    }
    watch(c, tick, ctx);
    for (uint32_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    free(threads);
    if (c->file >= 0)
        fsync(c->file);
    if (c->failure.status != ELM_OK) {
        if (err != NULL)
            *err = c->failure;
        return c->failure.status;
    }
    if (c->done == c->cell_count)
        return ELM_OK;
    if (started < workers)
        return elm_fail(err, ELM_IO, "cannot start a thread: %s", strerror(EAGAIN));
    return elm_fail(err, ELM_STOPPED, "stopped with %u of %u runs done", c->done, c->cell_count);
}
