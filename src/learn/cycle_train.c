/* cycle_train: new weights from the base ones, on what all rounds so far have collected. */
#include "learn/cycle.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct watching {
    struct elm_cycle *c;
    uint64_t steps;
};

static bool tick(void *ctx, const struct elm_train_stats *s)
{
    struct watching *w = ctx;
    struct elm_error err;
    w->c->progress.loss = s->loss;
    return cycle_tick(w->c, (double)s->step, (double)w->steps, &err) == ELM_OK;
}

enum elm_status cycle_train_into(struct elm_cycle *c, const struct elm_train_def *def,
                                 struct elm_train_stats *stats, struct elm_error *err)
{
    struct elm_train_def d = *def;
    struct watching w = {c, d.steps};
    struct elm_buf checkpoint = {0};
    elm_buf_printf(&checkpoint, "%s.checkpoint", d.out);
    d.resume = cycle_there(checkpoint.ptr);
    elm_buf_release(&checkpoint);
    d.model = elm_trainer_find(d.trainer)->from_nothing ? NULL : c->base;
    d.minutes = 0;
    d.threads = c->def.workers;
    return elm_train(&d, tick, &w, stats, err);
}

/* The run folders that a round's learn.txt names, a line each. */
static enum elm_status add_data(struct elm_cycle *c, uint32_t round, struct elm_arena *arena,
                                const char ***data, uint32_t *count, struct elm_error *err)
{
    struct elm_buf text = {0};
    char *path = cycle_path_of(c, round, "learn.txt");
    enum elm_status status = elm_file_read(path, (size_t)1 << 26, &text, err);
    free(path);
    for (char *at = text.ptr; status == ELM_OK && at != NULL && *at != '\0';) {
        size_t len = strcspn(at, "\n");
        struct elm_buf name = {0}, full = {0};
        elm_buf_printf(&name, "runs/%.*s", (int)len, at);
        cycle_path(c, round, name.ptr, &full);
        char *kept = elm_arena_alloc(arena, full.len + 1);
        memcpy(kept, full.ptr, full.len + 1);
        *data = elm_realloc(*data, (*count + 1) * sizeof(**data));
        (*data)[(*count)++] = kept;
        elm_buf_release(&name);
        elm_buf_release(&full);
        at += len + (at[len] == '\n');
    }
    elm_buf_release(&text);
    return status;
}

enum elm_status cycle_train_round(struct elm_cycle *c, uint32_t round,
                                  const struct elm_train_def *how, const char *out,
                                  struct elm_train_stats *stats, struct elm_error *err)
{
    struct elm_train_def def = *how;
    bool needs_data = elm_trainer_find(def.trainer)->needs_data;
    struct elm_arena arena = {0};
    const char **data = NULL;
    uint32_t count = 0;
    enum elm_status status = ELM_OK;
    *stats = (struct elm_train_stats){0};
    for (uint32_t k = 1; k <= round && status == ELM_OK && needs_data; k++)
        status = add_data(c, k, &arena, &data, &count, err);
    if (status == ELM_OK && (!needs_data || count > 0)) {
        def.data = data;
        def.data_count = count;
        def.out = out;
        def.seed = cycle_seed(c, CYCLE_FOR_TRAIN, round);
        def.steps *= round;
        status = cycle_train_into(c, &def, stats, err);
        /* of this label, say, or of anything: the next round may have some */
        if (status == ELM_NOTHING) {
            *stats = (struct elm_train_stats){0};
            status = ELM_OK;
        }
    }
    free(data);
    elm_arena_release(&arena);
    return status;
}

enum elm_status cycle_train(struct elm_cycle *c, uint32_t round, struct elm_error *err)
{
    struct elm_cycle_round *r = &c->rounds[round - 1];
    struct elm_train_stats stats;
    c->progress.what = "train";
    char *out = cycle_path_of(c, round, "model.gguf");
    enum elm_status status = cycle_train_round(c, round, &c->def.train, out, &stats, err);
    free(out);
    r->trained = stats.step > 0;
    r->steps = (double)stats.step;
    r->samples = (double)stats.samples;
    r->loss = stats.step > 0 ? stats.loss : NAN;
    r->cpu_train_s = (double)stats.cpu_us / 1e6;
    return status;
}
