/* net_weights: parameters out of a model's file, LoRA's, and both into files. */
#include "model/net_weights.h"

#include "model/weights.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OF_LAYER 9               /* tensors of a layer, in the order of weights_each */
#define PLACES 7                 /* linear layers of a layer */
#define LORA_TENSORS (2 * PLACES)

/* ---- the model's ---- */

struct taking {
    struct elm_net *net;
    size_t used;
};

static enum elm_status count_weight(void *ctx, const struct weight *w, struct elm_error *err)
{
    struct taking *t = ctx;
    (void)err;
    t->net->all_count++;
    t->used += (size_t)w->rows * w->width;
    return ELM_OK;
}

static enum elm_status take_weight(void *ctx, const struct weight *w, struct elm_error *err)
{
    struct taking *t = ctx;
    struct elm_net *n = t->net;
    struct elm_parameter *p = &n->all[n->all_count++];
    char *name = elm_arena_alloc(&n->names, sizeof(w->name));
    (void)err;
    memcpy(name, w->name, sizeof(w->name));
    *p = (struct elm_parameter){
        .name = name, .rows = w->rows, .cols = w->width,
        .matrix = w->matrix != NULL && w->matrix != &n->model->head,
        .weights = n->weights + t->used,
        .gradient = n->gradients == NULL ? NULL : n->gradients + t->used,
    };
    t->used += (size_t)w->rows * w->width;
    for (uint32_t row = 0; row < w->rows; row++) {
        float *to = p->weights + (size_t)row * w->width;
        if (w->vector != NULL)
            memcpy(to, w->vector, w->width * sizeof(float));
        else if (w->matrix == NULL)
            embedding_get(n->model, row, to);
        else
            matrix_get(&n->model->kernel, w->matrix, weight_column(w, row), to);
    }
    return ELM_OK;
}

static struct linear linear_of(const struct elm_parameter *p, uint32_t parts)
{
    struct linear l = {.in = p->cols, .parts = parts, .weights = p->weights,
                       .gradient = p->gradient};
    for (uint32_t i = 0; i < parts; i++) {
        l.first[i] = l.out;
        l.rows[i] = p[i].rows;
        l.out += p[i].rows;
    }
    return l;
}

static void point(struct elm_net *n)
{
    n->embedding = &n->all[0];
    for (uint32_t i = 0; i < n->config.layers; i++) {
        const struct elm_parameter *p = n->all + 1 + i * OF_LAYER;
        struct net_layer *l = &n->layers[i];
        l->attention_norm = p[0].weights;
        l->attention_norm_gradient = p[0].gradient;
        l->linear[LINEAR_QKV] = linear_of(p + 1, 3);
        l->linear[LINEAR_OUTPUT] = linear_of(p + 4, 1);
        l->feed_norm = p[5].weights;
        l->feed_norm_gradient = p[5].gradient;
        l->linear[LINEAR_GATE_UP] = linear_of(p + 6, 2);
        l->linear[LINEAR_DOWN] = linear_of(p + 8, 1);
    }
    n->last_norm = &n->all[1 + n->config.layers * OF_LAYER];
    n->head = n->config.tied ? n->embedding : n->last_norm + 1;
}

void net_weights_take(struct elm_net *n)
{
    struct taking t = {.net = n};
    weights_each(n->model, count_weight, &t, NULL);
    n->all = elm_calloc(n->all_count, sizeof(*n->all));
    n->weights = elm_malloc(t.used * sizeof(float));
    if (n->lora_rank == 0)
        n->gradients = elm_calloc(t.used, sizeof(float));
    t.used = 0;
    n->all_count = 0;
    weights_each(n->model, take_weight, &t, NULL);
    point(n);
    n->learn = n->all;
    n->learn_count = n->all_count;
}

/* ---- LoRA ---- */

/* One matrix of LoRA, for the linear layer of this name. */
static struct elm_parameter *add_lora(struct elm_net *n, uint32_t layer, const char *name, char side,
                                      uint32_t rows, uint32_t cols, size_t *used)
{
    struct elm_parameter *p = &n->learn[n->learn_count++];
    char *full = elm_arena_alloc(&n->names, 64);
    snprintf(full, 64, "blk.%u.%s.weight.lora_%c", layer, name, side);
    *p = (struct elm_parameter){.name = full, .rows = rows, .cols = cols, .matrix = true};
    if (n->lora != NULL) {
        p->weights = n->lora + *used;
        p->gradient = n->gradients + *used;
    }
    *used += (size_t)rows * cols;
    return p;
}

