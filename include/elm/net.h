/*
 * net: a llama model that learns: f32 weights and gradients, all of them or LoRA on every linear
 * layer, forward and backward over whole sequences. One loss for every trainer:
 *
 *     sum over tokens i of  -coefficients[i] * log p(token i | those before)  +  kl[i] * KL term,
 *
 * where the KL term against stored log-probabilities r is e^(r - log p) - (r - log p) - 1. The head is
 * computed only where one of the two is not 0. Results do not depend on the number of threads.
 */
#ifndef ELM_NET_H
#define ELM_NET_H

#include "elm/model.h"
#include "elm/trainer.h"

struct elm_net;
struct elm_net_def {
    const char *model;           /* a path or a pulled model's name; NULL: random weights of `config` */
    const struct elm_model_config *config;
    struct elm_str vocabulary;   /* of random weights: bytes of a GGUF with a tokenizer (elm_bpe_train),
                                    borrowed until close; empty: none */
    uint64_t seed;               /* of random weights, and of LoRA's */
    uint32_t lora_rank;          /* 0: all weights learn */
    float lora_alpha;            /* 0: the rank */
    enum elm_precision precision;      /* of products; weights, gradients and sums are f32 */
    enum elm_kernel kernel;
    uint32_t threads;            /* 0: as many as cores */
};
/* Fails: as elm_model_open and elm_model_find; ELM_USAGE (a rank beyond the width). */
enum elm_status elm_net_open(const struct elm_net_def *def, struct elm_net **out,
                             struct elm_error *err);
void elm_net_close(struct elm_net *n);
const struct elm_model_config *elm_net_config(const struct elm_net *n);
const struct elm_tokenizer *elm_net_tokenizer(const struct elm_net *n);    /* NULL: none */
/* What learns. The weights may be changed between two calls; the gradient is the caller's to clear. */
const struct elm_parameter *elm_net_parameters(struct elm_net *n, uint32_t *count);

struct elm_net_sequence {
    const uint32_t *tokens;
    uint32_t count;
    const float *coefficients;   /* [count], the first is not used: nothing stands before it */
    const float *kl, *reference; /* [count] or NULL both */
    float *logprobs;             /* out [count], nullable: of tokens that are computed, else 0 */
};
/* Log-probabilities of every token but the first; coefficients, kl and reference are not read.
 * Fails: ELM_USAGE (a token that the model doesn't know), ELM_RANGE (longer than its context). */
enum elm_status elm_net_logprobs(struct elm_net *n, const struct elm_net_sequence *sequences,
                                 uint32_t count, struct elm_error *err);
/* Adds the gradient of the loss, which is returned in *loss. Memory grows with the tokens of a call:
 * about (14 width + 9 hidden) * layers floats each. */
enum elm_status elm_net_gradient(struct elm_net *n, const struct elm_net_sequence *sequences,
                                 uint32_t count, double *loss, struct elm_error *err);
/* Writes the model (matrices in bf16), or the adapter (f32), as llama.cpp reads them. */
enum elm_status elm_net_write(const struct elm_net *n, const char *path, struct elm_error *err);

#endif
