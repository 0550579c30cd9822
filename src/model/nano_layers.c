/* nano_layers: rows of programs and of edits through their layers, and their gradients back. */
#include "model/nano_pupil.h"

#include <string.h>

void nano_linear(struct elm_nano_pupil *p, const float *left, size_t weights, uint32_t rows, uint32_t columns,
                 uint32_t depth, bool add, float *out)
{
    if (p->packed != NULL)
        nano_multiply(p->packed, left, weights, rows, columns, depth, add, out);
    else
        nano_forward(p->gemm, p->precision, left, depth, p->net->weights + weights, rows, columns, depth, add,
                     out, columns);
}

void nano_linear_back(struct elm_nano_pupil *p, const float *a, const float *out_gradient, size_t weights,
                      float *gradient, uint32_t m, uint32_t n, uint32_t k, float beta, float *a_gradient)
{
    if (m == 0)
        return;
    gemm(p->gemm, p->precision, &(struct gemm){.a = out_gradient, .b = a, .c = gradient + weights, .m = n, .n = k,
                                               .k = m, .a_stride = n, .b_stride = k, .c_stride = k,
                                               .a_turned = true, .beta = 1});
    if (a_gradient != NULL)
        gemm(p->gemm, p->precision, &(struct gemm){.a = out_gradient, .b = p->net->weights + weights,
                                                   .c = a_gradient, .m = m, .n = k, .k = n, .a_stride = n,
                                                   .b_stride = k, .c_stride = k, .beta = beta});
}

/* ---- one layer ---- */

static void into_attention(struct elm_nano_pupil *p, struct nano_side *s, uint32_t k, float *qkv)
{
    const struct nano_layer *w = &s->stack->layers[k];
    const uint32_t d = s->stack->width;
    struct nano_kept *l = &s->kept[k];
    memcpy(l->x1, s->x, (size_t)s->rows * d * sizeof(float));
    p->rows->norm(l->x1, p->net->weights + w->norm1, s->rows, d, l->scale1, l->n1);
    nano_linear(p, l->n1, w->qkv, s->rows, 3 * d, d, false, qkv);
}

static void from_attention(struct elm_nano_pupil *p, struct nano_side *s, uint32_t k)
{
    const struct nano_layer *w = &s->stack->layers[k];
    const uint32_t d = s->stack->width, hidden = s->stack->hidden;
    struct nano_kept *l = &s->kept[k];
    nano_linear(p, l->mixed, w->out, s->rows, d, d, true, s->x);
    memcpy(l->x2, s->x, (size_t)s->rows * d * sizeof(float));
    p->rows->norm(l->x2, p->net->weights + w->norm2, s->rows, d, l->scale2, l->n2);
    nano_linear(p, l->n2, w->up, s->rows, hidden, d, false, l->up);
    p->rows->square(l->up, (size_t)s->rows * hidden, l->squared);
    nano_linear(p, l->squared, w->down, s->rows, d, hidden, true, s->x);
}

/* The gradient of what attention mixed, to g1. */
static void back_to_attention(struct elm_nano_pupil *p, struct nano_side *s, uint32_t k, float *gradient)
{
    const struct nano_layer *w = &s->stack->layers[k];
    const uint32_t d = s->stack->width, hidden = s->stack->hidden;
    struct nano_kept *l = &s->kept[k];
    nano_linear_back(p, l->squared, s->gx, w->down, gradient, s->rows, d, hidden, 0, p->g2);
    p->rows->square_back(l->up, (size_t)s->rows * hidden, p->g2);
    nano_linear_back(p, l->n2, p->g2, w->up, gradient, s->rows, hidden, d, 0, p->g1);
    p->rows->norm_back(l->x2, p->net->weights + w->norm2, l->scale2, p->g1, s->rows, d, s->gx, gradient + w->norm2);
    nano_linear_back(p, l->mixed, s->gx, w->out, gradient, s->rows, d, d, 0, p->g1);
}

static void back_from_attention(struct elm_nano_pupil *p, struct nano_side *s, uint32_t k, const float *gqkv,
                                float *gradient)
{
    const struct nano_layer *w = &s->stack->layers[k];
    const uint32_t d = s->stack->width;
    struct nano_kept *l = &s->kept[k];
    nano_linear_back(p, l->n1, gqkv, w->qkv, gradient, s->rows, 3 * d, d, 0, p->g1);
    p->rows->norm_back(l->x1, p->net->weights + w->norm1, l->scale1, p->g1, s->rows, d, s->gx, gradient + w->norm1);
}

/* ---- attention ---- */

static struct nano_attention program_attention(const struct elm_nano_pupil *p, const struct nano_span *s, uint32_t k)
{
    const struct nano_stack *stack = p->program.stack;
    const struct nano_kept *l = &p->program.kept[k];
    const size_t d = stack->width;
    return (struct nano_attention){
        .rows = s->rows, .stride = s->stride, .width = stack->width, .qkv = l->qkv + s->first * 3 * d,
        .relations = p->relations + s->relations, .bias = p->net->weights + stack->layers[k].bias,
        .shares = l->shares + s->shares, .out = l->mixed + s->first * d, .scratch = p->scratch,
        .out_gradient = p->g1 + s->first * d, .qkv_gradient = p->gqkv + s->first * 3 * d,
    };
}

