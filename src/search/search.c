/*
 * search: problem -> archive -> selector -> operator -> sandbox -> outcome -> archive -> store.
 * The loop below is the only place where asks and tells are put in order.
 */
#include "search/state.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BARREN_MAX 64
#define SNAPSHOT_ATTEMPTS 100000
#define PROGRESS_US 1000000
#define TICK_MS 100

void search_free(struct elm_search *s)
{
    if (s == NULL)
        return;
    consult_free(s);
    sampler_close(s->sampler);
    elm_evaluator_close(s->explainer);
    pipeline_close(s->pipeline);
    if (s->pipeline == NULL)
        elm_evaluator_close(s->first_evaluator);
    for (uint32_t i = 0; i < ELM_SEARCH_LAG; i++)
        batch_free(&s->held, s->window[i]);
    for (uint32_t i = 0; i < s->operator_count; i++) {
        if (s->operators[i]->free != NULL)
            s->operators[i]->free(s->operator_self[i]);
    }
    if (s->archive != NULL)
        s->archive_kind->free(s->archive);
    elm_pool_free(s->pool);
    elm_vm_memory_free(s->vm);
    elm_arena_release(&s->arena);
    elm_buf_release(&s->snapshot);
    elm_buf_release(&s->model_name);
    elm_buf_release(&s->own_model);
    held_release(&s->held);
    seen_release(&s->seen);
    free(s->rematches);
    free(s->cases.bits);
    free(s);
}

static bool time_for_snapshot(const struct elm_search *s)
{
    uint64_t every = s->def.snapshot_attempts;
    if (every == 0) {
        every = s->stats.attempts / 10 > SNAPSHOT_ATTEMPTS ? s->stats.attempts / 10
                                                           : SNAPSHOT_ATTEMPTS;
    }
    return s->snapshot_ready < 0 && s->next_ask - s->next_tell == ELM_SEARCH_LAG - 1 &&
           s->stats.attempts - (uint64_t)s->snapshot_attempts >= every;
}

/* A snapshot holds what was asked ahead, so it waits until that is stored too. */
static enum elm_status keep_snapshots(struct elm_search *s, struct elm_error *err)
{
    if (s->store == NULL)
        return ELM_OK;
    if (time_for_snapshot(s)) {
        snapshot_take(s, &s->snapshot);
        s->snapshot_ready = s->next_ask - 1;
        s->snapshot_attempts = (int64_t)s->stats.attempts;
    }
    if (s->snapshot_ready >= 0 && s->next_tell > s->snapshot_ready) {
        int64_t batch = s->snapshot_ready - (ELM_SEARCH_LAG - 1);
        s->snapshot_ready = -1;
        enum elm_status status =
            elm_store_snapshot_put(s->store, batch, elm_buf_str(&s->snapshot), err);
        /* as large as all hashes seen, and not needed until the next one */
        elm_buf_release(&s->snapshot);
        return status;
    }
    return ELM_OK;
}

static enum elm_status keep_progress(struct elm_search *s, bool now, struct elm_error *err)
{
    int64_t wall_us = elm_clock_us() - s->opened_us;
    if (s->store == NULL || (!now && wall_us - s->progress_us < PROGRESS_US))
        return ELM_OK;
    s->progress_us = wall_us;
    struct elm_archive_stats a;
    s->archive_kind->stats(s->archive, &a);
    struct elm_progress_row row = {(int64_t)s->stats.attempts, (int64_t)s->stats.evaluations,
                                   a.best, a.mean, a.coverage, a.qd_score, wall_us};
    return elm_store_progress(s->store, &row, err);
}

static enum elm_status keep_archive(struct elm_search *s, struct elm_error *err)
{
    uint32_t count = s->archive_kind->count(s->archive);
    struct elm_archive_row *rows = elm_malloc((count + 1) * sizeof(*rows));
    for (uint32_t i = 0; i < count; i++) {
        const struct elm_elite *e = s->archive_kind->at(s->archive, i);
        rows[i] = (struct elm_archive_row){.niche = e->niche, .program = e->id,
                                           .fitness = e->fitness};
        memcpy(rows[i].measures, e->measures, sizeof(e->measures));
    }
    enum elm_status status = elm_store_archive_put(s->store, rows, count, err);
    free(rows);
    return status;
}

/* Does the store hold batches that are not told again yet? */
static bool behind_store(const struct elm_search *s)
{
    const struct batch *next = s->window[s->next_tell % ELM_SEARCH_LAG];
    return next != NULL && next->stored;
}

