/* net: makes a net of a model's weights, and takes a batch through it. */
#include "model/net.h"

#include "elm/models.h"
#include "model/net_weights.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static enum elm_status open_model(const struct elm_net_def *def, struct elm_model **out,
                                  struct elm_error *err)
{
    if (def->model != NULL) {
        struct elm_buf path = {0};
        enum elm_status status = elm_model_find(def->model, NULL, &path, err);
        if (status == ELM_OK)
            status = elm_model_open(path.ptr, ELM_F32, ELM_KERNEL_AUTO, out, err);
        elm_buf_release(&path);
        return status;
    }
    ELM_TRY(elm_model_random(def->config, def->seed, ELM_F32, ELM_KERNEL_AUTO, out, err));
    if (def->vocabulary.len == 0)
        return ELM_OK;
    enum elm_status status = elm_gguf_open_bytes(def->vocabulary.ptr, def->vocabulary.len,
                                                 &(*out)->file, err);
    if (status == ELM_OK)
        status = elm_tokenizer_new((*out)->file, &(*out)->tokenizer, err);
    if (status != ELM_OK)
        elm_model_close(*out);
    return status;
}

static enum elm_status open_threads(struct elm_net *n, const struct elm_net_def *def,
                                    struct elm_error *err)
{
    n->team = team_new(def->threads);
    n->threads = elm_calloc(team_size(n->team), sizeof(*n->threads));
    for (uint32_t i = 0; i < team_size(n->team); i++)
        ELM_TRY(gemm_thread_new(def->kernel, &n->threads[i].gemm, err));
    n->rows = rows_choose(def->kernel);
    return ELM_OK;
}

enum elm_status elm_net_open(const struct elm_net_def *def, struct elm_net **out,
                             struct elm_error *err)
{
    struct elm_model *m = NULL;
    ELM_TRY(open_model(def, &m, err));
    struct elm_net *n = elm_calloc(1, sizeof(*n));
    n->model = m;
    n->config = m->config;
    n->precision = def->precision;
    n->lora_rank = def->lora_rank;
    n->lora_alpha = def->lora_alpha > 0 ? def->lora_alpha : (float)def->lora_rank;
    n->layers = elm_calloc(m->config.layers, sizeof(*n->layers));
    n->kept = elm_calloc(m->config.layers, sizeof(*n->kept));
    enum elm_status status = ELM_OK;
    if (def->lora_rank > m->config.width)
        status = elm_fail(err, ELM_USAGE, "a LoRA rank of %u is beyond the model's width of %u",
                          def->lora_rank, m->config.width);
    if (status == ELM_OK)
        status = open_threads(n, def, err);
    if (status != ELM_OK) {
        elm_net_close(n);
        return status;
    }
    net_weights_take(n);
    if (n->lora_rank > 0)
        net_lora_make(n, def->seed);
    /* the model goes on as shape, tokenizer and metadata */
    free(m->memory);
    m->memory = NULL;
    *out = n;
    return ELM_OK;
}

void elm_net_close(struct elm_net *n)
{
    if (n == NULL)
        return;
    for (uint32_t i = 0; n->team != NULL && i < team_size(n->team); i++)
        gemm_thread_free(n->threads[i].gemm);
    free(n->threads);
    team_free(n->team);
    net_release(n);
    elm_model_close(n->model);
    elm_arena_release(&n->names);
    free(n->all);
    if (n->learn != n->all)
        free(n->learn);
    free(n->weights);
    free(n->gradients);
    free(n->lora);
    free(n->layers);
    free(n->kept);
    free(n);
}

const struct elm_model_config *elm_net_config(const struct elm_net *n)
{
    return &n->config;
}

const struct elm_tokenizer *elm_net_tokenizer(const struct elm_net *n)
{
    return n->model->tokenizer;
}

const struct elm_parameter *elm_net_parameters(struct elm_net *n, uint32_t *count)
{
    *count = n->learn_count;
    return n->learn;
}

enum elm_status elm_net_logprobs(struct elm_net *n, const struct elm_net_sequence *sequences,
                                 uint32_t count, struct elm_error *err)
{
    ELM_TRY(net_prepare(n, sequences, count, false, err));
    net_forward(n);
    net_head(n);
    return ELM_OK;
}

enum elm_status elm_net_gradient(struct elm_net *n, const struct elm_net_sequence *sequences,
                                 uint32_t count, double *loss, struct elm_error *err)
{
    ELM_TRY(net_prepare(n, sequences, count, true, err));
    *loss = 0;
    if (n->head_count == 0)
        return ELM_OK;
    net_forward(n);
    memset(n->dx, 0, (size_t)n->tokens * n->config.width * sizeof(float));
    net_head(n);
    for (uint32_t i = 0; i < n->head_count; i++)
        *loss += n->head_rows[i].loss;
    net_backward(n);
    return ELM_OK;
}
