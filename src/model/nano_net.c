/* nano_net: the weights: layout, random start. */
#include "model/nano_net.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TENSORS_PER_LAYER 15
#define TENSORS_BESIDE 11

uint64_t nano_version(void)
{
    enum { LAYOUT = 2 };         /* 2: edits pass layers of their own */
    uint64_t h = elm_hash_mix(elm_hash_mix(NANO_TOKENS, NANO_ID_COUNT), LAYOUT);
    h = elm_hash_mix(h, NANO_NODE_FEATURES);
    h = elm_hash_mix(h, NANO_CASE_FEATURES);
    h = elm_hash(nano_literals, sizeof(nano_literals), h);
    return h >> 33;
}

static size_t add(struct elm_nano *n, const char *name, uint32_t rows, uint32_t cols, bool matrix)
{
    struct elm_nano_tensor *t = &n->tensors[n->tensor_count++];
    snprintf(t->name, sizeof(t->name), "%s", name);
    t->rows = rows;
    t->cols = cols;
    t->matrix = matrix;
    t->at = n->size;
    n->size += ((size_t)rows * cols + 15) / 16 * 16;
    return t->at;
}

static size_t add_in(struct elm_nano *n, const char *where, uint32_t layer, const char *what, uint32_t rows,
                     uint32_t cols, bool matrix)
{
    char name[40];
    snprintf(name, sizeof(name), "%s.%u.%s", where, layer, what);
    return add(n, name, rows, cols, matrix);
}

static void add_layers(struct elm_nano *n, struct nano_stack *s, const char *where)
{
    const uint32_t d = s->width, hidden = s->hidden;
    for (uint32_t k = 0; k < n->config.layers; k++) {
        struct nano_layer *l = &s->layers[k];
        l->norm1 = add_in(n, where, k, "attn_norm.weight", 1, d, false);
        l->qkv = add_in(n, where, k, "attn_qkv.weight", 3 * d, d, true);
        if (s == &n->steps)
            n->prefix[k] = add_in(n, where, k, "attn_prefix.weight", 2 * d, n->config.width, true);
        l->bias = add_in(n, where, k, "attn_relation.weight", d / NANO_HEAD, NANO_RELATIONS, false);
        l->out = add_in(n, where, k, "attn_output.weight", d, d, true);
        l->norm2 = add_in(n, where, k, "ffn_norm.weight", 1, d, false);
        l->up = add_in(n, where, k, "ffn_up.weight", hidden, d, true);
        l->down = add_in(n, where, k, "ffn_down.weight", d, hidden, true);
    }
}

enum elm_status nano_layout(const struct elm_nano_config *config, struct elm_nano **out,
                            struct elm_error *err)
{
    uint32_t d = config->width;
    if (d < 32 || d > 256 || d % 32 != 0)
        return elm_fail(err, ELM_USAGE, "width %u: a multiple of 32 from 32 to 256 is allowed", d);
    if (config->layers < 1 || config->layers > NANO_LAYERS_MAX)
        return elm_fail(err, ELM_USAGE, "%u layers: 1 to %d are allowed", config->layers,
                        NANO_LAYERS_MAX);
    if (config->hidden < d || config->hidden > 2048 || config->hidden % 32 != 0)
        return elm_fail(err, ELM_USAGE, "hidden width %u: a multiple of 32 from the width "
                        "to 2048 is allowed", config->hidden);
    struct elm_nano *n = elm_calloc(1, sizeof(*n));
    n->config = *config;
    const uint32_t e = d / 64 > 1 ? d / 64 * 32 : 32;
    n->program = (struct nano_stack){.width = d, .hidden = config->hidden};
    n->steps = (struct nano_stack){.width = e, .hidden = 4 * e};
    n->tensors = elm_calloc(TENSORS_BESIDE + TENSORS_PER_LAYER * config->layers,
                            sizeof(n->tensors[0]));
    n->program.embed = add(n, "token_embd.weight", NANO_ID_COUNT, d, false);
    n->node = add(n, "node_features.weight", d, NANO_NODE_FEATURES, true);
    n->cases = add(n, "case_features.weight", d, NANO_CASE_FEATURES, true);
    add_layers(n, &n->program, "blk");
    n->program.norm = add(n, "output_norm.weight", 1, d, false);
    n->steps.embed = add(n, "step_embd.weight", NANO_ID_COUNT, e, false);
    n->join = add(n, "step_join.weight", e, d, true);
    add_layers(n, &n->steps, "step");
    n->steps.norm = add(n, "step_norm.weight", 1, e, false);
    n->query = add(n, "point_query.weight", e, e, true);
    n->key = add(n, "point_key.weight", e, d, true);
    n->stop = add(n, "point_stop.weight", 1, e, false);
    n->head = add(n, "output.weight", NANO_LOGITS, e, true);
    n->weights = elm_calloc(n->size, sizeof(float));
    *out = n;
    return ELM_OK;
}

static void fill(struct elm_nano *n, const struct elm_nano_tensor *t, struct elm_rng *rng)
{
    float *w = n->weights + t->at;
    size_t count = (size_t)t->rows * t->cols;
    bool norm = strstr(t->name, "norm") != NULL, residual = strstr(t->name, "attn_output") != NULL ||
                                                             strstr(t->name, "ffn_down") != NULL;
    double sd = t->matrix ? 1 / sqrt(t->cols) : 0.1;
    if (residual)
        sd /= sqrt(2.0 * n->config.layers);
    if (strcmp(t->name, "output.weight") == 0 || strncmp(t->name, "point", 5) == 0)
        sd *= 0.5;
    if (strstr(t->name, "relation") != NULL)
        sd = 0;
    for (size_t i = 0; i < count; i++)
        w[i] = norm ? 1 : (float)(sd * elm_rng_normal(rng));
}

enum elm_status elm_nano_new(const struct elm_nano_config *config, uint64_t seed,
                             struct elm_nano **out, struct elm_error *err)
{
    struct elm_nano *n;
    ELM_TRY(nano_layout(config, &n, err));
    for (uint32_t k = 0; k < n->tensor_count; k++) {
        struct elm_rng rng = elm_rng(seed, k);
        fill(n, &n->tensors[k], &rng);
    }
    *out = n;
    return ELM_OK;
}

void elm_nano_free(struct elm_nano *n)
{
    if (n == NULL)
        return;
    free(n->weights);
    free(n->tensors);
    free(n);
}

const struct elm_nano_config *elm_nano_config(const struct elm_nano *n)
{
    return &n->config;
}

size_t elm_nano_size(const struct elm_nano *n)
{
    return n->size;
}

float *elm_nano_weights(struct elm_nano *n)
{
    return n->weights;
}

const struct elm_nano_tensor *elm_nano_tensors(const struct elm_nano *n, uint32_t *count)
{
    *count = n->tensor_count;
    return n->tensors;
}

const struct nano_rows *nano_rows_choose(enum elm_kernel kernel)
{
    if ((kernel == ELM_KERNEL_AUTO || kernel >= ELM_KERNEL_AVX512) && nano_rows_avx512() != NULL)
        return nano_rows_avx512();
    if (kernel != ELM_KERNEL_PLAIN && nano_rows_avx2() != NULL)
        return nano_rows_avx2();
    return nano_rows_plain();
}

const struct nano_products *nano_products_choose(enum elm_kernel kernel)
{
    bool asked = kernel == ELM_KERNEL_AUTO || kernel == ELM_KERNEL_AMX;
    const struct nano_products *fast = asked ? nano_products_amx() : NULL;
    return fast != NULL ? fast : nano_rows_choose(kernel)->products;
}
