/* forward: tokens through the layers of a model. */
#include "model/transformer.h"

#include <stdlib.h>
#include <string.h>

static void multiply(struct elm_session *s, const void *left, const struct matrix *m,
                     uint32_t panel, uint32_t panels, float *out, size_t out_stride,
                     uint32_t rows, bool add)
{
    const struct kernel *k = &s->model->kernel;
    const size_t panel_bytes = (size_t)m->depth * PANEL * right_bytes(k);
    const void *right = (const char *)m->data + panel * panel_bytes;
    k->product(&s->state, &(struct product){
        .left = left, .left_stride = m->depth, .rights = &right, .count = 1, .out = out,
        .out_stride = out_stride, .rows = rows, .panels = panels, .depth = m->depth, .add = add,
    });
}

static void norm_lines(struct elm_session *s, const float *weight, uint32_t count)
{
    const struct elm_model *m = s->model;
    const size_t stride = m->head.depth * left_bytes(&m->kernel);
    for (uint32_t i = 0; i < count; i++)
        m->kernel.norm(s->x + (size_t)i * s->x_stride, weight, m->config.norm_epsilon,
                       m->config.width, (char *)s->left + i * stride);
}

/* A few panels of gate and up at a time, so that what they give is still near when it is used. */
static void feed_forward(struct elm_session *s, const struct layer *l, uint32_t count)
{
    const struct kernel *k = &s->model->kernel;
    const size_t bytes = left_bytes(k), stride = l->down.depth * bytes;
    const uint32_t panels = l->gate_up.panels;
    for (uint32_t from = 0; from < panels; from += GATE_PANELS) {
        uint32_t some = panels - from < GATE_PANELS ? panels - from : GATE_PANELS;
        multiply(s, s->left, &l->gate_up, from, some, s->gate_up, GATE_PANELS * PANEL, count,
                 false);
        for (uint32_t i = 0; i < count; i++)
            k->gate(s->gate_up + (size_t)i * GATE_PANELS * PANEL, some / 2 * PANEL,
                    (char *)s->hidden + i * stride + from / 2 * PANEL * bytes);
    }
    multiply(s, s->hidden, &l->down, 0, l->down.panels, s->x, s->x_stride, count, true);
}

void forward(struct elm_session *s, const struct line *lines, uint32_t count)
{
    const struct elm_model *m = s->model;
    const size_t row_bytes = m->config.width * right_bytes(&m->kernel);
    ELM_ASSERT(count >= 1 && count <= s->lines_max);
    if (m->kernel.begin != NULL)
        m->kernel.begin(&s->state);
    for (uint32_t i = 0; i < count; i++) {
        ELM_ASSERT(lines[i].token < m->config.vocabulary &&
                   lines[i].position < m->config.context_max);
        m->kernel.widen((const char *)m->embedding + lines[i].token * row_bytes,
                        m->config.width, s->x + (size_t)i * s->x_stride);
    }
    attention_plan(s, lines, count);
    for (uint32_t i = 0; i < m->config.layers; i++) {
        const struct layer *l = &m->layers[i];
        norm_lines(s, l->attention_norm, count);
        multiply(s, s->left, &l->qkv, 0, l->qkv.panels, s->qkv, s->qkv_stride, count, false);
        attention(s, i, lines, count);
        multiply(s, s->attended, &l->output, 0, l->output.panels, s->x, s->x_stride, count, true);
        norm_lines(s, l->feed_norm, count);
        feed_forward(s, l, count);
    }
    if (m->kernel.end != NULL)
        m->kernel.end(&s->state);
}

/* The panels of the head that hold a token of `mask`, run by run. */
static void masked_head(struct elm_session *s, const uint8_t *mask, uint32_t count, float *logits,
                        size_t stride)
{
    const struct matrix *head = &s->model->head;
    uint32_t from = 0;
    while (from < head->panels) {
        uint32_t end = from;
        while (end < head->panels && (mask[2 * end] | mask[2 * end + 1]) != 0)
            end++;
        if (end > from)
            multiply(s, s->left, head, from, end - from, logits + (size_t)from * PANEL, stride,
                     count, false);
        from = end + 1;
    }
}

void forward_head(struct elm_session *s, const uint32_t *which, uint32_t count,
                  const uint8_t *mask, float *logits, size_t stride)
{
    const struct elm_model *m = s->model;
    const size_t bytes = m->head.depth * left_bytes(&m->kernel);
    for (uint32_t i = 0; i < count; i++)
        m->kernel.norm(s->x + (size_t)which[i] * s->x_stride, m->last_norm,
                       m->config.norm_epsilon, m->config.width, (char *)s->left + i * bytes);
    if (m->kernel.begin != NULL)
        m->kernel.begin(&s->state);
    if (mask != NULL)
        masked_head(s, mask, count, logits, stride);
    else
        multiply(s, s->left, &m->head, 0, m->head.panels, logits, stride, count, false);
    if (m->kernel.end != NULL)
        m->kernel.end(&s->state);
}

static enum elm_status check_tokens(const struct elm_session *s, const uint32_t *tokens,
                                    uint32_t count, struct elm_error *err)
{
    const struct elm_model_config *c = &s->model->config;
    if (count > c->context_max)
        return elm_fail(err, ELM_RANGE, "%u tokens, the model's context has %u", count,
                        c->context_max);
    for (uint32_t i = 0; i < count; i++) {
        if (tokens[i] >= c->vocabulary)
            return elm_fail(err, ELM_USAGE, "token %u, the model knows %u", tokens[i],
                            c->vocabulary);
    }
    return ELM_OK;
}

enum elm_status elm_session_logits(struct elm_session *s, const uint32_t *tokens, uint32_t count,
                                   float *logits, struct elm_error *err)
{
    const struct elm_model *m = s->model;
    const uint32_t vocabulary = m->config.vocabulary, padded = m->head.panels * PANEL;
    ELM_TRY(check_tokens(s, tokens, count, err));
    struct page **pages = elm_calloc(count / BLOCK + 1, sizeof(*pages));
    struct line *lines = elm_calloc(s->lines_max, sizeof(*lines));
    uint32_t *which = elm_calloc(s->rows_max, sizeof(*which));
    for (uint32_t i = 0; i <= count / BLOCK; i++)
        pages[i] = page_take(s);
    for (uint32_t from = 0; from < count; from += s->lines_max) {
        uint32_t some = count - from < s->lines_max ? count - from : s->lines_max;
        for (uint32_t i = 0; i < some; i++)
            lines[i] = (struct line){tokens[from + i], from + i, pages};
        forward(s, lines, some);
        for (uint32_t head = 0; head < some; head += s->rows_max) {
            uint32_t rows = some - head < s->rows_max ? some - head : s->rows_max;
            for (uint32_t i = 0; i < rows; i++)
                which[i] = head + i;
            forward_head(s, which, rows, NULL, s->logits, padded);
            for (uint32_t i = 0; i < rows; i++)
                memcpy(logits + (size_t)(from + head + i) * vocabulary,
                       s->logits + (size_t)i * padded, vocabulary * sizeof(float));
        }
    }
    for (uint32_t i = 0; i <= count / BLOCK; i++)
        page_drop(s, pages[i]);
    free(which);
    free(lines);
    free(pages);
    return ELM_OK;
}
