/*
 * frequencies: counts which nodes became which in edits that did well (elm/frequencies.h). The
 * counts are made at the start; steps of gradient then follow the cross-entropy of more draws.
 */
#include "elm/edits.h"
#include "elm/frequencies.h"
#include "elm/trainer.h"

#include <math.h>
#include <stdlib.h>

#define BATCH 256
#define COUNTED 20000            /* draws */
#define PRIOR 0.05               /* of a pair, before it was seen */

struct frequencies {
    const struct elm_train_def *def;
    struct elm_edits *data;
    struct elm_edits_memory *memory;
    struct elm_frequencies weights, gradient;
    struct elm_parameter parameters[2];
    uint32_t batch;
};

/* Counts of draws, a function of the stream. */
static uint64_t count(struct frequencies *s, uint64_t stream, uint32_t draws,
                      struct elm_frequencies *out)
{
    uint64_t edits = 0;
    *out = (struct elm_frequencies){0};
    for (uint32_t i = 0; i < draws; i++) {
        struct elm_rng rng = elm_rng(s->def->seed ^ 0x66726571, stream << 20 | i);
        struct elm_edits_lesson l;
        if (!elm_edits_draw(s->data, s->memory, &rng, &l) || l.edits == NULL)
            continue;
        elm_frequencies_count(out, l.exercise.from, l.edits, l.edit_count);
        edits += l.edit_count;
    }
    return edits;
}

static void take_logarithms(const float *counts, uint32_t size, float *out)
{
    for (uint32_t i = 0; i < size; i++)
        out[i] = logf(counts[i] + (float)PRIOR);
}

static void frequencies_close(void *self)
{
    struct frequencies *s = self;
    elm_edits_close(s->data);
    elm_edits_memory_free(s->memory);
    free(s);
}

static enum elm_status frequencies_open(const struct elm_train_def *def, void **self,
                                        struct elm_error *err)
{
    if (def->model != NULL || def->lora_rank > 0)
        return elm_fail(err, ELM_USAGE, "frequencies starts from nothing: neither a model nor "
                        "lora_rank is allowed");
    if (def->labels != NULL)
        return elm_fail(err, ELM_USAGE, "labels '%.60s': frequencies counts good edits",
                        def->labels);
    struct frequencies *s = elm_calloc(1, sizeof(*s));
    struct elm_edits_def data = {.runs = def->data, .run_count = def->data_count,
                                 .shuffled = def->shuffled, .seed = def->seed};
    enum elm_status status = elm_edits_open(&data, &s->data, err);
    if (status != ELM_OK) {
        frequencies_close(s);
        return status;
    }
    struct elm_frequencies counts;
    s->def = def;
    s->memory = elm_edits_memory_new();
    s->batch = def->batch > 0 ? def->batch : BATCH;
    count(s, 0, COUNTED, &counts);
    take_logarithms(counts.replace[0], ELM_FREQUENCY_KINDS * ELM_FREQUENCY_KINDS,
                    s->weights.replace[0]);
    take_logarithms(counts.literal, ELM_LITERAL_CHANGES, s->weights.literal);
    s->parameters[0] = (struct elm_parameter){
        .name = "replace", .rows = ELM_FREQUENCY_KINDS, .cols = ELM_FREQUENCY_KINDS,
        .weights = s->weights.replace[0], .gradient = s->gradient.replace[0]};
    s->parameters[1] = (struct elm_parameter){
        .name = "literal", .rows = 1, .cols = ELM_LITERAL_CHANGES, .weights = s->weights.literal,
        .gradient = s->gradient.literal};
    *self = s;
    return ELM_OK;
}

static const struct elm_parameter *frequencies_parameters(void *self, uint32_t *count_out)
{
    *count_out = 2;
    return ((struct frequencies *)self)->parameters;
}

/* Loss of the counts under the softmax of all weights; its gradient, both a mean over `scale`. */
static double fit(const struct elm_parameter *p, const float *counts, double scale)
{
    double sum = 0, total = 0, loss = 0, most = -INFINITY;
    uint32_t size = p->rows * p->cols;
    for (uint32_t i = 0; i < size; i++) {
        most = fmax(most, (double)p->weights[i]);
        total += (double)counts[i];
    }
    for (uint32_t i = 0; i < size; i++)
        sum += exp((double)p->weights[i] - most);
    for (uint32_t i = 0; i < size; i++) {
        double share = exp((double)p->weights[i] - most) / sum;
        loss -= (double)counts[i] * log(share);
        p->gradient[i] += (float)((total * share - (double)counts[i]) / scale);
    }
    return loss / scale;
}

static enum elm_status frequencies_gradient(void *self, uint64_t step,
                                            struct elm_batch_report *report,
                                            struct elm_error *err)
{
    struct frequencies *s = self;
    struct elm_frequencies counts;
    (void)err;
    uint64_t edits = count(s, step, s->batch, &counts);
    double scale = edits > 0 ? (double)edits : 1;
    double loss = fit(&s->parameters[0], counts.replace[0], scale);
    loss += fit(&s->parameters[1], counts.literal, scale);
    *report = (struct elm_batch_report){.loss = loss, .tokens = edits, .samples = edits};
    return ELM_OK;
}

static enum elm_status frequencies_write(void *self, const struct elm_train_stats *stats,
                                         const char *path, struct elm_error *err)
{
    (void)stats;
    return elm_frequencies_write(&((struct frequencies *)self)->weights, path, err);
}

const struct elm_trainer_kind elm_trainer_frequencies = {
    .name = "frequencies",
    .summary = "which node became which in good edits, for the operator frequent: a control",
    .needs_data = true,
    .from_nothing = true,
    .open = frequencies_open,
    .close = frequencies_close,
    .parameters = frequencies_parameters,
    .gradient = frequencies_gradient,
    .write = frequencies_write,
};