/* What a finished call leaves in the store, so that replay and other programs can check it. */
static enum elm_status keep_end(struct elm_search *s, struct elm_error *err)
{
    if (s->store == NULL)
        return ELM_OK;
    if (behind_store(s))
        return elm_store_flush(s->store, err);
    ELM_TRY(keep_progress(s, true, err));
    ELM_TRY(keep_archive(s, err));
    char text[64];
    snprintf(text, sizeof(text), "%lld %016llx", (long long)(s->next_tell - 1),
             (unsigned long long)elm_search_hash(s));
    ELM_TRY(elm_store_meta_put(s->store, "end", elm_str(text), err));
    return elm_store_flush(s->store, err);
}

static bool at_end(const struct elm_search *s, enum elm_search_end *end)
{
    const struct elm_search_def *d = &s->def;
    const struct elm_elite *best = s->archive_kind->best(s->archive);
    if (!isnan(d->target) && best != NULL && best->fitness >= d->target)
        *end = ELM_END_TARGET;
    else if (d->evaluations > 0 && s->stats.evaluations >= d->evaluations)
        *end = ELM_END_BUDGET;
    else if (d->minutes > 0 && (double)(elm_clock_us() - s->opened_us) >= d->minutes * 60e6)
        *end = ELM_END_BUDGET;
    else if (s->spent)
        *end = ELM_END_BUDGET;
    else if (s->barren >= BARREN_MAX)
        *end = ELM_END_EXHAUSTED;
    else
        return false;
    return true;
}

static enum elm_status ask_next(struct elm_search *s, struct elm_error *err)
{
    struct batch *b = elm_calloc(1, sizeof(*b));
    enum elm_status status = search_ask(s, b, err);
    if (status != ELM_OK) {
        batch_free(&s->held, b);
        return status;
    }
    s->window[b->number % ELM_SEARCH_LAG] = b;
    pipeline_submit(s->pipeline, b);
    return ELM_OK;
}

static enum elm_status tell_next(struct elm_search *s, struct elm_error *err)
{
    struct batch **place = &s->window[s->next_tell % ELM_SEARCH_LAG];
    struct batch *b = *place;
    *place = NULL;
    enum elm_status status = search_tell(s, b, err);
    batch_free(&s->held, b);
    if (s->stats.first_candidate_us == 0 && s->stats.evaluations > 1)
        s->stats.first_candidate_us = elm_clock_us() - s->opened_us;
    ELM_TRY(status);
    ELM_TRY(keep_snapshots(s, err));
    return keep_progress(s, false, err);
}

struct ticker {
    bool (*tick)(void *ctx, const struct elm_search_stats *stats);
    void *ctx;
    int64_t last_us;
};

static bool keep_going(const struct elm_search *s, struct ticker *t, bool now)
{
    int64_t at = elm_clock_us();
    if (t->tick == NULL || (!now && at - t->last_us < TICK_MS * 1000))
        return true;
    t->last_us = at;
    struct elm_search_stats stats;
    elm_search_stats(s, &stats);
    return t->tick(t->ctx, &stats);
}

static bool waiting(struct elm_search *s)
{
    enum elm_search_end end;
    return keep_going(s, s->ticker, false) && !at_end(s, &end);
}

/* Told until nothing is in flight: what a model was paid for is kept. */
static enum elm_status tell_all(struct elm_search *s, struct elm_error *err)
{
    while (s->next_tell < s->next_ask) {
        struct batch *b = s->window[s->next_tell % ELM_SEARCH_LAG];
        enum elm_status status = pipeline_wait(s->pipeline, b, TICK_MS, err);
        if (status == ELM_STOPPED)
            continue;
        ELM_TRY(status);
        ELM_TRY(tell_next(s, err));
    }
    return ELM_OK;
}

/* A model's answers are dear: none are asked for that the budget has no place for. */
static bool enough_asked(const struct elm_search *s)
{
    uint64_t open = 0;
    if (s->sampler == NULL || s->def.evaluations == 0)
        return false;
    for (int64_t b = s->next_tell; b < s->next_ask; b++) {
        const struct batch *batch = s->window[b % ELM_SEARCH_LAG];
        for (uint32_t i = 0; i < batch->count; i++)
            open += batch->items[i].attempt.hash != 0;
    }
    return open > 0 && s->stats.evaluations + open >= s->def.evaluations;
}

