/* sft: cross-entropy of the answers, the prompts masked. */
#include "elm/dataset.h"

#include <stdlib.h>

#define BATCH 8
#define CONTEXT 1024

struct sft {
    struct elm_text *text;
    uint32_t *items;             /* [batch] */
    struct elm_net_sequence *sequences;
    float *coefficients;         /* [batch][longest] */
};

static void sft_close(void *self)
{
    struct sft *s = self;
    elm_text_close(s->text);
    free(s->items);
    free(s->sequences);
    free(s->coefficients);
    free(s);
}

static enum elm_status sft_open(const struct elm_train_def *def, void **self, struct elm_error *err)
{
    struct elm_text *t = NULL;
    ELM_TRY(elm_text_open(def, ELM_DATA_EXAMPLES, BATCH, CONTEXT, &t, err));
    struct sft *s = elm_calloc(1, sizeof(*s));
    s->text = t;
    s->items = elm_calloc(t->batch, sizeof(*s->items));
    s->sequences = elm_calloc(t->batch, sizeof(*s->sequences));
    s->coefficients = elm_calloc((size_t)t->batch * t->longest + 1, sizeof(float));
    *self = s;
    return ELM_OK;
}

static const struct elm_parameter *sft_parameters(void *self, uint32_t *count)
{
    return elm_net_parameters(((struct sft *)self)->text->net, count);
}

static enum elm_status sft_gradient(void *self, uint64_t step, struct elm_batch_report *report,
                                    struct elm_error *err)
{
    struct sft *s = self;
    struct elm_text *t = s->text;
    uint64_t learnt = 0;
    elm_text_batch(t, step, s->items);
    for (uint32_t i = 0; i < t->batch; i++) {
        const struct elm_text_answer *a = &t->answers[t->data.items[s->items[i]].first];
        const uint32_t from = a->from > 0 ? a->from : 1;
        learnt += a->count > from ? a->count - from : 0;
        report->tokens += a->count;
    }
    for (uint32_t i = 0; i < t->batch; i++) {
        const struct elm_text_answer *a = &t->answers[t->data.items[s->items[i]].first];
        float *c = s->coefficients + (size_t)i * t->longest;
        for (uint32_t j = 0; j < a->count; j++)
            c[j] = j >= a->from ? 1 / (float)learnt : 0;
        s->sequences[i] = (struct elm_net_sequence){.tokens = a->tokens, .count = a->count,
                                                    .coefficients = c};
    }
    report->samples = t->batch;
    return elm_net_gradient(t->net, s->sequences, t->batch, &report->loss, err);
}

static enum elm_status sft_write(void *self, const struct elm_train_stats *stats,
                                 const char *path, struct elm_error *err)
{
    (void)stats;
    return elm_net_write(((struct sft *)self)->text->net, path, err);
}

const struct elm_trainer_kind elm_trainer_sft = {
    .name = "sft",
    .summary = "imitates answers: those in the data, or those of a run that were better",
    .needs_data = true,
    .needs_model = true,
    .open = sft_open,
    .close = sft_close,
    .parameters = sft_parameters,
    .gradient = sft_gradient,
    .write = sft_write,
};
