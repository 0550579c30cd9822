/* weights: which tensors a model has, and what a file says of its shape. */
#include "model/weights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct visiting {
    enum elm_status (*visit)(void *ctx, const struct weight *w, struct elm_error *err);
    void *ctx;
    struct elm_error *err;
};

static enum elm_status vector(const struct visiting *v, const char *name, float *values,
                              uint32_t width)
{
    struct weight w = {.vector = values, .rows = 1, .width = width};
    snprintf(w.name, sizeof(w.name), "%s.weight", name);
    return v->visit(v->ctx, &w, v->err);
}

static enum elm_status rows(const struct visiting *v, const char *name, struct matrix *m,
                            uint32_t count, uint32_t width, uint32_t first, uint32_t every)
{
    struct weight w = {.matrix = m, .rows = count, .width = width, .first = first,
                       .every = every};
    snprintf(w.name, sizeof(w.name), "%s.weight", name);
    return v->visit(v->ctx, &w, v->err);
}

static enum elm_status layer_weights(const struct visiting *v, const struct elm_model_config *c,
                                     struct layer *l, uint32_t i)
{
    const uint32_t q = c->heads * c->head_width, kv = c->kv_heads * c->head_width;
    char name[8][32];
    static const char *const parts[8] = {"attn_norm", "attn_q", "attn_k", "attn_v",
                                         "attn_output", "ffn_norm", "ffn_gate", "ffn_up"};
    for (int k = 0; k < 8; k++)
        snprintf(name[k], sizeof(name[k]), "blk.%u.%s", i, parts[k]);
    ELM_TRY(vector(v, name[0], l->attention_norm, c->width));
    ELM_TRY(rows(v, name[1], &l->qkv, q, c->width, 0, PANEL));
    ELM_TRY(rows(v, name[2], &l->qkv, kv, c->width, q, PANEL));
    ELM_TRY(rows(v, name[3], &l->qkv, kv, c->width, q + kv, PANEL));
    ELM_TRY(rows(v, name[4], &l->output, c->width, q, 0, PANEL));
    ELM_TRY(vector(v, name[5], l->feed_norm, c->width));
    ELM_TRY(rows(v, name[6], &l->gate_up, c->hidden, c->width, 0, 2 * PANEL));
    ELM_TRY(rows(v, name[7], &l->gate_up, c->hidden, c->width, PANEL, 2 * PANEL));
    snprintf(name[0], sizeof(name[0]), "blk.%u.ffn_down", i);
    return rows(v, name[0], &l->down, c->width, c->hidden, 0, PANEL);
}

enum elm_status weights_each(struct elm_model *m,
                             enum elm_status (*visit)(void *ctx, const struct weight *w,
                                                      struct elm_error *err),
                             void *ctx, struct elm_error *err)
{
    const struct elm_model_config *c = &m->config;
    const struct visiting v = {visit, ctx, err};
    ELM_TRY(rows(&v, "token_embd", NULL, c->vocabulary, c->width, 0, 0));
    for (uint32_t i = 0; i < c->layers; i++)
        ELM_TRY(layer_weights(&v, c, &m->layers[i], i));
    ELM_TRY(vector(&v, "output_norm", m->last_norm, c->width));
    if (!c->tied)
        ELM_TRY(rows(&v, "output", &m->head, c->vocabulary, c->width, 0, PANEL));
    return ELM_OK;
}

uint64_t weights_count(const struct elm_model_config *c)
{
    const uint64_t q = (uint64_t)c->heads * c->head_width;
    const uint64_t kv = (uint64_t)c->kv_heads * c->head_width;
    const uint64_t layer = c->width * (2 * q + 2 * kv + 3 * (uint64_t)c->hidden);
    return c->layers * layer + (uint64_t)c->vocabulary * c->width * (c->tied ? 1 : 2);
}

/* ---- metadata ---- */

static enum elm_status size_key(const struct elm_gguf *g, const char *key, uint32_t *out,
                                struct elm_error *err)
{
    int64_t value;
    uint64_t length;
    if (elm_gguf_array(g, key, &length))
        return elm_fail(err, ELM_OUTSIDE, "'%s': a size for each layer (one for all is read)",
                        key);
    if (!elm_gguf_int(g, key, &value))
        return elm_fail(err, ELM_CORRUPT, "'%s' is missing or no integer", key);
    if (value < 0 || value > UINT32_MAX)
        return elm_fail(err, ELM_CORRUPT, "'%s' is %lld", key, (long long)value);
    *out = (uint32_t)value;
    return ELM_OK;
}

static enum elm_status size_or(const struct elm_gguf *g, const char *key, uint32_t other,
                               uint32_t *out, struct elm_error *err)
{
    int64_t value;
    uint64_t length;
    *out = other;
    if (!elm_gguf_int(g, key, &value) && !elm_gguf_array(g, key, &length))
        return ELM_OK;
    return size_key(g, key, out, err);
}

