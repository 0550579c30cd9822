/*
 * model: transformers of the llama architecture (RMSNorm, RoPE, grouped-query attention, SwiGLU, tied
 * or untied head), 0.5M to 150M parameters, run here. Weights in bf16 or f32; kernels are chosen when
 * a model is opened, by what the machine has. A row's numbers do not depend on what else is in its
 * batch. The same weights will be trained (step 3), so nothing here assumes that they never change.
 *
 *     gguf -> model (weights, constant) -> session (key/value memory of one thread) -> sample
 */
#ifndef ELM_MODEL_H
#define ELM_MODEL_H

#include "elm/mask.h"
#include "elm/tokenizer.h"

enum elm_kernel { ELM_KERNEL_AUTO, ELM_KERNEL_PLAIN, ELM_KERNEL_AVX2, ELM_KERNEL_AVX512,
                  ELM_KERNEL_AVX512_BF16, ELM_KERNEL_AMX };
/* Of weights, keys and values; of the left sides of products too where the machine multiplies bf16. */
enum elm_precision { ELM_BF16, ELM_F32 };

struct elm_model_config {
    uint32_t vocabulary, width, layers, heads, kv_heads, head_width, hidden;
    uint32_t context_max;      /* of a longer one 32,768 tokens are used */
    float norm_epsilon, rope_base;
    bool tied;                 /* the head is the embedding */
};
struct elm_model;
/* Reads a GGUF with general.architecture = llama; quantised tensors become bf16 or f32 (bf16 of a
 * quantised file rounds once more: lossy). kernel: AUTO takes the fastest there is; another one must
 * exist here. Fails: as elm_gguf_open; ELM_OUTSIDE (architecture, tensor type or shape, named). */
enum elm_status elm_model_open(const char *path, enum elm_precision precision,
                               enum elm_kernel kernel, struct elm_model **out,
                               struct elm_error *err);
/* Random weights (normal, 0.02; for tests, benchmarks and training from nothing). Tokenizer: none. */
enum elm_status elm_model_random(const struct elm_model_config *config, uint64_t seed,
                                 enum elm_precision precision, enum elm_kernel kernel,
                                 struct elm_model **out, struct elm_error *err);
/* Adds a LoRA adapter (a GGUF of general.type adapter, made for this model) to the weights, for good.
 * Fails with nothing changed: as elm_gguf_open; ELM_OUTSIDE (another kind of adapter, a tensor that is
 * of no linear layer here), ELM_CORRUPT (shapes). */
enum elm_status elm_model_adapt(struct elm_model *m, const char *path, struct elm_error *err);
/* Writes the weights (bf16 or f32, as held) with metadata and tokenizer of the file it came from, so
 * that llama.cpp reads it. */
enum elm_status elm_model_write(const struct elm_model *m, const char *path, struct elm_error *err);
void elm_model_close(struct elm_model *m);
const struct elm_model_config *elm_model_config(const struct elm_model *m);
const struct elm_tokenizer *elm_model_tokenizer(const struct elm_model *m);    /* NULL: random */
const char *elm_model_kernel(const struct elm_model *m);    /* "avx512-bf16" */

/* One thread's key/value memory. rows_max 1..256. */
struct elm_session;
struct elm_session *elm_session_new(const struct elm_model *m, uint32_t rows_max);
void elm_session_free(struct elm_session *s);

/* Logits of every position of one sequence: [count][vocabulary]. For tests, scoring and training. */
enum elm_status elm_session_logits(struct elm_session *s, const uint32_t *tokens, uint32_t count,
                                   float *logits, struct elm_error *err);

struct elm_sample_row {
    const uint32_t *tokens;    /* [count] the prompt; a beginning that rows share is computed once */
    uint32_t count;
    uint64_t seed;             /* of this row's draws */
    uint32_t tokens_max;
    float temperature;
    const struct elm_grammar *grammar;    /* NULL: no mask, ends with an end token */
    struct elm_str stop;       /* empty: none */
    /* out */
    struct elm_buf ids;        /* uint32_t each; the end token is not among them, the token that
                                  completes `stop` is: the caller cuts the text */
    struct elm_buf logprobs;   /* float each, of the distribution drawn from: 0 at temperature 0 and
                                  where the mask leaves no choice */
    bool done;                 /* ended by itself; false: cut at tokens_max or the context */
};
/* Samples all rows, at most rows_max at a time. `trie`: of the model's vocabulary; needed where a row
 * has a grammar, and then used until the session is freed or samples with another one. `stopped`
 * (nullable) is read now and then; once true the call returns ELM_STOPPED. */
enum elm_status elm_session_sample(struct elm_session *s, struct elm_sample_row *rows,
                                   uint32_t count, const struct elm_vocabulary_trie *trie,
                                   const volatile bool *stopped, struct elm_error *err);

#endif
