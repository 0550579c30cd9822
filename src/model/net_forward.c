/* net_forward: groups of sequences through the layers, one thread each. */
#include "model/net.h"

#include <string.h>

void net_multiply(struct elm_net *n, uint32_t thread, const struct gemm *g)
{
    gemm(n->threads[thread].gemm, n->precision, g);
}

static void linear(struct elm_net *n, uint32_t thread, const struct linear *l, const float *x,
                   uint32_t count, float *y, float beta, float *low)
{
    net_multiply(n, thread, &(struct gemm){
        .a = x, .b = l->weights, .c = y, .m = count, .n = l->out, .k = l->in, .a_stride = l->in,
        .b_stride = l->in, .c_stride = l->out, .b_turned = true, .beta = beta,
    });
    if (l->rank == 0)
        return;
    const uint32_t columns = l->parts * l->rank;
    net_multiply(n, thread, &(struct gemm){
        .a = x, .b = l->down, .c = low, .m = count, .n = columns, .k = l->in, .a_stride = l->in,
        .b_stride = l->in, .c_stride = columns, .b_turned = true,
    });
    n->rows->scale(low, count * columns, l->scale);
    for (uint32_t p = 0; p < l->parts; p++)
        net_multiply(n, thread, &(struct gemm){
            .a = low + p * l->rank, .b = l->up + (size_t)l->first[p] * l->rank,
            .c = y + l->first[p], .m = count, .n = l->rows[p], .k = l->rank, .a_stride = columns,
            .b_stride = l->rank, .c_stride = l->out, .b_turned = true, .beta = 1,
        });
}

static float *low_of(const struct kept *k, const struct linear *l, int which, size_t from)
{
    return l->rank == 0 ? NULL : k->low[which] + from * l->parts * l->rank;
}

/* Each sequence over itself. */
static void attend_each(struct elm_net *n, uint32_t thread, uint32_t group, const struct kept *k)
{
    const struct elm_model_config *c = &n->config;
    const struct linear *l = n->layers[0].linear;
    for (uint32_t s = n->groups[group]; s < n->groups[group + 1]; s++) {
        float *qkv = k->qkv + (size_t)n->starts[s] * l[LINEAR_QKV].out;
        for (uint32_t i = 0; i < n->sequences[s].count; i++)
            n->rows->turn(qkv + (size_t)i * l[LINEAR_QKV].out,
                          n->model->turns + (size_t)i * 2 * c->head_width, c->head_width,
                          c->heads + c->kv_heads, 1);
        net_attention(n, thread, qkv, n->sequences[s].count,
                      k->attended + (size_t)n->starts[s] * l[LINEAR_OUTPUT].in);
    }
}

static void attend(struct elm_net *n, uint32_t thread, uint32_t layer, uint32_t group)
{
    const size_t from = n->starts[n->groups[group]];
    const uint32_t count = net_group_tokens(n, group);
    const struct elm_model_config *c = &n->config;
    const struct net_layer *l = &n->layers[layer];
    const struct linear *in = &l->linear[LINEAR_QKV], *out = &l->linear[LINEAR_OUTPUT];
    struct kept *k = net_kept(n, layer);
    const size_t at = from * c->width;
    for (uint32_t i = 0; i < count; i++)
        k->factor[from + i] = n->rows->norm(k->x + at + i * c->width, l->attention_norm,
                                            c->norm_epsilon, c->width,
                                            k->normed + at + i * c->width);
    float *qkv = k->qkv + from * in->out, *attended = k->attended + from * out->in;
    linear(n, thread, in, k->normed + at, count, qkv, 0, low_of(k, in, LINEAR_QKV, from));
    attend_each(n, thread, group, k);
    memcpy(k->middle + at, k->x + at, (size_t)count * c->width * sizeof(float));
    linear(n, thread, out, attended, count, k->middle + at, 1, low_of(k, out, LINEAR_OUTPUT, from));
}

static void feed(struct elm_net *n, uint32_t thread, uint32_t layer, uint32_t group, float *next)
{
    const size_t from = n->starts[n->groups[group]];
    const uint32_t count = net_group_tokens(n, group);
    const struct elm_model_config *c = &n->config;
    const struct net_layer *l = &n->layers[layer];
    const struct linear *in = &l->linear[LINEAR_GATE_UP], *out = &l->linear[LINEAR_DOWN];
    struct kept *k = net_kept(n, layer);
    const size_t at = from * c->width;
    for (uint32_t i = 0; i < count; i++)
        k->feed_factor[from + i] = n->rows->norm(k->middle + at + i * c->width, l->feed_norm,
                                                 c->norm_epsilon, c->width,
                                                 k->feed_normed + at + i * c->width);
    float *gate_up = k->gate_up + from * in->out, *hidden = k->hidden + from * c->hidden;
    linear(n, thread, in, k->feed_normed + at, count, gate_up, 0,
           low_of(k, in, LINEAR_GATE_UP, from));
    for (uint32_t i = 0; i < count; i++) {
        const float *gate = gate_up + (size_t)i * in->out;
        n->rows->gate(gate, gate + c->hidden, c->hidden, hidden + (size_t)i * c->hidden);
    }
    memmove(next, k->middle + at, (size_t)count * c->width * sizeof(float));
    linear(n, thread, out, hidden, count, next, 1, low_of(k, out, LINEAR_DOWN, from));
}

static void group_forward(void *ctx, uint32_t group, uint32_t thread)
{
    struct elm_net *n = ctx;
    const size_t width = n->config.width, from = n->starts[n->groups[group]];
    float *x = net_kept(n, 0)->x + from * width;
    for (uint32_t s = n->groups[group]; s < n->groups[group + 1]; s++) {
        for (uint32_t i = 0; i < n->sequences[s].count; i++, x += width)
            memcpy(x, n->embedding->weights + n->sequences[s].tokens[i] * width,
                   width * sizeof(float));
    }
    for (uint32_t layer = 0; layer < n->config.layers; layer++) {
        bool last = layer + 1 == n->config.layers;
        float *next = last ? n->last : net_kept(n, layer + 1)->x;
        attend(n, thread, layer, group);
        feed(n, thread, layer, group, next + from * width);
    }
}

void net_forward(struct elm_net *n)
{
    team_run(n->team, n->group_count, group_forward, n);
}