/* What would change the numbers and is not computed here. */
static enum elm_status refuse_variants(const struct elm_gguf *g, struct elm_error *err)
{
    static const struct { const char *key; double neutral; } numbers[] = {
        {"llama.expert_count", 0}, {"llama.expert_used_count", 0},
        {"llama.attention.sliding_window", 0}, {"llama.rope.scaling.factor", 1},
        {"llama.rope.scale_linear", 1}, {"llama.rope.scaling.attn_factor", 1},
        {"llama.attention.scale", 0}, {"llama.attention.clamp_kqv", 0},
        {"llama.attention.max_alibi_bias", 0}, {"llama.logit_scale", 1},
        {"llama.residual_scale", 1}, {"llama.embedding_scale", 1},
        {"llama.attn_logit_softcapping", 0}, {"llama.final_logit_softcapping", 0},
        {"llama.nextn_predict_layers", 0},
    };
    for (size_t i = 0; i < ELM_COUNT(numbers); i++) {
        int64_t whole;
        double real;
        bool there = elm_gguf_real(g, numbers[i].key, &real);
        if (!there && elm_gguf_int(g, numbers[i].key, &whole)) {
            there = true;
            real = (double)whole;
        }
        if (there && real != numbers[i].neutral)
            return elm_fail(err, ELM_OUTSIDE, "'%s' is %g (only %g is computed)", numbers[i].key,
                            real, numbers[i].neutral);
    }
    struct elm_str scaling;
    if (elm_gguf_string(g, "llama.rope.scaling.type", &scaling) &&
        !elm_str_equal(scaling, ELM_STR("none")))
        return elm_fail(err, ELM_OUTSIDE, "'llama.rope.scaling.type' is '%.*s' (none is computed)",
                        (int)(scaling.len < 32 ? scaling.len : 32), scaling.ptr);
    bool causal;
    if (elm_gguf_bool(g, "llama.attention.causal", &causal) && !causal)
        return elm_fail(err, ELM_OUTSIDE, "'llama.attention.causal' is false");
    return ELM_OK;
}

static enum elm_status head_config(const struct elm_gguf *g, struct elm_model_config *c,
                                   struct elm_error *err)
{
    uint32_t value_width, rope_width;
    ELM_TRY(size_key(g, "llama.attention.head_count", &c->heads, err));
    ELM_TRY(size_or(g, "llama.attention.head_count_kv", c->heads, &c->kv_heads, err));
    if (c->heads == 0)
        return elm_fail(err, ELM_CORRUPT, "'llama.attention.head_count' is 0");
    ELM_TRY(size_or(g, "llama.attention.key_length", c->width / c->heads, &c->head_width, err));
    ELM_TRY(size_or(g, "llama.attention.value_length", c->head_width, &value_width, err));
    ELM_TRY(size_or(g, "llama.rope.dimension_count", c->head_width, &rope_width, err));
    if (value_width != c->head_width || rope_width != c->head_width)
        return elm_fail(err, ELM_OUTSIDE, "'llama.attention.key_length' is %u, value_length %u, "
                        "rope.dimension_count %u (equal ones are computed)", c->head_width,
                        value_width, rope_width);
    return ELM_OK;
}

enum elm_status weights_config(const struct elm_gguf *g, struct elm_model_config *c,
                               struct elm_error *err)
{
    struct elm_str architecture = {0};
    if (!elm_gguf_string(g, "general.architecture", &architecture) ||
        !elm_str_equal(architecture, ELM_STR("llama")))
        return elm_fail(err, ELM_OUTSIDE, "'general.architecture' is '%.*s' (llama is computed)",
                        (int)(architecture.len < 32 ? architecture.len : 32),
                        architecture.len > 0 ? architecture.ptr : "");
    double epsilon, base;
    memset(c, 0, sizeof(*c));
    ELM_TRY(size_key(g, "llama.embedding_length", &c->width, err));
    ELM_TRY(size_key(g, "llama.block_count", &c->layers, err));
    ELM_TRY(size_key(g, "llama.feed_forward_length", &c->hidden, err));
    ELM_TRY(size_key(g, "llama.context_length", &c->context_max, err));
    ELM_TRY(head_config(g, c, err));
    ELM_TRY(refuse_variants(g, err));
    if (!elm_gguf_real(g, "llama.attention.layer_norm_rms_epsilon", &epsilon))
        return elm_fail(err, ELM_CORRUPT,
                        "'llama.attention.layer_norm_rms_epsilon' is missing or no number");
    if (!elm_gguf_real(g, "llama.rope.freq_base", &base))
        base = 10000;
    c->norm_epsilon = (float)epsilon;
    c->rope_base = (float)base;
    const struct elm_gguf_tensor *embedding = elm_gguf_tensor(g, "token_embd.weight");
    if (embedding == NULL || embedding->dims[1] > UINT32_MAX)
        return elm_fail(err, ELM_CORRUPT, "'token_embd.weight' is missing or too large");
    c->vocabulary = (uint32_t)embedding->dims[1];
    c->tied = elm_gguf_tensor(g, "output.weight") == NULL;
    return ELM_OK;
}

void weights_put_config(struct elm_gguf_writer *w, const struct elm_model_config *c)
{
    elm_gguf_put_string(w, "general.architecture", ELM_STR("llama"));
    elm_gguf_put_int(w, "llama.embedding_length", c->width);
    elm_gguf_put_int(w, "llama.block_count", c->layers);
    elm_gguf_put_int(w, "llama.feed_forward_length", c->hidden);
    elm_gguf_put_int(w, "llama.context_length", c->context_max);
    elm_gguf_put_int(w, "llama.attention.head_count", c->heads);
    elm_gguf_put_int(w, "llama.attention.head_count_kv", c->kv_heads);
    elm_gguf_put_int(w, "llama.attention.key_length", c->head_width);
    elm_gguf_put_int(w, "llama.attention.value_length", c->head_width);
    elm_gguf_put_int(w, "llama.rope.dimension_count", c->head_width);
    elm_gguf_put_int(w, "llama.vocab_size", c->vocabulary);
    elm_gguf_put_real(w, "llama.attention.layer_norm_rms_epsilon", (double)c->norm_epsilon);
    elm_gguf_put_real(w, "llama.rope.freq_base", (double)c->rope_base);
}
