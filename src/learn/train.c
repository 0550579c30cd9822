/*
 * train: the loop of every trainer. Where the budget is in steps, nothing that a clock says decides a
 * number: a divergence goes back to the state of a fixed step, never to that of a checkpoint, which a
 * clock places; a checkpoint holds both.
 */
#include "learn/train.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROLLBACKS_MOST 20
#define TICK_US 1000000
#define CHECKPOINT_S 60
#define PIECE 16384             /* elements that a rule steps at a time, about */

static uint64_t mix_text(uint64_t hash, const char *text)
{
    return elm_hash(text == NULL ? "" : text, text == NULL ? 0 : strlen(text) + 1, hash);
}

uint64_t train_fingerprint(const struct train *t)
{
    const struct elm_train_def *d = t->def;
    const float reals[] = {d->rate, d->warmup, d->clip, d->lora_alpha, d->beta, d->options.beta1,
                           d->options.beta2, d->options.epsilon, d->options.decay, d->inversions,
                           d->admitted};
    const uint64_t wholes[] = {d->steps, d->batch, d->context, d->lora_rank, d->width, d->layers,
                               d->vocabulary, d->seed, d->shuffled};
    uint64_t hash = mix_text(1, t->kind->name);
    hash = mix_text(hash, d->model);
    hash = mix_text(hash, d->reference);
    hash = mix_text(hash, d->labels);
    for (uint32_t i = 0; i < d->data_count; i++)
        hash = mix_text(hash, d->data[i]);
    if (t->rule != NULL)
        hash = elm_hash_mix(hash, rule_hash(t->rule));
    else
        hash = mix_text(hash, t->optimizer->name);
    hash = mix_text(hash, d->schedule);
    hash = elm_hash(reals, sizeof(reals), hash);
    hash = elm_hash(wholes, sizeof(wholes), hash);
    for (uint32_t i = 0; i < t->count; i++) {
        const uint32_t shape[2] = {t->parameters[i].rows, t->parameters[i].cols};
        hash = elm_hash(shape, sizeof(shape), mix_text(hash, t->parameters[i].name));
    }
    return hash;
}

/* ---- one step ---- */

