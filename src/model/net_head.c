/* net_head: logits, where something is to be learnt of them, and the way back through them. */
#include "model/net.h"

#include <math.h>
#include <string.h>

/* What a row's log-probability is worth: loss, and the gradient's coefficient. */
static float judge(struct head_row *r, double logprob)
{
    double ratio = 0;
    r->loss = -(double)r->coefficient * logprob;
    if (r->kl != 0) {
        const double gap = (double)r->reference - logprob;
        ratio = exp(gap);
        r->loss += (double)r->kl * (ratio - gap - 1);
        ratio -= 1;
    }
    if (r->logprob != NULL)
        *r->logprob = (float)logprob;
    return (float)((double)r->coefficient + (double)r->kl * ratio);
}

/* The rows of one task, from head_from on. */
static uint32_t task_rows(const struct elm_net *n, uint32_t task)
{
    const uint32_t rest = n->head_some - task * HEAD_ROWS;
    return rest < HEAD_ROWS ? rest : HEAD_ROWS;
}

static void some_logits(struct elm_net *n, uint32_t task, uint32_t thread)
{
    const uint32_t width = n->config.width, vocabulary = n->config.vocabulary;
    const uint32_t count = task_rows(n, task);
    struct head_row *rows = n->head_rows + n->head_from + task * HEAD_ROWS;
    float *normed = n->head_normed + (size_t)task * HEAD_ROWS * width;
    float *factor = n->head_factor + task * HEAD_ROWS;
    float *logits = n->logits + (size_t)task * HEAD_ROWS * vocabulary;
    for (uint32_t i = 0; i < count; i++)
        factor[i] = n->rows->norm(n->last + (size_t)rows[i].at * width, n->last_norm->weights,
                                  n->config.norm_epsilon, width, normed + i * width);
    net_multiply(n, thread, &(struct gemm){
        .a = normed, .b = n->head->weights, .c = logits, .m = count, .n = vocabulary, .k = width,
        .a_stride = width, .b_stride = width, .c_stride = vocabulary, .b_turned = true,
    });
    for (uint32_t i = 0; i < count; i++) {
        float *at = logits + (size_t)i * vocabulary;
        const double logit = (double)at[rows[i].target];
        const float c = judge(&rows[i], logit - n->rows->shares(at, vocabulary));
        if (n->keeping) {
            n->rows->scale(at, vocabulary, c);
            at[rows[i].target] -= c;
        }
    }
}

/* The gradient of the last layer's output. */
static void some_back(struct elm_net *n, uint32_t task, uint32_t thread)
{
    const uint32_t width = n->config.width, vocabulary = n->config.vocabulary;
    const uint32_t count = task_rows(n, task);
    const struct head_row *rows = n->head_rows + n->head_from + task * HEAD_ROWS;
    const float *factor = n->head_factor + task * HEAD_ROWS;
    float *dnormed = n->dnormed + (size_t)task * HEAD_ROWS * width;
    net_multiply(n, thread, &(struct gemm){
        .a = n->logits + (size_t)task * HEAD_ROWS * vocabulary, .b = n->head->weights,
        .c = dnormed, .m = count, .n = width, .k = vocabulary, .a_stride = vocabulary,
        .b_stride = width, .c_stride = width,
    });
    for (uint32_t i = 0; i < count; i++) {
        const size_t at = (size_t)rows[i].at * width;
        n->rows->norm_back(dnormed + i * width, n->last + at, n->last_norm->weights, factor[i],
                           width, n->dx + at);
    }
}

static void there_and_back(void *ctx, uint32_t task, uint32_t thread)
{
    struct elm_net *n = ctx;
    some_logits(n, task, thread);
    if (n->keeping)
        some_back(n, task, thread);
}

/* The gradient of some tokens of the head; task 0: of the last norm. */
static void weights_back(void *ctx, uint32_t task, uint32_t thread)
{
    struct elm_net *n = ctx;
    const uint32_t width = n->config.width, vocabulary = n->config.vocabulary;
    if (task == 0) {
        for (uint32_t i = 0; i < n->head_some; i++)
            n->rows->norm_weight(n->dnormed + (size_t)i * width,
                                 n->last + (size_t)n->head_rows[n->head_from + i].at * width,
                                 n->head_factor[i], width, n->last_norm->gradient);
        return;
    }
    const uint32_t from = (task - 1) * HEAD_ROWS, rest = vocabulary - from;
    net_multiply(n, thread, &(struct gemm){
        .a = n->logits + from, .b = n->head_normed, .c = n->head->gradient + (size_t)from * width,
        .m = rest < HEAD_ROWS ? rest : HEAD_ROWS, .n = width, .k = n->head_some,
        .a_stride = vocabulary, .b_stride = width, .c_stride = width, .a_turned = true, .beta = 1,
    });
}

void net_head(struct elm_net *n)
{
    const uint32_t room = n->head_some;
    for (n->head_from = 0; n->head_from < n->head_count; n->head_from += room) {
        const uint32_t rest = n->head_count - n->head_from;
        n->head_some = rest < room ? rest : room;
        team_run(n->team, (n->head_some + HEAD_ROWS - 1) / HEAD_ROWS, there_and_back, n);
        if (n->keeping && n->head->gradient != NULL)
            team_run(n->team, 1 + (n->config.vocabulary + HEAD_ROWS - 1) / HEAD_ROWS, weights_back,
                     n);
    }
    n->head_some = room;
}
