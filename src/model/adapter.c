/* adapter: LoRA added to a model's weights: W += alpha / rank * B A. */
#include "model/transformer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct adapting {
    struct elm_model *model;
    const struct elm_gguf *file;
    double alpha;
    uint64_t found;
    bool change;                 /* else only looked at */
};

static const struct elm_gguf_tensor *side(const struct adapting *a, const struct weight *w,
                                          char which)
{
    char name[80];
    snprintf(name, sizeof(name), "%s.lora_%c", w->name, which);
    return elm_gguf_tensor(a->file, name);
}

static bool wide(const struct elm_gguf_tensor *t, float *out)
{
    for (uint64_t row = 0; row < t->dims[1]; row++) {
        const char *from = (const char *)t->data + row * elm_gguf_row_bytes(t->type, t->dims[0]);
        if (!elm_gguf_dequantize(t->type, from, t->dims[0], out + row * t->dims[0]))
            return false;
    }
    return true;
}

static enum elm_status check(const struct weight *w, const struct elm_gguf_tensor *a,
                             const struct elm_gguf_tensor *b, struct elm_error *err)
{
    bool fits = b != NULL && a->dims[0] == w->width && b->dims[1] == w->rows &&
                a->dims[1] == b->dims[0] && a->dims[1] > 0 && a->dims[2] * a->dims[3] == 1 &&
                b->dims[2] * b->dims[3] == 1;
    float row;
    if (!fits)
        return elm_fail(err, ELM_CORRUPT, "the adapter's '%s' does not fit %u x %u", w->name, w->width,
                        w->rows);
    if (elm_gguf_row_bytes(a->type, a->dims[0]) == 0 || !elm_gguf_dequantize(a->type, a->data, 0, &row) ||
        elm_gguf_row_bytes(b->type, b->dims[0]) == 0 || !elm_gguf_dequantize(b->type, b->data, 0, &row))
        return elm_fail(err, ELM_OUTSIDE, "the adapter's '%s' is of a type that is not read", w->name);
    return ELM_OK;
}

static void add(const struct adapting *g, const struct weight *w, const struct elm_gguf_tensor *ta,
                const struct elm_gguf_tensor *tb)
{
    const size_t rank = ta->dims[1], width = w->width;
    const double scale = g->alpha / (double)rank;
    float *a = elm_malloc(rank * width * sizeof(float));
    float *b = elm_malloc(rank * w->rows * sizeof(float)), *row = elm_malloc(width * sizeof(float));
    ELM_ASSERT(wide(ta, a) && wide(tb, b));
    for (uint32_t i = 0; i < w->rows; i++) {
        const uint32_t column = weight_column(w, i);
        matrix_get(&g->model->kernel, w->matrix, column, row);
        for (size_t r = 0; r < rank; r++) {
            const float by = (float)(scale * (double)b[i * rank + r]);
            for (size_t j = 0; j < width; j++)
                row[j] += by * a[r * width + j];
        }
        matrix_put(&g->model->kernel, w->matrix, column, row);
    }
    free(a);
    free(b);
    free(row);
}

static enum elm_status adapt_weight(void *ctx, const struct weight *w, struct elm_error *err)
{
    struct adapting *g = ctx;
    const struct elm_gguf_tensor *a = side(g, w, 'a'), *b = side(g, w, 'b');
    if (a == NULL || w->matrix == NULL || w->matrix == &g->model->head)
        return ELM_OK;
    ELM_TRY(check(w, a, b, err));
    g->found += 2;
    if (g->change)
        add(g, w, a, b);
    return ELM_OK;
}

static enum elm_status adapt(struct adapting *g, struct elm_error *err)
{
    struct elm_str type;
    if (!elm_gguf_string(g->file, "general.type", &type) ||
        !elm_str_equal(type, ELM_STR("adapter")) ||
        !elm_gguf_string(g->file, "adapter.type", &type) || !elm_str_equal(type, ELM_STR("lora")) ||
        !elm_gguf_real(g->file, "adapter.lora.alpha", &g->alpha))
        return elm_fail(err, ELM_OUTSIDE, "it is no LoRA adapter");
    ELM_TRY(weights_each(g->model, adapt_weight, g, err));
    if (g->found != elm_gguf_tensor_count(g->file))
        return elm_fail(err, ELM_OUTSIDE, "%llu of the adapter's %llu tensors are of no linear layer of "
                        "the model", (unsigned long long)(elm_gguf_tensor_count(g->file) - g->found),
                        (unsigned long long)elm_gguf_tensor_count(g->file));
    g->change = true;
    return weights_each(g->model, adapt_weight, g, err);
}

enum elm_status elm_model_adapt(struct elm_model *m, const char *path, struct elm_error *err)
{
    struct adapting g = {.model = m};
    struct elm_gguf *file = NULL;
    struct elm_error why = {0};
    ELM_TRY(elm_gguf_open(path, &file, err));
    g.file = file;
    enum elm_status status = adapt(&g, &why);
    elm_gguf_close(file);
    if (status != ELM_OK)
        return elm_fail(err, status, "adapter '%s': %.400s", path, why.message);
    return ELM_OK;
}
