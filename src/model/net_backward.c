/*
 * net_backward: from the last layer to the embedding. Of each layer first what goes on to the layer
 * before, group by group; then the gradients of its weights, piece by piece over all tokens, so
 * that the order of every sum is the batch's.
 */
#include "model/net.h"

#include <string.h>

#define PIECE 256                /* rows of a weight's gradient */

enum job_kind { JOB_PRODUCT, JOB_NORM };
struct job {
    enum job_kind kind;
    const float *dout, *x;       /* gradient[m][n] += dout[tokens][m] turned * x[tokens][n] */
    float *gradient;
    uint32_t m, n;
    size_t dout_stride, x_stride;
    const float *factor;         /* JOB_NORM: of each token */
};

static void add_job(struct elm_net *n, struct job j)
{
    if (n->job_count == n->job_room) {
        n->job_room = n->job_room == 0 ? 64 : 2 * n->job_room;
        n->jobs = elm_realloc(n->jobs, n->job_room * sizeof(*n->jobs));
    }
    n->jobs[n->job_count++] = j;
}

static void add_product(struct elm_net *n, struct job j)
{
    for (uint32_t from = 0, rows = j.m; from < rows; from += PIECE) {
        struct job piece = j;
        piece.dout += from;
        piece.gradient += (size_t)from * j.n;
        piece.m = rows - from < PIECE ? rows - from : PIECE;
        add_job(n, piece);
    }
}

static void add_linear(struct elm_net *n, int which, const float *dout, const float *x)
{
    const struct linear *l = &n->layers[n->layer].linear[which];
    if (l->gradient != NULL)
        add_product(n, (struct job){.dout = dout, .x = x, .gradient = l->gradient, .m = l->out,
                                    .n = l->in, .dout_stride = l->out, .x_stride = l->in});
    if (l->rank == 0)
        return;
    const uint32_t columns = l->parts * l->rank;
    const float *low = net_kept(n, n->layer)->low[which];
    add_product(n, (struct job){.dout = n->dlow[which], .x = x, .gradient = l->down_gradient,
                                .m = columns, .n = l->in, .dout_stride = columns,
                                .x_stride = l->in});
    for (uint32_t p = 0; p < l->parts; p++)
        add_product(n, (struct job){
            .dout = dout + l->first[p], .x = low + p * l->rank,
            .gradient = l->up_gradient + (size_t)l->first[p] * l->rank, .m = l->rows[p],
            .n = l->rank, .dout_stride = l->out, .x_stride = columns,
        });
}

static void add_norm(struct elm_net *n, const float *dout, const float *x, const float *factor,
                     float *gradient)
{
    if (gradient != NULL)
        add_job(n, (struct job){.kind = JOB_NORM, .dout = dout, .x = x, .factor = factor,
                                .gradient = gradient});
}

static void do_job(void *ctx, uint32_t task, uint32_t thread)
{
    struct elm_net *n = ctx;
    const struct job *j = &n->jobs[task];
    if (j->kind == JOB_NORM) {
        const size_t width = n->config.width;
        for (uint32_t i = 0; i < n->tokens; i++)
            n->rows->norm_weight(j->dout + i * width, j->x + i * width, j->factor[i],
                                 n->config.width, j->gradient);
        return;
    }
    net_multiply(n, thread, &(struct gemm){
        .a = j->dout, .b = j->x, .c = j->gradient, .m = j->m, .n = j->n, .k = n->tokens,
        .a_stride = j->dout_stride, .b_stride = j->x_stride, .c_stride = j->n, .a_turned = true,
        .beta = 1,
    });
}

static void weights_back(struct elm_net *n)
{
    const struct net_layer *l = &n->layers[n->layer];
    const struct kept *k = net_kept(n, n->layer);
    n->job_count = 0;
    add_linear(n, LINEAR_DOWN, n->dx, k->hidden);
    add_linear(n, LINEAR_GATE_UP, n->dgate_up, k->feed_normed);
    add_linear(n, LINEAR_OUTPUT, n->dmiddle, k->attended);
    add_linear(n, LINEAR_QKV, n->dqkv, k->normed);
    add_norm(n, n->dfeed_norm, k->middle, k->feed_factor, l->feed_norm_gradient);
    add_norm(n, n->dnorm, k->x, k->factor, l->attention_norm_gradient);
    team_run(n->team, n->job_count, do_job, n);
}

/* dx = the gradient of a linear layer's input. */
static void linear_back(struct elm_net *n, uint32_t thread, int which, const float *dout,
                        size_t from, uint32_t count, float *dx)
{
    const struct linear *l = &n->layers[n->layer].linear[which];
    net_multiply(n, thread, &(struct gemm){
        .a = dout, .b = l->weights, .c = dx, .m = count, .n = l->in, .k = l->out,
        .a_stride = l->out, .b_stride = l->in, .c_stride = l->in,
    });
    if (l->rank == 0)
        return;
    const uint32_t columns = l->parts * l->rank;
    float *dlow = n->dlow[which] + from * columns;
    for (uint32_t p = 0; p < l->parts; p++)
        net_multiply(n, thread, &(struct gemm){
            .a = dout + l->first[p], .b = l->up + (size_t)l->first[p] * l->rank,
            .c = dlow + p * l->rank, .m = count, .n = l->rank, .k = l->rows[p],
            .a_stride = l->out, .b_stride = l->rank, .c_stride = columns,
        });
    n->rows->scale(dlow, count * columns, l->scale);
    net_multiply(n, thread, &(struct gemm){
        .a = dlow, .b = l->down, .c = dx, .m = count, .n = l->in, .k = columns,
        .a_stride = columns, .b_stride = l->in, .c_stride = l->in, .beta = 1,
    });
}

