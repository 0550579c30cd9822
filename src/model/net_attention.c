/* net_attention: causal attention of one sequence, forward and backward, some queries at a time. */
#include "model/net.h"

#include <math.h>
#include <string.h>

/* Some queries of one head. */
struct some {
    const float *query, *key, *value;
    uint32_t first, rows, columns;    /* queries first .. first + rows - 1 see up to `columns` keys */
    size_t stride, query_at;
    float factor;
};

static struct some some_of(const struct elm_net *n, const float *qkv, uint32_t count, uint32_t head,
                           uint32_t first)
{
    const struct elm_model_config *c = &n->config;
    const uint32_t kv = head / (c->heads / c->kv_heads), width = c->head_width;
    const uint32_t rest = count - first;
    struct some s = {.first = first, .rows = rest < ATTENTION_ROWS ? rest : ATTENTION_ROWS,
                     .stride = (size_t)(c->heads + 2 * c->kv_heads) * width,
                     .factor = 1 / sqrtf((float)width)};
    s.columns = first + s.rows;
    s.query_at = first * s.stride + head * width;
    s.query = qkv + s.query_at;
    s.key = qkv + (c->heads + kv) * width;
    s.value = s.key + c->kv_heads * width;
    return s;
}

/* The shares of all keys, into the thread's scores. */
static void weigh(struct elm_net *n, uint32_t thread, const struct some *s)
{
    float *scores = n->threads[thread].scores;
    net_multiply(n, thread, &(struct gemm){
        .a = s->query, .b = s->key, .c = scores, .m = s->rows, .n = s->columns,
        .k = n->config.head_width, .a_stride = s->stride, .b_stride = s->stride,
        .c_stride = n->longest, .b_turned = true,
    });
    for (uint32_t i = 0; i < s->rows; i++)
        n->rows->softmax(scores + (size_t)i * n->longest, s->first + i + 1, s->columns, s->factor);
}

void net_attention(struct elm_net *n, uint32_t thread, const float *qkv, uint32_t count,
                   float *attended)
{
    const struct elm_model_config *c = &n->config;
    const size_t out = (size_t)c->heads * c->head_width;
    for (uint32_t head = 0; head < c->heads; head++) {
        for (uint32_t first = 0; first < count; first += ATTENTION_ROWS) {
            struct some s = some_of(n, qkv, count, head, first);
            weigh(n, thread, &s);
            net_multiply(n, thread, &(struct gemm){
                .a = n->threads[thread].scores, .b = s.value,
                .c = attended + first * out + head * c->head_width, .m = s.rows,
                .n = c->head_width, .k = s.columns, .a_stride = n->longest, .b_stride = s.stride,
                .c_stride = out,
            });
        }
    }
}

static void some_back(struct elm_net *n, uint32_t thread, const struct some *s, const float *dout,
                      float *dquery, float *dkey, float *dvalue)
{
    const uint32_t width = n->config.head_width, longest = n->longest;
    const size_t out = (size_t)n->config.heads * width;
    float *shares = n->threads[thread].scores, *dshares = n->threads[thread].dscores;
    net_multiply(n, thread, &(struct gemm){
        .a = shares, .b = dout, .c = dvalue, .m = s->columns, .n = width, .k = s->rows,
        .a_stride = longest, .b_stride = out, .c_stride = s->stride, .a_turned = true, .beta = 1,
    });
    net_multiply(n, thread, &(struct gemm){
        .a = dout, .b = s->value, .c = dshares, .m = s->rows, .n = s->columns, .k = width,
        .a_stride = out, .b_stride = s->stride, .c_stride = longest, .b_turned = true,
    });
    for (uint32_t i = 0; i < s->rows; i++)
        n->rows->softmax_back(shares + (size_t)i * longest, dshares + (size_t)i * longest,
                              s->first + i + 1, s->columns, s->factor);
    net_multiply(n, thread, &(struct gemm){
        .a = dshares, .b = s->key, .c = dquery, .m = s->rows, .n = width, .k = s->columns,
        .a_stride = longest, .b_stride = s->stride, .c_stride = s->stride,
    });
    net_multiply(n, thread, &(struct gemm){
        .a = dshares, .b = s->query, .c = dkey, .m = s->columns, .n = width, .k = s->rows,
        .a_stride = longest, .b_stride = s->stride, .c_stride = s->stride, .a_turned = true,
        .beta = 1,
    });
}

void net_attention_back(struct elm_net *n, uint32_t thread, const float *qkv,
                        const float *dattended, uint32_t count, float *dqkv)
{
    const struct elm_model_config *c = &n->config;
    const size_t out = (size_t)c->heads * c->head_width;
    memset(dqkv, 0, (out + 2 * (size_t)c->kv_heads * c->head_width) * count * sizeof(float));
    for (uint32_t head = 0; head < c->heads; head++) {
        for (uint32_t first = 0; first < count; first += ATTENTION_ROWS) {
            struct some s = some_of(n, qkv, count, head, first);
            weigh(n, thread, &s);
            some_back(n, thread, &s, dattended + first * out + head * c->head_width,
                      dqkv + s.query_at, dqkv + (s.key - qkv), dqkv + (s.value - qkv));
        }
    }
}
