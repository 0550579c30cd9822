/* model: makes and frees models; what of a matrix lies where. */
#include "model/transformer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* The element of a right side at a column and a depth. */
static size_t matrix_index(const struct kernel *k, const struct matrix *m, uint32_t column,
                           uint32_t inner)
{
    size_t panel = (size_t)(column / PANEL) * m->depth * PANEL;
    if (k->narrow_right)
        return panel + ((size_t)inner / 2 * PANEL + column % PANEL) * 2 + inner % 2;
    return panel + (size_t)inner * PANEL + column % PANEL;
}

void matrix_put(const struct kernel *k, struct matrix *m, uint32_t column, const float *values)
{
    ELM_ASSERT(column < m->columns);
    for (uint32_t i = 0; i < m->inner; i++) {
        size_t at = matrix_index(k, m, column, i);
        if (k->narrow_right)
            ((uint16_t *)m->data)[at] = bf16_of(values[i]);
        else
            ((float *)m->data)[at] = values[i];
    }
}

void matrix_get(const struct kernel *k, const struct matrix *m, uint32_t column, float *values)
{
    ELM_ASSERT(column < m->columns);
    for (uint32_t i = 0; i < m->inner; i++) {
        size_t at = matrix_index(k, m, column, i);
        values[i] = k->narrow_right ? float_of(((const uint16_t *)m->data)[at])
                                    : ((const float *)m->data)[at];
    }
}

void embedding_put(struct elm_model *m, uint32_t token, const float *values)
{
    size_t at = (size_t)token * m->config.width;
    for (uint32_t i = 0; i < m->config.width; i++) {
        if (m->kernel.narrow_right)
            ((uint16_t *)m->embedding)[at + i] = bf16_of(values[i]);
        else
            ((float *)m->embedding)[at + i] = values[i];
    }
    if (m->config.tied)
        matrix_put(&m->kernel, &m->head, token, values);
}

void embedding_get(const struct elm_model *m, uint32_t token, float *values)
{
    size_t bytes = right_bytes(&m->kernel);
    m->kernel.widen((const char *)m->embedding + (size_t)token * m->config.width * bytes,
                    m->config.width, values);
}

static enum elm_status check_size(const char *name, uint32_t value, uint32_t least, uint32_t most,
                                  struct elm_error *err)
{
    if (value >= least && value <= most)
        return ELM_OK;
    return elm_fail(err, ELM_OUTSIDE, "model: %s is %u (%u to %u are read)", name, value, least,
                    most);
}

static enum elm_status check_config(const struct elm_model_config *c, struct elm_error *err)
{
    ELM_TRY(check_size("vocabulary", c->vocabulary, 2, 1 << 20, err));
    ELM_TRY(check_size("width", c->width, 2, 1 << 14, err));
    ELM_TRY(check_size("layers", c->layers, 1, 512, err));
    ELM_TRY(check_size("heads", c->heads, 1, 256, err));
    ELM_TRY(check_size("kv_heads", c->kv_heads, 1, c->heads, err));
    ELM_TRY(check_size("head_width", c->head_width, 2, 1 << 10, err));
    ELM_TRY(check_size("hidden", c->hidden, 1, 1 << 16, err));
    ELM_TRY(check_size("context", c->context_max, 1, UINT32_MAX, err));
    if (c->heads % c->kv_heads != 0 || c->head_width % 2 != 0)
        return elm_fail(err, ELM_OUTSIDE, "model: %u heads of width %u over %u keys",
                        c->heads, c->head_width, c->kv_heads);
    if (!(c->norm_epsilon >= 0 && c->norm_epsilon < 1) ||
        !(c->rope_base > 0 && isfinite(c->rope_base)))
        return elm_fail(err, ELM_OUTSIDE, "model: norm epsilon %g, rope base %g",
                        (double)c->norm_epsilon, (double)c->rope_base);
    return ELM_OK;
}

/* A part of one block of memory: measured while `block` is NULL. */
static void *carve(char *block, size_t *used, size_t bytes)
{
    void *at = block == NULL ? NULL : block + *used;
    *used += (bytes + 63) & ~(size_t)63;
    return at;
}

static struct matrix carve_matrix(const struct kernel *k, char *block, size_t *used,
                                  uint32_t columns, uint32_t inner)
{
    struct matrix m = {.columns = columns, .panels = round_up(columns, PANEL) / PANEL,
                       .inner = inner, .depth = round_up(inner, DEPTH_UNIT)};
    m.data = carve(block, used, (size_t)m.panels * PANEL * m.depth * right_bytes(k));
    return m;
}

static size_t carve_all(struct elm_model *m, char *block)
{
    const struct elm_model_config *c = &m->config;
    const struct kernel *k = &m->kernel;
    const uint32_t q = c->heads * c->head_width, kv = c->kv_heads * c->head_width;
    size_t used = 0, norm = c->width * sizeof(float);
    for (uint32_t i = 0; i < c->layers; i++) {
        struct layer *l = &m->layers[i];
        l->attention_norm = carve(block, &used, norm);
        l->qkv = carve_matrix(k, block, &used, q + 2 * kv, c->width);
        l->output = carve_matrix(k, block, &used, c->width, q);
        l->feed_norm = carve(block, &used, norm);
        l->gate_up = carve_matrix(k, block, &used, 2 * round_up(c->hidden, PANEL), c->width);
        l->down = carve_matrix(k, block, &used, c->width, c->hidden);
    }
    m->last_norm = carve(block, &used, norm);
    m->head = carve_matrix(k, block, &used, c->vocabulary, c->width);
    m->embedding = carve(block, &used, (size_t)c->vocabulary * c->width * right_bytes(k));
    return used;
}

