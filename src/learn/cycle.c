/* cycle: the rounds, step after step; a step whose file is there is not made again. */
#include "learn/cycle.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- what the steps share ---- */
void cycle_path(const struct elm_cycle *c, uint32_t round, const char *name, struct elm_buf *out)
{
    bool plain = strchr(c->def.folder, '/') == NULL;
    elm_buf_printf(out, "%s%s", plain ? "./" : "", c->def.folder);
    if (round > 0)
        elm_buf_printf(out, "/round-%02u", round);
    if (name != NULL)
        elm_buf_printf(out, "/%s", name);
}

char *cycle_path_of(const struct elm_cycle *c, uint32_t round, const char *name)
{
    struct elm_buf path = {0};
    cycle_path(c, round, name, &path);
    return path.ptr;
}

bool cycle_there(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

enum elm_status cycle_folder(const char *path, struct elm_error *err)
{
    if (mkdir(path, 0777) == 0 || errno == EEXIST)
        return ELM_OK;
    return elm_fail(err, errno == ENOSPC ? ELM_FULL : ELM_IO, "cannot make the folder '%s': %s",
                    path, strerror(errno));
}

enum elm_status cycle_copy(const char *from, const char *to, struct elm_error *err)
{
    struct elm_buf bytes = {0};
    enum elm_status status = elm_file_read(from, (size_t)1 << 33, &bytes, err);
    if (status == ELM_OK)
        status = elm_file_write(to, elm_buf_str(&bytes), err);
    elm_buf_release(&bytes);
    return status;
}

uint64_t cycle_seed(const struct elm_cycle *c, enum cycle_purpose purpose, uint32_t round)
{
    /* far apart, and exact in JSON */
    return elm_hash_mix(c->def.seed, ((uint64_t)purpose << 32) + round) & ((UINT64_C(1) << 48) - 1);
}

enum elm_status cycle_tick(struct elm_cycle *c, double done, double all, struct elm_error *err)
{
    c->progress.done = done;
    c->progress.all = all;
    if (c->tick == NULL || c->tick(c->tick_ctx, &c->progress))
        return ELM_OK;
    return elm_fail(err, ELM_STOPPED, "stopped in round %u", c->progress.round);
}

double cycle_cpu_s(const struct elm_cycle *c, uint32_t round)
{
    double sum = 0;
    for (uint32_t i = 0; i < round; i++)
        sum += c->rounds[i].cpu_solve_s + c->rounds[i].cpu_train_s + c->rounds[i].cpu_gate_s;
    return sum;
}

/* ---- rounds ---- */
typedef enum elm_status step_function(struct elm_cycle *c, uint32_t round, struct elm_error *err);
static step_function *const steps[ELM_CYCLE_END] = {cycle_solve, cycle_train, cycle_gate,
                                                    cycle_measure};

/* Weights that a gate has adopted are in use from then on; a copy of them stands where it is found. */
static enum elm_status take_up(struct elm_cycle *c, uint32_t round, struct elm_error *err)
{
    if (!(c->rounds[round - 1].adopted > 0))
        return ELM_OK;
    if (c->current != c->base)
        free(c->current);
    c->current = cycle_path_of(c, round, "model.gguf");
    char *copy = cycle_path_of(c, 0, "adopted.gguf");
    enum elm_status status = cycle_copy(c->current, copy, err);
    free(copy);
    return status;
}

static enum elm_status run_round(struct elm_cycle *c, uint32_t round, struct elm_error *err)
{
    char *folder = cycle_path_of(c, round, NULL);
    enum elm_status status = cycle_folder(folder, err);
    free(folder);
    cycle_round_clear(&c->rounds[round - 1]);
    for (int step = 0; step < ELM_CYCLE_END && status == ELM_OK; step++) {
        bool there;
        c->progress = (struct elm_cycle_progress){.round = round, .rounds = c->def.rounds,
                                                  .step = (enum elm_cycle_step)step, .what = "",
                                                  .loss = NAN};
        status = cycle_step_read(c, round, (enum elm_cycle_step)step, &there, err);
        if (status == ELM_OK && !there) {
            status = steps[step](c, round, err);
            if (status == ELM_OK)
                status = cycle_step_write(c, round, (enum elm_cycle_step)step, err);
        }
        if (status == ELM_OK && step == ELM_CYCLE_GATE)
            status = take_up(c, round, err);
    }
    return status;
}

enum elm_status elm_cycle_run(struct elm_cycle *c,
                              bool (*tick)(void *ctx, const struct elm_cycle_progress *p), void *ctx,
                              struct elm_error *err)
{
    c->tick = tick;
    c->tick_ctx = ctx;
    while (c->done < c->def.rounds) {
        ELM_TRY(run_round(c, c->done + 1, err));
        c->done++;
        ELM_TRY(cycle_report(c, err));
        c->progress.step = ELM_CYCLE_END;
        c->progress.what = "";
        c->progress.ended = &c->rounds[c->done - 1];
        ELM_TRY(cycle_tick(c, 1, 1, err));
    }
    return ELM_OK;
}

const struct elm_cycle_round *elm_cycle_rounds(const struct elm_cycle *c, uint32_t *count)
{
    *count = c->done;
    return c->rounds;
}

void elm_cycle_close(struct elm_cycle *c)
{
    if (c == NULL)
        return;
    if (c->lock >= 0)
        close(c->lock);
    if (c->current != c->base)
        free(c->current);
    free(c->base);
    free(c);
}