/* The lower sides of all parts lie together, and so do the upper ones. */
static void add_linear_lora(struct elm_net *n, uint32_t layer, int which, const char *const *names,
                            size_t *used)
{
    struct linear *l = &n->layers[layer].linear[which];
    l->rank = n->lora_rank;
    l->scale = n->lora_alpha / (float)n->lora_rank;
    for (uint32_t i = 0; i < l->parts; i++) {
        const struct elm_parameter *p = add_lora(n, layer, names[i], 'a', l->rank, l->in, used);
        if (i == 0) {
            l->down = p->weights;
            l->down_gradient = p->gradient;
        }
    }
    for (uint32_t i = 0; i < l->parts; i++) {
        const struct elm_parameter *p = add_lora(n, layer, names[i], 'b', l->rows[i], l->rank,
                                                 used);
        if (i == 0) {
            l->up = p->weights;
            l->up_gradient = p->gradient;
        }
    }
}

static size_t add_all_lora(struct elm_net *n)
{
    static const char *const names[PLACES] = {"attn_q", "attn_k", "attn_v", "attn_output",
                                              "ffn_gate", "ffn_up", "ffn_down"};
    size_t used = 0;
    n->learn_count = 0;
    for (uint32_t i = 0; i < n->config.layers; i++) {
        add_linear_lora(n, i, LINEAR_QKV, names, &used);
        add_linear_lora(n, i, LINEAR_OUTPUT, names + 3, &used);
        add_linear_lora(n, i, LINEAR_GATE_UP, names + 4, &used);
        add_linear_lora(n, i, LINEAR_DOWN, names + 6, &used);
    }
    return used;
}

void net_lora_make(struct elm_net *n, uint64_t seed)
{
    n->learn = elm_calloc((size_t)n->config.layers * LORA_TENSORS, sizeof(*n->learn));
    size_t count = add_all_lora(n);    /* measured; then for good */
    n->lora = elm_calloc(count, sizeof(float));
    n->gradients = elm_calloc(count, sizeof(float));
    add_all_lora(n);
    for (uint32_t i = 0; i < n->learn_count; i++) {
        struct elm_parameter *p = &n->learn[i];
        const size_t len = strlen(p->name);
        struct elm_rng rng = elm_rng(seed, i);
        for (size_t j = 0; p->name[len - 1] == 'a' && j < (size_t)p->rows * p->cols; j++)
            p->weights[j] = (float)(elm_rng_normal(&rng) / sqrt(p->cols));
    }
}

/* ---- files ---- */

static void put_narrow(struct elm_gguf_writer *w, const struct elm_parameter *p,
                       struct elm_arena *arena)
{
    const uint64_t dims[2] = {p->cols, p->rows};
    const size_t count = (size_t)p->rows * p->cols;
    uint16_t *data = elm_arena_alloc(arena, count * sizeof(*data));
    for (size_t i = 0; i < count; i++)
        data[i] = bf16_of(p->weights[i]);
    elm_gguf_put_tensor(w, p->name, ELM_GGUF_BF16, 2, dims, data);
}

static void put_wide(struct elm_gguf_writer *w, const struct elm_parameter *p, uint32_t dim_count)
{
    const uint64_t dims[2] = {p->cols, p->rows};
    elm_gguf_put_tensor(w, p->name, ELM_GGUF_F32, dim_count, dims, p->weights);
}

static void put_adapter(struct elm_gguf_writer *w, const struct elm_net *n)
{
    elm_gguf_put_string(w, "general.architecture", ELM_STR("llama"));
    elm_gguf_put_string(w, "general.type", ELM_STR("adapter"));
    elm_gguf_put_string(w, "adapter.type", ELM_STR("lora"));
    elm_gguf_put_real(w, "adapter.lora.alpha", (double)n->lora_alpha);
    for (uint32_t i = 0; i < n->learn_count; i++)
        put_wide(w, &n->learn[i], 2);
}

static void put_model(struct elm_gguf_writer *w, const struct elm_net *n, struct elm_arena *arena)
{
    weights_put_config(w, &n->config);
    elm_gguf_put_int(w, "general.file_type", 32);    /* mostly bf16 */
    if (n->model->file != NULL)
        elm_gguf_put_all(w, n->model->file);
    else    /* llama.cpp wants to be told */
        elm_gguf_put_string(w, "tokenizer.ggml.model", ELM_STR("none"));
    for (uint32_t i = 0; i < n->all_count; i++) {
        if (n->all[i].rows == 1 && strstr(n->all[i].name, "norm") != NULL)
            put_wide(w, &n->all[i], 1);
        else
            put_narrow(w, &n->all[i], arena);
    }
}

enum elm_status elm_net_write(const struct elm_net *n, const char *path, struct elm_error *err)
{
    struct elm_gguf_writer *w = elm_gguf_writer_new();
    struct elm_arena arena = {0};
    if (n->lora_rank > 0)
        put_adapter(w, n);
    else
        put_model(w, n, &arena);
    enum elm_status status = elm_gguf_write(w, path, err);
    elm_gguf_writer_free(w);
    elm_arena_release(&arena);
    return status;
}