static void make_turns(struct elm_model *m)
{
    const uint32_t width = m->config.head_width;
    m->turns = elm_malloc((size_t)m->config.context_max * 2 * width * sizeof(float));
    for (uint32_t i = 0; i < width; i += 2) {
        double speed = pow((double)m->config.rope_base, -(double)i / width);
        for (uint32_t position = 0; position < m->config.context_max; position++) {
            float *at = m->turns + (size_t)position * 2 * width + i;
            at[0] = at[1] = (float)cos(position * speed);
            at[width + 1] = (float)sin(position * speed);
            at[width] = -at[width + 1];
        }
    }
}

enum elm_status model_new(const struct elm_model_config *config, enum elm_precision precision,
                          enum elm_kernel kernel, struct elm_model **out, struct elm_error *err)
{
    struct kernel table;
    ELM_TRY(check_config(config, err));
    ELM_TRY(kernel_choose(kernel, precision, &table, err));
    struct elm_model *m = elm_calloc(1, sizeof(*m));
    m->config = *config;
    if (m->config.context_max > CONTEXT_MOST)
        m->config.context_max = CONTEXT_MOST;
    m->precision = precision;
    m->kernel = table;
    m->layers = elm_calloc(config->layers, sizeof(*m->layers));
    size_t bytes = carve_all(m, NULL);
    bytes = (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    m->memory = aligned_alloc(HUGE_PAGE, bytes);
    if (m->memory == NULL) {
        elm_model_close(m);
        return elm_fail(err, ELM_RANGE, "model: no memory for %zu MiB of weights", bytes >> 20);
    }
    madvise(m->memory, bytes, MADV_HUGEPAGE);
    memset(m->memory, 0, bytes);
    carve_all(m, m->memory);
    make_turns(m);
    *out = m;
    return ELM_OK;
}

struct random_weights {
    struct elm_model *model;
    uint64_t seed, tensor;
    float *values;               /* [the widest] */
};

/* Two normal numbers at a time (Box and Muller 1958), of sd 0.02. */
static void fill_normal(struct elm_rng *rng, float *values, uint32_t count)
{
    for (uint32_t i = 0; i < count; i += 2) {
        uint64_t bits = elm_rng_u64(rng);
        float radius = 0.02f * sqrtf(-2 * logf((float)((bits >> 32) + 1) * 0x1p-32f));
        float angle = (float)(uint32_t)bits * (6.2831853f * 0x1p-32f);
        values[i] = radius * cosf(angle);
        if (i + 1 < count)
            values[i + 1] = radius * sinf(angle);
    }
}

static enum elm_status fill_random(void *ctx, const struct weight *w, struct elm_error *err)
{
    struct random_weights *r = ctx;
    struct elm_rng rng = elm_rng(r->seed, r->tensor++);
    (void)err;
    if (w->vector != NULL) {
        for (uint32_t i = 0; i < w->width; i++)
            w->vector[i] = 1;
        return ELM_OK;
    }
    for (uint32_t row = 0; row < w->rows; row++) {
        fill_normal(&rng, r->values, w->width);
        if (w->matrix == NULL)
            embedding_put(r->model, row, r->values);
        else
            matrix_put(&r->model->kernel, w->matrix, weight_column(w, row), r->values);
    }
    return ELM_OK;
}

enum elm_status elm_model_random(const struct elm_model_config *config, uint64_t seed,
                                 enum elm_precision precision, enum elm_kernel kernel,
                                 struct elm_model **out, struct elm_error *err)
{
    struct elm_model *m = NULL;
    ELM_TRY(model_new(config, precision, kernel, &m, err));
    uint32_t widest = config->width > config->hidden ? config->width : config->hidden;
    if (widest < config->heads * config->head_width)
        widest = config->heads * config->head_width;
    struct random_weights r = {.model = m, .seed = seed,
                               .values = elm_malloc(widest * sizeof(float))};
    weights_each(m, fill_random, &r, NULL);
    free(r.values);
    *out = m;
    return ELM_OK;
}

void elm_model_close(struct elm_model *m)
{
    if (m == NULL)
        return;
    elm_tokenizer_free(m->tokenizer);
    elm_gguf_close(m->file);
    free(m->turns);
    free(m->memory);
    free(m->layers);
    free(m);
}

const struct elm_model_config *elm_model_config(const struct elm_model *m)
{
    return &m->config;
}

const struct elm_tokenizer *elm_model_tokenizer(const struct elm_model *m)
{
    return m->tokenizer;
}

const char *elm_model_kernel(const struct elm_model *m)
{
    return m->kernel.name;
}
