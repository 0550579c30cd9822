/* weights_file: reads a model from its GGUF, and writes it. */
#include "model/weights.h"

#include <stdlib.h>
#include <string.h>

struct reading {
    struct elm_model *model;
    const struct elm_gguf *file;
    float *values;               /* a row of the widest tensor */
    uint64_t used;
};

static bool shape_is(const struct elm_gguf_tensor *t, const struct weight *w)
{
    bool flat = t->dims[2] == 1 && t->dims[3] == 1;
    return flat && t->dims[0] == w->width && t->dims[1] == w->rows;
}

static enum elm_status read_weight(void *ctx, const struct weight *w, struct elm_error *err)
{
    struct reading *r = ctx;
    const struct elm_gguf_tensor *t = elm_gguf_tensor(r->file, w->name);
    if (t == NULL)
        return elm_fail(err, ELM_CORRUPT, "tensor '%s' is missing", w->name);
    if (!shape_is(t, w))
        return elm_fail(err, ELM_CORRUPT, "tensor '%s' is %llu x %llu, its metadata says %u x %u",
                        w->name, (unsigned long long)t->dims[0], (unsigned long long)t->dims[1],
                        w->width, w->rows);
    size_t bytes = elm_gguf_row_bytes(t->type, w->width);
    const char *type = elm_gguf_type_name(t->type);
    for (uint32_t row = 0; row < w->rows; row++) {
        const char *from = (const char *)t->data + row * bytes;
        float *to = w->vector != NULL ? w->vector : r->values;
        if (bytes == 0 || !elm_gguf_dequantize(t->type, from, w->width, to))
            return elm_fail(err, ELM_OUTSIDE, "tensor '%s' is of type %s, which is not read",
                            w->name, type != NULL ? type : "unknown");
        if (w->vector == NULL && w->matrix == NULL)
            embedding_put(r->model, row, to);
        else if (w->vector == NULL)
            matrix_put(&r->model->kernel, w->matrix, weight_column(w, row), to);
    }
    r->used++;
    return ELM_OK;
}

struct naming {
    const char *name;
    size_t len;
};

static enum elm_status is_named(void *ctx, const struct weight *w, struct elm_error *err)
{
    const struct naming *n = ctx;
    (void)err;
    bool same = strlen(w->name) == n->len && memcmp(w->name, n->name, n->len) == 0;
    return same ? ELM_EXISTS : ELM_OK;
}

/* A tensor that nothing here reads (biases, factors of angles) would change the numbers. */
static enum elm_status refuse_others(struct elm_model *m, const struct elm_gguf *g,
                                     struct elm_error *err)
{
    for (uint64_t i = 0; i < elm_gguf_tensor_count(g); i++) {
        const struct elm_gguf_tensor *t = elm_gguf_tensor_at(g, i);
        struct naming n = {t->name.ptr, t->name.len};
        if (weights_each(m, is_named, &n, NULL) != ELM_EXISTS)
            return elm_fail(err, ELM_OUTSIDE, "tensor '%.*s' is not part of the llamas read here",
                            (int)(n.len < 64 ? n.len : 64), n.name);
    }
    return ELM_OK;
}

static enum elm_status read_all(struct elm_model *m, const struct elm_gguf *g,
                                struct elm_error *err)
{
    const struct elm_model_config *c = &m->config;
    uint32_t widest = c->width > c->hidden ? c->width : c->hidden;
    widest = widest > c->heads * c->head_width ? widest : c->heads * c->head_width;
    struct reading r = {.model = m, .file = g, .values = elm_malloc(widest * sizeof(float))};
    enum elm_status status = weights_each(m, read_weight, &r, err);
    free(r.values);
    if (status == ELM_OK && r.used != elm_gguf_tensor_count(g))
        status = refuse_others(m, g, err);
    return status;
}

/* Before any memory is asked for: are there as many weights as the metadata claims? */
static enum elm_status check_amount(const struct elm_model_config *c, const struct elm_gguf *g,
                                    struct elm_error *err)
{
    uint64_t bytes = 0, count = weights_count(c);
    for (uint64_t i = 0; i < elm_gguf_tensor_count(g); i++)
        bytes += elm_gguf_tensor_at(g, i)->bytes;
    /* the narrowest type read has four bits and a half */
    if (count / 2 <= bytes)
        return ELM_OK;
    return elm_fail(err, ELM_CORRUPT, "the metadata asks for %llu weights, but all tensors have "
                    "only %llu bytes", (unsigned long long)count, (unsigned long long)bytes);
}