static void add_square(void *ctx, uint32_t index, uint32_t thread)
{
    struct train *t = ctx;
    const struct elm_parameter *p = &t->parameters[index];
    const size_t size = (size_t)p->rows * p->cols;
    double sums[4] = {0};
    (void)thread;
    size_t i = 0;
    for (; i + 4 <= size; i += 4) {
        for (int k = 0; k < 4; k++)
            sums[k] += (double)p->gradient[i + k] * (double)p->gradient[i + k];
    }
    for (; i < size; i++)
        sums[0] += (double)p->gradient[i] * (double)p->gradient[i];
    t->norms[index] = (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

static size_t place_of(const struct train *t, uint32_t index)
{
    size_t at = 0;
    for (uint32_t i = 0; i < index; i++)
        at += (size_t)t->parameters[i].rows * t->parameters[i].cols;
    return at;
}

static void move(void *ctx, uint32_t index, uint32_t thread)
{
    struct train *t = ctx;
    const struct piece *piece = &t->pieces[index];
    const struct elm_parameter *p = &t->parameters[piece->parameter];
    for (size_t i = piece->first; t->clip < 1 && i < piece->first + piece->count; i++)
        p->gradient[i] *= t->clip;
    const struct elm_optimizer_step s = {
        .options = &t->def->options, .rows = p->rows, .cols = p->cols, .matrix = p->matrix,
        .step = t->now.step, .rate = t->rate, .weights = p->weights, .gradient = p->gradient,
        .state = t->state + place_of(t, piece->parameter) * t->slots,
    };
    if (t->rule != NULL)
        t->ends[index] = rule_step(t->rule, thread, &s, piece->first, piece->count);
    else
        t->optimizer->step(&s);
}

static double mean_loss(const struct standing *s)
{
    const uint64_t count = s->loss_count < LOSSES ? s->loss_count : LOSSES;
    double sum = 0;
    for (uint64_t i = 0; i < count; i++)
        sum += s->losses[i];
    return count > 0 ? sum / (double)count : NAN;
}

/* Says why in `trouble`. */
static bool diverged(struct train *t, double loss)
{
    const double mean = mean_loss(&t->now);
    if (!isfinite(loss) || !isfinite(t->gradient_norm))
        snprintf(t->trouble, sizeof(t->trouble), "loss or gradient is not finite");
    else if (t->now.loss_count >= 10 && loss > mean + 3 * fabs(mean) + 3)
        snprintf(t->trouble, sizeof(t->trouble), "the loss went from %.3g to %.3g", mean, loss);
    else
        return false;
    return true;
}

static bool rule_failed(struct train *t)
{
    for (uint32_t i = 0; i < t->piece_count; i++) {
        if (t->ends[i] == RULE_OK)
            continue;
        snprintf(t->trouble, sizeof(t->trouble), "%s in the optimizer's step of '%.60s'",
                 rule_end_name(t->ends[i]), t->parameters[t->pieces[i].parameter].name);
        return true;
    }
    return false;
}

static void drop_anchor(struct train *t)
{
    t->anchor = t->now;
    train_save(t, t->anchor_values);
}

static enum elm_status roll_back(struct train *t, struct elm_error *err)
{
    const double factor = t->now.rate_factor / 2;
    const uint64_t rollbacks = t->now.rollbacks + 1, step = t->now.step;
    if (rollbacks > ROLLBACKS_MOST)
        return elm_fail(err, ELM_FAIL, "training diverges at step %llu, whatever the rate (%u times "
                        "halved): %s; a lower --rate may help, or look at the data or the optimizer",
                        (unsigned long long)step, ROLLBACKS_MOST, t->trouble);
    train_restore(t, t->anchor_values);
    t->now = t->anchor;
    t->now.rate_factor = factor;
    t->now.rollbacks = rollbacks;
    return ELM_OK;
}

static void note(struct train *t, const struct elm_batch_report *r)
{
    struct standing *s = &t->now;
    const uint64_t slot = s->loss_count++ % LOSSES;
    s->losses[slot] = r->loss;
    memcpy(s->extra[slot], r->extra, sizeof(r->extra));
    s->tokens += r->tokens;
    s->samples += r->samples;
}

/* The share of the budget that is spent when a step is half done. */
static double progress(const struct train *t)
{
    if (t->def->steps > 0)
        return ((double)t->now.step - 0.5) / (double)t->def->steps;
    return fmin((double)t->now.wall_us / (t->def->minutes * 60e6), 1);
}

static enum elm_status step(struct train *t, struct elm_error *err)
{
    struct elm_batch_report report = {0};
    const float top = t->def->rate > 0 ? t->def->rate : t->own_rate;
    t->now.step++;
    for (uint32_t i = 0; i < t->count; i++) {
        const struct elm_parameter *p = &t->parameters[i];
        memset(p->gradient, 0, (size_t)p->rows * p->cols * sizeof(float));
    }
    ELM_TRY(t->kind->gradient(t->self, t->now.step, &report, err));
    team_run(t->team, t->count, add_square, t);
    double square = 0;
    for (uint32_t i = 0; i < t->count; i++)
        square += t->norms[i];
    t->gradient_norm = sqrt(square);
    if (diverged(t, report.loss))
        return roll_back(t, err);
    const double most = t->def->clip > 0 ? (double)t->def->clip : 1;
    t->clip = (float)fmin(1, most / (t->gradient_norm + 1e-12));
    t->rate = (float)((double)top * t->now.rate_factor *
                      schedule_share(t->def->schedule, (double)t->def->warmup, progress(t)));
    team_run(t->team, t->piece_count, move, t);
    if (rule_failed(t))
        return roll_back(t, err);
    note(t, &report);
    if (t->now.step % ANCHOR_STEPS == 0)
        drop_anchor(t);
    return ELM_OK;
}

/* ---- the loop ---- */

static void look_at_clocks(struct train *t)
{
    t->now.wall_us = t->earlier_wall_us + elm_clock_us() - t->started_us;
    t->now.cpu_us = t->earlier_cpu_us + elm_cpu_us() - t->started_cpu_us;
}

static void fill_stats(const struct train *t, struct elm_train_stats *s)
{
    const struct standing *n = &t->now;
    const uint64_t count = n->loss_count < LOSSES ? n->loss_count : LOSSES;
    const double here_s = (double)(n->wall_us - t->earlier_wall_us) / 1e6;
    const double left = t->def->minutes * 60e6 - (double)n->wall_us;
    *s = (struct elm_train_stats){
        .step = n->step, .steps = t->def->steps, .tokens = n->tokens, .samples = n->samples,
        .loss = mean_loss(n), .rate = (double)t->rate, .gradient_norm = t->gradient_norm,
        .cpu_us = n->cpu_us, .wall_us = n->wall_us, .rollbacks = (uint32_t)n->rollbacks,
    };
    memcpy(s->why, t->trouble, sizeof(s->why));
    for (uint64_t i = 0; i < count; i++) {
        for (int k = 0; k < 4; k++)
            s->extra[k] += n->extra[i][k] / (double)count;
    }
    if (here_s > 0 && n->tokens > t->earlier_tokens)
        s->tokens_per_s = (double)(n->tokens - t->earlier_tokens) / here_s;
    if (t->def->steps > 0 && n->step > t->earlier_steps)
        s->eta_s = here_s * (double)(t->def->steps - n->step) / (double)(n->step - t->earlier_steps);
    if (t->def->steps == 0) {
        s->eta_s = left > 0 ? left / 1e6 : 0;
        s->steps = n->wall_us > 0 ? (uint64_t)((double)n->step * t->def->minutes * 60e6 /
                                               (double)n->wall_us) : 0;
        s->steps = s->steps > s->step ? s->steps : s->step;
    }
}

static bool spent(const struct train *t)
{
    if (t->def->steps > 0)
        return t->now.step >= t->def->steps;
    return (double)t->now.wall_us >= t->def->minutes * 60e6;
}

static enum elm_status loop(struct train *t, const char *checkpoint,
                            bool (*tick)(void *ctx, const struct elm_train_stats *stats), void *ctx,
                            struct elm_train_stats *stats, struct elm_error *err)
{
    const int64_t every = (t->def->checkpoint_s > 0 ? t->def->checkpoint_s : CHECKPOINT_S) * 1000000;
    int64_t ticked = elm_clock_us(), saved = ticked;
    bool going = true;
    look_at_clocks(t);
    while (going && !spent(t)) {
        ELM_TRY(step(t, err));
        look_at_clocks(t);
        const int64_t now = elm_clock_us();
        if (now - ticked >= TICK_US || spent(t)) {
            ticked = now;
            fill_stats(t, stats);
            going = tick == NULL || tick(ctx, stats) || spent(t);
        }
        if (!going || (now - saved >= every && !spent(t))) {
            ELM_TRY(checkpoint_write(t, checkpoint, err));
            saved = elm_clock_us();
        }
    }
    fill_stats(t, stats);
    if (!going)
        return elm_fail(err, ELM_STOPPED, "stopped at step %llu; '%s' holds it",
                        (unsigned long long)t->now.step, checkpoint);
    ELM_TRY(t->kind->write(t->self, stats, t->def->out, err));
    unlink(checkpoint);
    return ELM_OK;
}

/* ---- beginning and end ---- */

static enum elm_status check_def(const struct elm_train_def *d, struct elm_error *err)
{
    if (d->out == NULL || d->out[0] == '\0')
        return elm_fail(err, ELM_USAGE, "training needs a file to write: --out FILE.gguf");
    if ((d->steps > 0) == (d->minutes > 0))
        return elm_fail(err, ELM_USAGE, "training needs a budget: either --steps or --minutes");
    if (!schedule_known(d->schedule))
        return elm_fail(err, ELM_USAGE, "schedule '%s': cosine, linear and constant are allowed",
                        d->schedule);
    if (!(d->warmup >= 0 && d->warmup <= 1))
        return elm_fail(err, ELM_USAGE, "warmup %g: 0 to 1 of the budget is allowed",
                        (double)d->warmup);
    if (!(d->rate >= 0 && isfinite(d->rate)) || !(d->clip >= 0 && isfinite(d->clip)))
        return elm_fail(err, ELM_USAGE, "rate %g, clip %g: numbers from 0 are allowed",
                        (double)d->rate, (double)d->clip);
    return ELM_OK;
}

static enum elm_status choose_optimizer(struct train *t, struct elm_error *err)
{
    const char *name = t->def->optimizer == NULL ? "adamw" : t->def->optimizer;
    const struct elm_optimizer_options *o = &t->def->options;
    if (rule_is_file(name)) {
        if (o->beta1 > 0 || o->beta2 > 0 || o->epsilon > 0)
            return elm_fail(err, ELM_USAGE, "beta1, beta2 and epsilon are of the built-in optimizers: the "
                            "file '%.200s' holds its own", name);
        ELM_TRY(rule_open(name, team_size(t->team), &t->rule, err));
        t->slots = rule_slots(t->rule);
        t->own_rate = RULE_RATE;
        return ELM_OK;
    }
    t->optimizer = elm_optimizer_find(name);
    if (t->optimizer == NULL)
        return elm_fail(err, ELM_USAGE, "optimizer '%.200s': there is none of this name (elm list "
                        "optimizers), and a file's ends in .c", name);
    t->slots = t->optimizer->slots;
    t->own_rate = t->optimizer->rate;
    return ELM_OK;
}

static enum elm_status choose(struct train *t, struct elm_error *err)
{
    const struct elm_train_def *d = t->def;
    t->kind = elm_trainer_find(d->trainer == NULL ? "" : d->trainer);
    if (t->kind == NULL)
        return elm_fail(err, ELM_USAGE, "trainer '%s': there is none of this name (elm list "
                        "trainers)", d->trainer == NULL ? "" : d->trainer);
    if (t->kind->needs_data && d->data_count == 0)
        return elm_fail(err, ELM_USAGE, "trainer '%s' needs data: run folders or JSONL files",
                        t->kind->name);
    if (t->kind->needs_model && d->model == NULL)
        return elm_fail(err, ELM_USAGE, "trainer '%s' needs a model to start from: --model NAME or "
                        "a path", t->kind->name);
    return choose_optimizer(t, err);
}

/* One training at a time writes to a file. */
static enum elm_status take_lock(struct train *t, const char *path, struct elm_error *err)
{
    struct stat held, named;
    t->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (t->lock < 0)
        return elm_fail(err, ELM_IO, "cannot create '%s': %s", path, strerror(errno));
    bool taken = flock(t->lock, LOCK_EX | LOCK_NB) == 0 && fstat(t->lock, &held) == 0 &&
                 stat(path, &named) == 0 && held.st_ino == named.st_ino;
    if (!taken) {
        close(t->lock);
        t->lock = -1;
        return elm_fail(err, ELM_LOCKED, "another training writes to '%s'", t->def->out);
    }
    return ELM_OK;
}

/* What the optimizer steps at a time: whole tensors; of a rule, which looks at no more than a block,
 * shares that the threads can divide. */
static void cut_pieces(struct train *t)
{
    const size_t block = t->rule == NULL ? 0 : rule_block(t->rule);
    const size_t most = t->rule == NULL ? SIZE_MAX : (PIECE + block - 1) / block * block;
    for (uint32_t i = 0; i < t->count; i++) {
        const size_t size = (size_t)t->parameters[i].rows * t->parameters[i].cols;
        for (size_t at = 0; at < size; at += t->pieces[t->piece_count++].count) {
            t->pieces = elm_realloc(t->pieces, (t->piece_count + 1) * sizeof(*t->pieces));
            t->pieces[t->piece_count] = (struct piece){i, at, size - at < most ? size - at : most};
        }
    }
    t->ends = elm_calloc(t->piece_count + 1, 1);
}

static enum elm_status begin(struct train *t, const char *checkpoint, struct elm_error *err)
{
    ELM_TRY(t->kind->open(t->def, &t->self, err));
    t->parameters = t->kind->parameters(t->self, &t->count);
    for (uint32_t i = 0; i < t->count; i++)
        t->floats += (size_t)t->parameters[i].rows * t->parameters[i].cols;
    const size_t slots = t->slots;
    cut_pieces(t);
    t->state = elm_calloc(t->floats * slots + 1, sizeof(float));
    t->anchor_values = elm_malloc((t->floats * (1 + slots) + 1) * sizeof(float));
    t->norms = elm_calloc(t->count + 1, sizeof(*t->norms));
    t->now.rate_factor = 1;
    drop_anchor(t);
    enum elm_status status = ELM_NOT_FOUND;
    struct elm_error why = {0};
    if (t->def->resume)
        status = checkpoint_read(t, checkpoint, &why);
    if (status != ELM_OK && status != ELM_NOT_FOUND)
        return elm_fail(err, status, "%s", why.message);
    t->earlier_wall_us = t->now.wall_us;
    t->earlier_cpu_us = t->now.cpu_us;
    t->earlier_tokens = t->now.tokens;
    t->earlier_steps = t->now.step;
    t->started_us = elm_clock_us();
    t->started_cpu_us = elm_cpu_us();
    return ELM_OK;
}

static void end(struct train *t, const char *lock)
{
    if (t->self != NULL)
        t->kind->close(t->self);
    team_free(t->team);
    free(t->state);
    free(t->anchor_values);
    free(t->norms);
    rule_free(t->rule);
    free(t->pieces);
    free(t->ends);
    if (t->lock >= 0) {
        unlink(lock);
        close(t->lock);
    }
}

enum elm_status elm_train(const struct elm_train_def *def,
                          bool (*tick)(void *ctx, const struct elm_train_stats *stats), void *ctx,
                          struct elm_train_stats *stats, struct elm_error *err)
{
    struct train *t = elm_calloc(1, sizeof(*t));
    struct elm_buf checkpoint = {0}, lock = {0};
    t->def = def;
    t->lock = -1;
    t->team = team_new(def->threads);
    memset(stats, 0, sizeof(*stats));
    enum elm_status status = check_def(def, err);
    if (status == ELM_OK)
        status = choose(t, err);
    if (status == ELM_OK) {
        elm_buf_printf(&checkpoint, "%s.checkpoint", def->out);
        elm_buf_printf(&lock, "%s.lock", def->out);
        status = take_lock(t, lock.ptr, err);
    }
    if (status == ELM_OK)
        status = begin(t, checkpoint.ptr, err);
    if (status == ELM_OK)
        status = loop(t, checkpoint.ptr, tick, ctx, stats, err);
    end(t, lock.ptr);
    elm_buf_release(&checkpoint);
    elm_buf_release(&lock);
    free(t);
    return status;
}