static enum elm_status loop(struct elm_search *s, struct ticker *t, enum elm_search_end *end,
                            struct elm_error *err)
{
    while (!at_end(s, end)) {
        if (!keep_going(s, t, false)) {
            *end = ELM_END_STOPPED;
            return ELM_OK;
        }
        if (s->next_ask - s->next_tell < ELM_SEARCH_LAG && !enough_asked(s)) {
            enum elm_status status = ask_next(s, err);
            if (status == ELM_STOPPED) {
                if (!at_end(s, end))
                    *end = ELM_END_STOPPED;
                return ELM_OK;
            }
            ELM_TRY(status);
            continue;
        }
        struct batch *b = s->window[s->next_tell % ELM_SEARCH_LAG];
        enum elm_status status = pipeline_wait(s->pipeline, b, TICK_MS, err);
        if (status == ELM_STOPPED)
            continue;
        ELM_TRY(status);
        ELM_TRY(tell_next(s, err));
    }
    return ELM_OK;
}

enum elm_status elm_search_run(struct elm_search *s,
                               bool (*tick)(void *ctx, const struct elm_search_stats *stats),
                               void *ctx, enum elm_search_end *end, struct elm_error *err)
{
    struct ticker t = {tick, ctx, 0};
    *end = ELM_END_STOPPED;
    s->ticker = &t;
    s->waiting = waiting;
    enum elm_status status = loop(s, &t, end, err);
    /* a budget that is less than what earlier parts of the run have spent undoes nothing of it */
    while (status == ELM_OK && *end != ELM_END_STOPPED && behind_store(s))
        status = tell_next(s, err);
    if (status == ELM_OK && s->sampler != NULL)
        status = tell_all(s, err);
    s->ticker = NULL;
    if (status == ELM_OK)
        keep_going(s, &t, true);
    if (status == ELM_OK)
        return keep_end(s, err);
    /* the store may still take what is pending; its own error would hide ours. A batch may be told
     * in part, so this is no end to be compared with. */
    if (s->store != NULL)
        elm_store_flush(s->store, NULL);
    return status;
}

void elm_search_stats(const struct elm_search *s, struct elm_search_stats *out)
{
    *out = s->stats;
    s->archive_kind->stats(s->archive, &out->archive);
    const struct elm_elite *best = s->archive_kind->best(s->archive);
    out->best_id = best == NULL ? -1 : best->id;
    out->seed_fitness = s->seed_fitness;
    out->wall_us = elm_clock_us() - s->opened_us;
    out->level = s->def.level;
    out->noisy = s->noisy;
    out->has_model = s->sampler != NULL;
    if (out->has_model)
        sampler_totals(s->sampler, &out->model);
    out->operator_count = s->operator_stats_count;
    double drawn = 0;
    for (uint32_t i = 0; i < s->operator_count; i++)
        drawn += s->bandit.drawn[i];
    for (uint32_t i = 0; i < s->operator_stats_count; i++) {
        out->operators[i] = s->operator_stats[i];
        out->operators[i].share = i < s->operator_count && drawn > 0 ? s->bandit.drawn[i] / drawn
                                                                     : 0;
    }
}

int64_t search_thread_cpu_us(void)
{
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (int64_t)used.tv_sec * 1000000 + used.tv_nsec / 1000;
}

int64_t elm_search_cpu_us(const struct elm_search *s)
{
    int64_t sum = search_thread_cpu_us() - s->opened_cpu_us;
    if (s->pipeline != NULL)
        sum += pipeline_cpu_us(s->pipeline);
    if (s->sampler != NULL)
        sum += sampler_cpu_us(s->sampler);
    return sum;
}

uint64_t elm_search_hash(const struct elm_search *s)
{
    return s->archive_kind->hash(s->archive);
}

enum elm_status elm_search_text(struct elm_search *s, int64_t id, struct elm_buf *out,
                                struct elm_error *err)
{
    const struct elm_elite *best = s->archive_kind->best(s->archive);
    if (id < 0 && best != NULL)
        id = best->id;
    const struct held *h = held_find(&s->held, id);
    if (h == NULL) {
        return elm_fail(err, ELM_NOT_FOUND, "program %lld is not in the archive",
                        (long long)id);
    }
    if (h->tree.count > 0)
        elm_tree_print(&h->tree, s->problem->names, out);
    else
        elm_buf_add_str(out, elm_buf_str(&h->text));
    return ELM_OK;
}

void elm_search_elites(struct elm_search *s, void (*each)(void *ctx, const struct elm_elite *e),
                       void *ctx)
{
    uint32_t count = s->archive_kind->count(s->archive);
    for (uint32_t i = 0; i < count; i++)
        each(ctx, s->archive_kind->at(s->archive, i));
}

enum elm_status elm_search_close(struct elm_search *s, struct elm_error *err)
{
    if (s == NULL)
        return ELM_OK;
    struct elm_store *store = s->store;
    search_free(s);
    return store == NULL ? ELM_OK : elm_store_close(store, err);
}
