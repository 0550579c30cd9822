/* team: threads asleep until there are tasks. */
#include "model/team.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>

struct member {
    struct team *team;
    pthread_t thread;
    uint32_t index;
};
struct team {
    pthread_mutex_t lock;
    pthread_cond_t begin, done;
    struct member *members;      /* [size - 1]: the caller is number 0 */
    uint32_t size;
    bool closing;
    uint64_t round;
    uint32_t tasks, next, busy;  /* busy: members that have not finished this round */
    void (*work)(void *ctx, uint32_t task, uint32_t thread);
    void *ctx;
};

static void work_on(struct team *t, uint32_t thread)
{
    for (;;) {
        uint32_t task = __atomic_fetch_add(&t->next, 1, __ATOMIC_RELAXED);
        if (task >= t->tasks)
            return;
        t->work(t->ctx, task, thread);
    }
}

static void *member(void *arg)
{
    const struct member *m = arg;
    struct team *t = m->team;
    uint64_t round = 0;
    pthread_mutex_lock(&t->lock);
    for (;;) {
        while (t->round == round && !t->closing)
            pthread_cond_wait(&t->begin, &t->lock);
        if (t->closing)
            break;
        round = t->round;
        pthread_mutex_unlock(&t->lock);
        work_on(t, m->index);
        pthread_mutex_lock(&t->lock);
        if (--t->busy == 0)
            pthread_cond_signal(&t->done);
    }
    pthread_mutex_unlock(&t->lock);
    return NULL;
}

static uint32_t cores(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof(set), &set) == 0 ? (uint32_t)CPU_COUNT(&set) : 1;
}

struct team *team_new(uint32_t threads)
{
    struct team *t = elm_calloc(1, sizeof(*t));
    const uint32_t wanted = threads > 0 ? threads : cores();
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->begin, NULL);
    pthread_cond_init(&t->done, NULL);
    t->members = elm_calloc(wanted, sizeof(*t->members));
    t->size = 1;
    /* signals are the caller's */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (t->size < wanted) {
        struct member *m = &t->members[t->size - 1];
        *m = (struct member){.team = t, .index = t->size};
        if (pthread_create(&m->thread, NULL, member, m) != 0)
            break;    /* fewer will do */
        t->size++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return t;
}

void team_free(struct team *t)
{
    if (t == NULL)
        return;
    pthread_mutex_lock(&t->lock);
    t->closing = true;
    pthread_cond_broadcast(&t->begin);
    pthread_mutex_unlock(&t->lock);
    for (uint32_t i = 0; i + 1 < t->size; i++)
        pthread_join(t->members[i].thread, NULL);
    pthread_cond_destroy(&t->begin);
    pthread_cond_destroy(&t->done);
    pthread_mutex_destroy(&t->lock);
    free(t->members);
    free(t);
}

uint32_t team_size(const struct team *t)
{
    return t->size;
}

void team_run(struct team *t, uint32_t tasks,
              void (*work)(void *ctx, uint32_t task, uint32_t thread), void *ctx)
{
    if (t->size == 1 || tasks <= 1) {
        for (uint32_t task = 0; task < tasks; task++)
            work(ctx, task, 0);
        return;
    }
    pthread_mutex_lock(&t->lock);
    t->tasks = tasks;
    t->next = 0;
    t->work = work;
    t->ctx = ctx;
    t->busy = t->size - 1;
    t->round++;
    pthread_cond_broadcast(&t->begin);
    pthread_mutex_unlock(&t->lock);
    work_on(t, 0);
    pthread_mutex_lock(&t->lock);
    while (t->busy > 0)
        pthread_cond_wait(&t->done, &t->lock);
    pthread_mutex_unlock(&t->lock);
}