static enum elm_status read_model(const struct elm_gguf *g, enum elm_precision precision,
                                  enum elm_kernel kernel, struct elm_model **out,
                                  struct elm_error *err)
{
    struct elm_model_config config;
    struct elm_model *m = NULL;
    struct elm_str kind;
    ELM_TRY(weights_config(g, &config, err));
    ELM_TRY(check_amount(&config, g, err));
    ELM_TRY(model_new(&config, precision, kernel, &m, err));
    enum elm_status status = read_all(m, g, err);
    if (status == ELM_OK && elm_gguf_string(g, "tokenizer.ggml.model", &kind) &&
        !elm_str_equal(kind, ELM_STR("none")))
        status = elm_tokenizer_new(g, &m->tokenizer, err);
    if (status == ELM_OK && m->tokenizer != NULL &&
        elm_tokenizer_count(m->tokenizer) > config.vocabulary)
        status = elm_fail(err, ELM_CORRUPT, "the tokenizer has %u tokens, the model only %u",
                          elm_tokenizer_count(m->tokenizer), config.vocabulary);
    if (status == ELM_OK)
        *out = m;
    else
        elm_model_close(m);
    return status;
}

enum elm_status elm_model_open(const char *path, enum elm_precision precision,
                               enum elm_kernel kernel, struct elm_model **out,
                               struct elm_error *err)
{
    struct elm_gguf *g = NULL;
    struct elm_error why = {0};
    ELM_TRY(elm_gguf_open(path, &g, err));
    enum elm_status status = read_model(g, precision, kernel, out, &why);
    if (status != ELM_OK) {
        elm_gguf_close(g);
        return elm_fail(err, status, "'%s': %.400s", path, why.message);
    }
    (*out)->file = g;
    return ELM_OK;
}

/* ---- writing ---- */

struct writing {
    struct elm_model *model;
    struct elm_gguf_writer *writer;
    struct elm_arena arena;      /* of the matrices' rows in the file's order */
};

static void write_row(struct writing *w, const struct weight *from, uint32_t row, float *values)
{
    if (from->matrix == NULL)
        embedding_get(w->model, row, values);
    else
        matrix_get(&w->model->kernel, from->matrix, weight_column(from, row), values);
}

static enum elm_status write_weight(void *ctx, const struct weight *from, struct elm_error *err)
{
    struct writing *w = ctx;
    const uint64_t dims[2] = {from->width, from->rows};
    (void)err;
    if (from->vector != NULL) {
        elm_gguf_put_tensor(w->writer, from->name, ELM_GGUF_F32, 1, dims, from->vector);
        return ELM_OK;
    }
    const bool narrow = w->model->precision == ELM_BF16;
    const size_t count = (size_t)from->rows * from->width;
    float *values = elm_malloc(from->width * sizeof(float));
    char *data = elm_arena_alloc(&w->arena, count * (narrow ? 2 : 4));
    for (uint32_t row = 0; row < from->rows; row++) {
        size_t at = (size_t)row * from->width;
        write_row(w, from, row, values);
        if (!narrow)
            memcpy((float *)(void *)data + at, values, from->width * sizeof(float));
        for (uint32_t i = 0; narrow && i < from->width; i++)
            ((uint16_t *)(void *)data)[at + i] = bf16_of(values[i]);
    }
    free(values);
    elm_gguf_put_tensor(w->writer, from->name, narrow ? ELM_GGUF_BF16 : ELM_GGUF_F32, 2, dims,
                        data);
    return ELM_OK;
}

enum elm_status elm_model_write(const struct elm_model *m, const char *path, struct elm_error *err)
{
    /* weights_each gives pointers to write through; nothing here does */
    struct elm_model copy = *m;
    struct writing w = {.model = &copy, .writer = elm_gguf_writer_new()};
    weights_put_config(w.writer, &m->config);
    elm_gguf_put_int(w.writer, "general.file_type", m->precision == ELM_BF16 ? 32 : 0);
    if (m->file != NULL)
        elm_gguf_put_all(w.writer, m->file);
    else    /* llama.cpp wants to be told */
        elm_gguf_put_string(w.writer, "tokenizer.ggml.model", ELM_STR("none"));
    weights_each(&copy, write_weight, &w, NULL);
    enum elm_status status = elm_gguf_write(w.writer, path, err);
    elm_gguf_writer_free(w.writer);
    elm_arena_release(&w.arena);
    return status;
}
