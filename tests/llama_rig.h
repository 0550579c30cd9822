/*
 * llama_rig: small llamas of random weights as files, for the tests of models: shapes that fill
 * neither panels nor tiles, and one with the vocabulary of model_rig.h.
 */
#ifndef ELM_TESTS_LLAMA_RIG_H
#define ELM_TESTS_LLAMA_RIG_H

#include "elm/model.h"

#include "model_rig.h"

static const enum elm_kernel llama_kernels[] = {ELM_KERNEL_PLAIN, ELM_KERNEL_AVX2, ELM_KERNEL_AVX512,
                                          ELM_KERNEL_AVX512_BF16, ELM_KERNEL_AMX};

/* odd sizes on purpose: panels, tiles and depths are not filled */
static const struct elm_model_config llama_odd = {
    .vocabulary = 203, .width = 72, .layers = 3, .heads = 6, .kv_heads = 2, .head_width = 20,
    .hidden = 90, .context_max = 150, .norm_epsilon = 1e-5f, .rope_base = 10000,
};
static const struct elm_model_config llama_even = {
    .vocabulary = 512, .width = 128, .layers = 2, .heads = 4, .kv_heads = 4, .head_width = 32,
    .hidden = 384, .context_max = 256, .norm_epsilon = 1e-5f, .rope_base = 500, .tied = true,
};
/* with the vocabulary of model_rig.h */
static const struct elm_model_config llama_spoken = {
    .vocabulary = RIG_TOKENS, .width = 64, .layers = 2, .heads = 3, .kv_heads = 1,
    .head_width = 32, .hidden = 128, .context_max = 128, .norm_epsilon = 1e-5f,
    .rope_base = 10000, .tied = true,
};

static inline struct elm_model *llama_open(const char *path, enum elm_precision precision,
                                    enum elm_kernel kernel)
{
    struct elm_model *m = NULL;
    struct elm_error err = {0};
    if (elm_model_open(path, precision, kernel, &m, &err) != ELM_OK)
        fail_msg("%s", err.message);
    return m;
}

/* A file of random weights times `scale` (0.02 alone would leave attention flat), with what `change`
 * puts before all else, less one tensor. */
static inline void llama_write_changed(const char *path, const struct elm_model_config *config, float scale,
                          void (*change)(struct elm_gguf_writer *w), const char *without)
{
    struct elm_model *m = NULL;
    struct elm_gguf *g = NULL;
    struct elm_error err = {0};
    struct elm_arena arena = {0};
    assert_int_equal(elm_model_random(config, 7, ELM_F32, ELM_KERNEL_AUTO, &m, &err), ELM_OK);
    assert_int_equal(elm_model_write(m, path, &err), ELM_OK);
    elm_model_close(m);
    assert_int_equal(elm_gguf_open(path, &g, &err), ELM_OK);
    struct elm_gguf_writer *w = elm_gguf_writer_new();
    struct rig_vocabulary v = {0};
    if (change != NULL)
        change(w);
    if (config->vocabulary == RIG_TOKENS) {
        rig_vocabulary(&v);
        rig_put_tokenizer(w, &v, "smollm");
    }
    elm_gguf_put_all(w, g);
    for (uint64_t i = 0; i < elm_gguf_tensor_count(g); i++) {
        const struct elm_gguf_tensor *t = elm_gguf_tensor_at(g, i);
        float *data = elm_arena_alloc(&arena, t->bytes);
        char *name = elm_arena_alloc(&arena, t->name.len + 1);
        memcpy(data, t->data, t->bytes);
        memcpy(name, t->name.ptr, t->name.len);
        name[t->name.len] = '\0';
        if (without != NULL && strcmp(name, without) == 0)
            continue;
        for (size_t j = 0; j < t->bytes / 4; j++)
            data[j] *= t->dim_count == 1 ? 1 + 0.01f * (float)(j % 9) : scale;
        elm_gguf_put_tensor(w, name, t->type, t->dim_count, t->dims, data);
    }
    assert_int_equal(elm_gguf_write(w, path, &err), ELM_OK);
    elm_gguf_writer_free(w);
    rig_vocabulary_release(&v);
    elm_gguf_close(g);
    elm_arena_release(&arena);
}

static inline void llama_write(const char *path, const struct elm_model_config *config, float scale)
{
    llama_write_changed(path, config, scale, NULL, NULL);
}

static inline void random_tokens(uint32_t *tokens, uint32_t count, uint32_t vocabulary, uint64_t seed)
{
    struct elm_rng rng = elm_rng(seed, 0);
    for (uint32_t i = 0; i < count; i++)
        tokens[i] = elm_rng_below(&rng, vocabulary);
}

static inline bool kernel_exists(enum elm_kernel kernel, enum elm_precision precision)
{
    struct elm_model *m = NULL;
    struct elm_error err = {0};
    enum elm_status status = elm_model_random(&llama_odd, 1, precision, kernel, &m, &err);
    assert_true(status == ELM_OK || status == ELM_USAGE);
    elm_model_close(m);
    return status == ELM_OK;
}

#endif
