/*
 * grpo: answers to one prompt are worth what their rewards say against each other (Shao et al. 2024):
 * a clipped policy gradient with a KL term, the model as it was being the one that answered.
 */
#include "elm/dataset.h"

#include <math.h>
#include <stdlib.h>

#define BATCH 4
#define CONTEXT 1024
#define BETA 0.04
#define CLIP 0.2

struct grpo {
    struct elm_text *text;
    double beta;
    float *reference;            /* [answers][longest]: log-probabilities before */
    double *worth;               /* [answers] */
    uint32_t *items;             /* [batch] */
    uint32_t room;               /* answers of a batch at most */
    struct elm_net_sequence *sequences;
    uint32_t *of;                /* [room]: the answer */
    float *coefficients, *kl, *logprobs;    /* [room][longest] */
};

static void grpo_close(void *self)
{
    struct grpo *g = self;
    elm_text_close(g->text);
    free(g->reference);
    free(g->worth);
    free(g->items);
    free(g->sequences);
    free(g->of);
    free(g->coefficients);
    free(g->kl);
    free(g->logprobs);
    free(g);
}

/* Rewards of a group, less their mean, over their spread. */
static void weigh_groups(struct grpo *g)
{
    const struct elm_dataset *d = &g->text->data;
    for (uint32_t i = 0; i < d->item_count; i++) {
        const struct elm_data_item *it = &d->items[i];
        double mean = 0, square = 0;
        for (uint32_t j = 0; j < it->count; j++)
            mean += d->answers[it->first + j].reward / it->count;
        for (uint32_t j = 0; j < it->count; j++) {
            double off = d->answers[it->first + j].reward - mean;
            square += off * off / it->count;
        }
        for (uint32_t j = 0; j < it->count; j++)
            g->worth[it->first + j] = (d->answers[it->first + j].reward - mean) /
                                      (sqrt(square) + 1e-4);
        g->room = it->count > g->room ? it->count : g->room;
    }
    g->room *= g->text->batch;
}

static enum elm_status grpo_open(const struct elm_train_def *def, void **self,
                                 struct elm_error *err)
{
    struct grpo *g = elm_calloc(1, sizeof(*g));
    enum elm_status status = elm_text_open(def, ELM_DATA_GROUPS, BATCH, CONTEXT, &g->text, err);
    if (status == ELM_OK) {
        const struct elm_text *t = g->text;
        const size_t answers = t->data.answer_count;
        g->beta = def->beta > 0 ? (double)def->beta : BETA;
        g->reference = elm_calloc(answers * t->longest + 1, sizeof(float));
        g->worth = elm_calloc(answers, sizeof(*g->worth));
        weigh_groups(g);
        const size_t floats = (size_t)g->room * t->longest + 1;
        g->items = elm_calloc(t->batch, sizeof(*g->items));
        g->sequences = elm_calloc(g->room, sizeof(*g->sequences));
        g->of = elm_calloc(g->room, sizeof(*g->of));
        g->coefficients = elm_calloc(floats, sizeof(float));
        g->kl = elm_calloc(floats, sizeof(float));
        g->logprobs = elm_calloc(floats, sizeof(float));
        status = elm_text_logprobs(g->text, def, def->reference, NULL, g->reference, err);
    }
    if (status == ELM_OK)
        *self = g;
    else
        grpo_close(g);
    return status;
}

static const struct elm_parameter *grpo_parameters(void *self, uint32_t *count)
{
    return elm_net_parameters(((struct grpo *)self)->text->net, count);
}

static uint32_t gather(struct grpo *g, uint64_t step, struct elm_batch_report *report)
{
    struct elm_text *t = g->text;
    uint32_t count = 0;
    elm_text_batch(t, step, g->items);
    for (uint32_t i = 0; i < t->batch; i++) {
        const struct elm_data_item *it = &t->data.items[g->items[i]];
        for (uint32_t j = 0; j < it->count; j++, count++) {
            const struct elm_text_answer *a = &t->answers[it->first + j];
            const size_t at = (size_t)count * t->longest;
            g->of[count] = it->first + j;
            g->sequences[count] = (struct elm_net_sequence){
                .tokens = a->tokens, .count = a->count, .coefficients = g->coefficients + at,
                .kl = g->kl + at, .logprobs = g->logprobs + at,
                .reference = g->reference + (size_t)(it->first + j) * t->longest,
            };
            report->tokens += a->count;
            report->samples++;
        }
    }
    return count;
}

/* One answer's coefficients: its worth times how much likelier a token is than before, as long as
 * that stays near 1. */
static void weigh(struct grpo *g, uint32_t slot, uint32_t tokens, struct elm_batch_report *report)
{
    const struct elm_text_answer *a = &g->text->answers[g->of[slot]];
    const double worth = g->worth[g->of[slot]];
    const struct elm_net_sequence *s = &g->sequences[slot];
    const size_t at = (size_t)slot * g->text->longest;
    for (uint32_t i = 0; i < a->count; i++) {
        g->coefficients[at + i] = g->kl[at + i] = 0;
        if (i < a->from || i == 0)
            continue;
        const double gap = (double)s->logprobs[i] - (double)s->reference[i], ratio = exp(gap);
        const bool clipped = worth > 0 ? ratio > 1 + CLIP : ratio < 1 - CLIP;
        g->coefficients[at + i] = clipped ? 0 : (float)(worth * ratio / tokens);
        g->kl[at + i] = (float)(g->beta / tokens);
        report->loss += (g->beta * (1 / ratio + gap - 1) - worth * (clipped ? 0 : ratio)) / tokens;
        report->extra[1] += (1 / ratio + gap - 1) / tokens;
        report->extra[2] += (clipped ? 1.0 : 0) / tokens;
    }
}

static enum elm_status grpo_gradient(void *self, uint64_t step, struct elm_batch_report *report,
                                     struct elm_error *err)
{
    struct grpo *g = self;
    struct elm_text *t = g->text;
    uint32_t tokens = 0;
    double ignored;
    const uint32_t count = gather(g, step, report);
    ELM_TRY(elm_net_logprobs(t->net, g->sequences, count, err));
    for (uint32_t i = 0; i < count; i++) {
        const struct elm_text_answer *a = &t->answers[g->of[i]];
        const uint32_t from = a->from > 0 ? a->from : 1;
        tokens += a->count > from ? a->count - from : 0;
        report->extra[0] += t->data.answers[g->of[i]].reward / count;
    }
    for (uint32_t i = 0; tokens > 0 && i < count; i++)
        weigh(g, i, tokens, report);
    return elm_net_gradient(t->net, g->sequences, count, &ignored, err);
}

static enum elm_status grpo_write(void *self, const struct elm_train_stats *stats,
                                  const char *path, struct elm_error *err)
{
    (void)stats;
    return elm_net_write(((struct grpo *)self)->text->net, path, err);
}

const struct elm_trainer_kind elm_trainer_grpo = {
    .name = "grpo",
    .summary = "makes answers likelier that were worth more than others to the same prompt",
    .extras = {"reward", "kl", "clipped"},
    .needs_data = true,
    .needs_model = true,
    .open = grpo_open,
    .close = grpo_close,
    .parameters = grpo_parameters,
    .gradient = grpo_gradient,
    .write = grpo_write,
};