static void feed_back(struct elm_net *n, uint32_t thread, uint32_t group)
{
    const size_t from = n->starts[n->groups[group]];
    const uint32_t count = net_group_tokens(n, group);
    const struct elm_model_config *c = &n->config;
    const struct net_layer *l = &n->layers[n->layer];
    const struct kept *k = net_kept(n, n->layer);
    const size_t width = c->width, hidden = c->hidden, at = from * width;
    float *dhidden = n->dhidden + from * hidden, *dgate_up = n->dgate_up + from * 2 * hidden;
    linear_back(n, thread, LINEAR_DOWN, n->dx + at, from, count, dhidden);
    for (uint32_t i = 0; i < count; i++) {
        const float *gate = k->gate_up + (from + i) * 2 * hidden;
        float *dgate = dgate_up + i * 2 * hidden;
        n->rows->gate_back(gate, gate + hidden, dhidden + i * hidden, c->hidden, dgate,
                           dgate + hidden);
    }
    linear_back(n, thread, LINEAR_GATE_UP, dgate_up, from, count, n->dfeed_norm + at);
    memcpy(n->dmiddle + at, n->dx + at, count * width * sizeof(float));
    for (uint32_t i = 0; i < count; i++)
        n->rows->norm_back(n->dfeed_norm + at + i * width, k->middle + at + i * width,
                           l->feed_norm, k->feed_factor[from + i], c->width,
                           n->dmiddle + at + i * width);
}

/* Attention of one sequence. */
static void one_back(struct elm_net *n, uint32_t thread, uint32_t s)
{
    const struct elm_model_config *c = &n->config;
    const struct linear *l = n->layers[n->layer].linear;
    const size_t from = n->starts[s], stride = l[LINEAR_QKV].out;
    const uint32_t count = n->sequences[s].count;
    float *dqkv = n->dqkv + from * stride;
    net_attention_back(n, thread, net_kept(n, n->layer)->qkv + from * stride,
                       n->dattended + from * l[LINEAR_OUTPUT].in, count, dqkv);
    for (uint32_t i = 0; i < count; i++)
        n->rows->turn(dqkv + i * stride, n->model->turns + (size_t)i * 2 * c->head_width,
                      c->head_width, c->heads + c->kv_heads, -1);
}

static void attention_back(struct elm_net *n, uint32_t thread, uint32_t group)
{
    const struct net_layer *l = &n->layers[n->layer];
    const size_t from = n->starts[n->groups[group]], at = from * n->config.width;
    const uint32_t count = net_group_tokens(n, group);
    const size_t stride = l->linear[LINEAR_QKV].out, out = l->linear[LINEAR_OUTPUT].in;
    float *dattended = n->dattended + from * out, *dqkv = n->dqkv + from * stride;
    linear_back(n, thread, LINEAR_OUTPUT, n->dmiddle + at, from, count, dattended);
    for (uint32_t s = n->groups[group]; s < n->groups[group + 1]; s++)
        one_back(n, thread, s);
    linear_back(n, thread, LINEAR_QKV, dqkv, from, count, n->dnorm + at);
}

static void group_back(void *ctx, uint32_t group, uint32_t thread)
{
    feed_back(ctx, thread, group);
    attention_back(ctx, thread, group);
}

/* dx of the layer before: over this layer's own, which its weights have been through with. */
static void step_back(void *ctx, uint32_t index, uint32_t thread)
{
    struct elm_net *n = ctx;
    const struct net_layer *l = &n->layers[n->layer];
    const struct kept *k = net_kept(n, n->layer);
    const size_t width = n->config.width;
    (void)thread;
    for (size_t i = n->starts[index]; i < n->starts[index + 1]; i++) {
        memcpy(n->dx + i * width, n->dmiddle + i * width, width * sizeof(float));
        n->rows->norm_back(n->dnorm + i * width, k->x + i * width, l->attention_norm, k->factor[i],
                           n->config.width, n->dx + i * width);
    }
}

static void embedding_back(struct elm_net *n)
{
    const size_t width = n->config.width;
    for (uint32_t s = 0; n->embedding->gradient != NULL && s < n->sequence_count; s++) {
        for (uint32_t i = 0; i < n->sequences[s].count; i++) {
            const float *from = n->dx + (n->starts[s] + i) * width;
            float *to = n->embedding->gradient + n->sequences[s].tokens[i] * width;
            for (size_t j = 0; j < width; j++)
                to[j] += from[j];
        }
    }
}

void net_backward(struct elm_net *n)
{
    for (n->layer = n->config.layers; n->layer-- > 0;) {
        team_run(n->team, n->group_count, group_back, n);
        weights_back(n);
        team_run(n->team, n->sequence_count, step_back, n);
    }
    embedding_back(n);
}
