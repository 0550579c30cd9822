/*
 * logits_model: two tiny models of the llama architecture whose weights are a function of their
 * shape, so that a committed fixture can hold llama.cpp's logits of them without their weights.
 * Weights are larger than those of a fresh model: attention and rotation show in the logits.
 */
#ifndef ELM_TESTS_LOGITS_MODEL_H
#define ELM_TESTS_LOGITS_MODEL_H

#include "elm/gguf.h"

#include <stdio.h>
#include <stdlib.h>

#define LOGITS_TOKENS 16
#define LOGITS_VOCABULARY 40

struct logits_shape {
    const char *name;
    uint32_t width, layers, heads, kv_heads, hidden;
    float rope_base;
    bool tied;
};
static const struct logits_shape logits_shapes[] = {
    {"tied", 64, 2, 4, 4, 96, 10000, true},
    {"grouped", 96, 3, 6, 2, 160, 100000, false},    /* grouped-query attention, a head of its own */
};

static inline uint32_t logits_token(uint32_t i)
{
    return (i * 7 + i * i + 3) % LOGITS_VOCABULARY;
}

/* The matrices written so far: their memory is the writer's until the file is written. */
struct logits_weights {
    float *kept[64];
    uint32_t count;
};

/* Uniform, with the deviation that keeps lengths: sqrt(1 / columns). Norm weights lie around 1. */
static inline void logits_tensor(struct elm_gguf_writer *w, struct logits_weights *all,
                                 const char *name, uint64_t columns, uint64_t rows)
{
    uint64_t count = columns * (rows > 0 ? rows : 1), dims[4] = {columns, rows > 0 ? rows : 1, 1, 1};
    ELM_ASSERT(all->count < ELM_COUNT(all->kept));
    float *f = elm_malloc(count * sizeof(float));
    struct elm_rng rng = elm_rng(columns * 1000 + rows, all->count);
    for (uint64_t i = 0; i < count; i++) {
        double u = 2 * elm_rng_unit(&rng) - 1;
        f[i] = (float)(rows > 0 ? 1.7 * u / (columns > 80 ? 9.8 : 8) : 1 + u / 2);
    }
    elm_gguf_put_tensor(w, name, ELM_GGUF_F32, rows > 0 ? 2 : 1, dims, f);
    all->kept[all->count++] = f;
}

static inline void logits_layer(struct elm_gguf_writer *w, struct logits_weights *all,
                                const struct logits_shape *s, uint32_t layer)
{
    uint64_t kv = s->width / s->heads * s->kv_heads;
    const struct {
        const char *name;
        uint64_t columns, rows;
    } tensors[] = {
        {"attn_norm", s->width, 0},        {"attn_q", s->width, s->width},
        {"attn_k", s->width, kv},          {"attn_v", s->width, kv},
        {"attn_output", s->width, s->width}, {"ffn_norm", s->width, 0},
        {"ffn_gate", s->width, s->hidden}, {"ffn_up", s->width, s->hidden},
        {"ffn_down", s->hidden, s->width},
    };
    for (size_t i = 0; i < ELM_COUNT(tensors); i++) {
        char name[64];
        snprintf(name, sizeof(name), "blk.%u.%s.weight", layer, tensors[i].name);
        logits_tensor(w, all, name, tensors[i].columns, tensors[i].rows);
    }
}

static inline enum elm_status logits_model_write(const struct logits_shape *s, const char *path,
                                                 struct elm_error *err)
{
    struct elm_gguf_writer *w = elm_gguf_writer_new();
    struct logits_weights all = {.count = 0};
    elm_gguf_put_string(w, "general.architecture", ELM_STR("llama"));
    elm_gguf_put_string(w, "tokenizer.ggml.model", ELM_STR("none"));
    elm_gguf_put_int(w, "llama.vocab_size", LOGITS_VOCABULARY);
    elm_gguf_put_int(w, "llama.context_length", 64);
    elm_gguf_put_int(w, "llama.embedding_length", s->width);
    elm_gguf_put_int(w, "llama.block_count", s->layers);
    elm_gguf_put_int(w, "llama.feed_forward_length", s->hidden);
    elm_gguf_put_int(w, "llama.attention.head_count", s->heads);
    elm_gguf_put_int(w, "llama.attention.head_count_kv", s->kv_heads);
    elm_gguf_put_real(w, "llama.attention.layer_norm_rms_epsilon", 1e-5);
    elm_gguf_put_int(w, "llama.rope.dimension_count", s->width / s->heads);
    elm_gguf_put_real(w, "llama.rope.freq_base", (double)s->rope_base);
    logits_tensor(w, &all, "token_embd.weight", s->width, LOGITS_VOCABULARY);
    for (uint32_t i = 0; i < s->layers; i++)
        logits_layer(w, &all, s, i);
    logits_tensor(w, &all, "output_norm.weight", s->width, 0);
    if (!s->tied)
        logits_tensor(w, &all, "output.weight", s->width, LOGITS_VOCABULARY);
    enum elm_status status = elm_gguf_write(w, path, err);
    elm_gguf_writer_free(w);
    for (uint32_t i = 0; i < all.count; i++)
        free(all.kept[i]);
    return status;
}

#endif