static struct nano_attention step_attention(const struct elm_nano_pupil *p, const struct nano_span *s, uint32_t k)
{
    const struct nano_stack *stack = p->steps.stack;
    const struct nano_kept *l = &p->steps.kept[k];
    const size_t e = stack->width, at = (size_t)s->first + s->first_step;
    return (struct nano_attention){
        .rows = s->all, .first = s->rows, .stride = s->wide, .width = stack->width,
        .qkv = l->qkv + at * 3 * e, .relations = p->step_relations + s->step_relations,
        .bias = p->net->weights + stack->layers[k].bias, .shares = l->shares + s->step_shares,
        .out = l->mixed + s->first_step * e, .scratch = p->scratch,
        .out_gradient = p->g1 + s->first_step * e, .qkv_gradient = p->gqkv + at * 3 * e,
    };
}

/* Keys and values of programs and what steps have themselves, to one sample after the other. */
static void join_samples(struct elm_nano_pupil *p, uint32_t k)
{
    const size_t e = p->steps.stack->width;
    float *to = p->steps.kept[k].qkv;
    for (uint32_t i = 0; i < p->span_count; i++) {
        const struct nano_span *s = &p->spans[i];
        for (uint32_t r = 0; r < s->rows; r++, to += 3 * e)
            memcpy(to + e, p->prefix[k] + (s->first + r) * 2 * e, 2 * e * sizeof(float));
        memcpy(to, p->step_qkv + s->first_step * 3 * e, s->steps * 3 * e * sizeof(float));
        to += s->steps * 3 * e;
    }
}

/* And gradients back. */
static void part_samples(struct elm_nano_pupil *p)
{
    const size_t e = p->steps.stack->width;
    const float *from = p->gqkv;
    for (uint32_t i = 0; i < p->span_count; i++) {
        const struct nano_span *s = &p->spans[i];
        for (uint32_t r = 0; r < s->rows; r++, from += 3 * e)
            memcpy(p->gprefix + (s->first + r) * 2 * e, from + e, 2 * e * sizeof(float));
        memcpy(p->gstep_qkv + s->first_step * 3 * e, from, s->steps * 3 * e * sizeof(float));
        from += s->steps * 3 * e;
    }
}

/* ---- all layers ---- */

void nano_program_forward(struct elm_nano_pupil *p)
{
    const struct elm_nano *n = p->net;
    struct nano_side *side = &p->program;
    const uint32_t d = side->stack->width, e = n->steps.width;
    for (uint32_t k = 0; k < n->config.layers; k++) {
        into_attention(p, side, k, side->kept[k].qkv);
        for (uint32_t i = 0; i < p->span_count; i++) {
            struct nano_attention a = program_attention(p, &p->spans[i], k);
            p->rows->attend(&a);
        }
        from_attention(p, side, k);
    }
    p->rows->norm(side->x, n->weights + side->stack->norm, side->rows, d, side->scale, side->last);
    for (uint32_t k = 0; k < n->config.layers; k++)
        nano_linear(p, side->last, n->prefix[k], side->rows, 2 * e, d, false, p->prefix[k]);
}

void nano_steps_forward(struct elm_nano_pupil *p)
{
    const struct elm_nano *n = p->net;
    struct nano_side *side = &p->steps;
    for (uint32_t k = 0; k < n->config.layers; k++) {
        into_attention(p, side, k, p->step_qkv);
        join_samples(p, k);
        for (uint32_t i = 0; i < p->span_count; i++) {
            struct nano_attention a = step_attention(p, &p->spans[i], k);
            p->rows->attend(&a);
        }
        from_attention(p, side, k);
    }
    p->rows->norm(side->x, n->weights + side->stack->norm, side->rows, side->stack->width, side->scale, side->last);
}

/* Gradient through the last norm, to gx. */
static void last_back(struct elm_nano_pupil *p, struct nano_side *side, float *gradient)
{
    const struct nano_stack *stack = side->stack;
    memset(side->gx, 0, (size_t)side->rows * stack->width * sizeof(float));
    p->rows->norm_back(side->x, p->net->weights + stack->norm, side->scale, side->glast, side->rows, stack->width,
                       side->gx, gradient + stack->norm);
}

void nano_steps_back(struct elm_nano_pupil *p, float *gradient)
{
    const struct elm_nano *n = p->net;
    struct nano_side *side = &p->steps;
    last_back(p, side, gradient);
    for (uint32_t k = n->config.layers; k-- > 0;) {
        back_to_attention(p, side, k, gradient);
        for (uint32_t i = 0; i < p->span_count; i++) {
            struct nano_attention a = step_attention(p, &p->spans[i], k);
            a.bias_gradient = gradient + side->stack->layers[k].bias;
            p->rows->attend_back(&a);
        }
        part_samples(p);
        nano_linear_back(p, p->program.last, p->gprefix, n->prefix[k], gradient, p->program.rows,
                         2 * side->stack->width, p->program.stack->width, 1, p->program.glast);
        back_from_attention(p, side, k, p->gstep_qkv, gradient);
    }
}

void nano_program_back(struct elm_nano_pupil *p, float *gradient)
{
    struct nano_side *side = &p->program;
    last_back(p, side, gradient);
    for (uint32_t k = p->net->config.layers; k-- > 0;) {
        back_to_attention(p, side, k, gradient);
        for (uint32_t i = 0; i < p->span_count; i++) {
            struct nano_attention a = program_attention(p, &p->spans[i], k);
            a.bias_gradient = gradient + side->stack->layers[k].bias;
            p->rows->attend_back(&a);
        }
        back_from_attention(p, side, k, p->gqkv, gradient);
    }
}
