/* dpo: the better of two answers is to gain on the other, against the model as it was
 * (Rafailov et al. 2023). */
#include "elm/dataset.h"

#include <math.h>
#include <stdlib.h>

#define BATCH 4
#define CONTEXT 1024
#define BETA 0.1

struct dpo {
    struct elm_text *text;
    double beta;
    double *reference;           /* [answers]: sums of log-probabilities before */
    uint32_t *items;             /* [batch] */
    struct elm_net_sequence *sequences;    /* [2 * batch]: better, worse, better ... */
    float *coefficients, *logprobs;        /* [2 * batch][longest] */
};

static void dpo_close(void *self)
{
    struct dpo *d = self;
    elm_text_close(d->text);
    free(d->reference);
    free(d->items);
    free(d->sequences);
    free(d->coefficients);
    free(d->logprobs);
    free(d);
}

static enum elm_status dpo_open(const struct elm_train_def *def, void **self, struct elm_error *err)
{
    struct dpo *d = elm_calloc(1, sizeof(*d));
    enum elm_status status = elm_text_open(def, ELM_DATA_PAIRS, BATCH, CONTEXT, &d->text, err);
    if (status == ELM_OK) {
        const struct elm_text *t = d->text;
        const size_t floats = 2 * (size_t)t->batch * t->longest + 1;
        d->beta = def->beta > 0 ? (double)def->beta : BETA;
        d->reference = elm_calloc(t->data.answer_count, sizeof(*d->reference));
        d->items = elm_calloc(t->batch, sizeof(*d->items));
        d->sequences = elm_calloc(2 * t->batch, sizeof(*d->sequences));
        d->coefficients = elm_calloc(floats, sizeof(float));
        d->logprobs = elm_calloc(floats, sizeof(float));
        status = elm_text_logprobs(d->text, def, def->reference, d->reference, NULL, err);
    }
    if (status == ELM_OK)
        *self = d;
    else
        dpo_close(d);
    return status;
}

static const struct elm_parameter *dpo_parameters(void *self, uint32_t *count)
{
    return elm_net_parameters(((struct dpo *)self)->text->net, count);
}

/* By how much an answer is likelier than before. */
static double gain(const struct dpo *d, uint32_t slot, uint32_t answer)
{
    const struct elm_text_answer *a = &d->text->answers[answer];
    double sum = -d->reference[answer];
    for (uint32_t i = a->from; i < a->count; i++)
        sum += (double)d->logprobs[(size_t)slot * d->text->longest + i];
    return sum;
}

static void weigh(struct dpo *d, uint32_t slot, uint32_t answer, double coefficient)
{
    const struct elm_text_answer *a = &d->text->answers[answer];
    float *c = d->coefficients + (size_t)slot * d->text->longest;
    for (uint32_t i = 0; i < a->count; i++)
        c[i] = i >= a->from ? (float)coefficient : 0;
}

static enum elm_status dpo_gradient(void *self, uint64_t step, struct elm_batch_report *report,
                                    struct elm_error *err)
{
    struct dpo *d = self;
    struct elm_text *t = d->text;
    const uint32_t count = 2 * t->batch;
    double ignored;
    elm_text_batch(t, step, d->items);
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t answer = t->data.items[d->items[i / 2]].first + i % 2;
        d->sequences[i] = (struct elm_net_sequence){
            .tokens = t->answers[answer].tokens, .count = t->answers[answer].count,
            .logprobs = d->logprobs + (size_t)i * t->longest,
            .coefficients = d->coefficients + (size_t)i * t->longest,
        };
        report->tokens += t->answers[answer].count;
    }
    ELM_TRY(elm_net_logprobs(t->net, d->sequences, count, err));
    for (uint32_t i = 0; i < count; i += 2) {
        const uint32_t answer = t->data.items[d->items[i / 2]].first;
        const double margin = d->beta * (gain(d, i, answer) - gain(d, i + 1, answer + 1));
        const double pull = d->beta / (1 + exp(margin)) / t->batch;
        weigh(d, i, answer, pull);
        weigh(d, i + 1, answer + 1, -pull);
        report->loss += (margin > 0 ? log1p(exp(-margin)) : log1p(exp(margin)) - margin) / t->batch;
        report->extra[0] += margin / t->batch;
        report->extra[1] += (margin > 0 ? 1.0 : 0) / t->batch;
    }
    report->samples = t->batch;
    return elm_net_gradient(t->net, d->sequences, count, &ignored, err);
}

static enum elm_status dpo_write(void *self, const struct elm_train_stats *stats,
                                 const char *path, struct elm_error *err)
{
    (void)stats;
    return elm_net_write(((struct dpo *)self)->text->net, path, err);
}

const struct elm_trainer_kind elm_trainer_dpo = {
    .name = "dpo",
    .summary = "prefers the better of two answers to the other, near the model as it was",
    .extras = {"margin", "accuracy"},
    .needs_data = true,
    .needs_model = true,
    .open = dpo_open,
    .close = dpo_close,
    .parameters = dpo_parameters,
    .gradient = dpo_gradient,
    .write = dpo_write,
};
