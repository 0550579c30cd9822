/*
 * muon: momentum made orthogonal (Jordan et al. 2024) for the matrices of linear layers, scaled to
 * the size of Adam's steps (Liu et al. 2025), so that both share a rate; Adam for the rest.
 */
#include "elm/matrix.h"
#include "elm/optimizer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ITERATIONS 5
#define ADAM_SIZE 0.2f           /* root of the mean square of Adam's steps */

static void product(const float *a, const float *b, bool b_turned, float *c, uint32_t m, uint32_t n,
                    uint32_t k)
{
    elm_matrix_product(&(struct elm_matrix_product){.a = a, .b = b, .c = c, .m = m, .n = n, .k = k,
                                                    .b_turned = b_turned, .rough = true});
}

/* x[rows][cols], rows <= cols, towards the nearest matrix with orthogonal rows: Newton and Schulz's
 * iteration with the coefficients of Jordan et al. */
static void orthogonal(float *x, uint32_t rows, uint32_t cols)
{
    const size_t count = (size_t)rows * cols, square = (size_t)rows * rows;
    float *a = elm_malloc(2 * square * sizeof(float)), *b = a + square;
    float *y = elm_malloc(count * sizeof(float));
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)x[i] * (double)x[i];
    const float factor = (float)(1 / (sqrt(sum) + 1e-12));
    for (size_t i = 0; i < count; i++)
        x[i] *= factor;
    for (int n = 0; n < ITERATIONS; n++) {
        product(x, x, true, a, rows, rows, cols);
        product(a, a, false, b, rows, rows, rows);
        for (size_t i = 0; i < square; i++)
            b[i] = -4.7750f * a[i] + 2.0315f * b[i];
        product(b, x, false, y, rows, cols, rows);
        for (size_t i = 0; i < count; i++)
            x[i] = 3.4445f * x[i] + y[i];
    }
    free(a);
    free(y);
}

static void turn(const float *from, uint32_t rows, uint32_t cols, float *to)
{
    for (uint32_t i = 0; i < rows; i++) {
        for (uint32_t j = 0; j < cols; j++)
            to[(size_t)j * rows + i] = from[(size_t)i * cols + j];
    }
}

static void matrix_step(const struct elm_optimizer_step *s)
{
    const struct elm_optimizer_options *o = s->options;
    const float beta = o->beta1 > 0 ? o->beta1 : 0.95f;
    const size_t count = (size_t)s->rows * s->cols;
    const bool tall = s->rows > s->cols;
    float *step = elm_malloc(2 * count * sizeof(float)), *turned = step + count;
    for (size_t i = 0; i < count; i++) {
        s->state[i] = beta * s->state[i] + (1 - beta) * s->gradient[i];
        step[i] = beta * s->state[i] + (1 - beta) * s->gradient[i];
    }
    if (tall) {
        turn(step, s->rows, s->cols, turned);
        orthogonal(turned, s->cols, s->rows);
        turn(turned, s->cols, s->rows, step);
    } else {
        orthogonal(step, s->rows, s->cols);
    }
    const float size = s->rate * ADAM_SIZE * sqrtf((float)(tall ? s->rows : s->cols));
    const float keep = 1 - s->rate * o->decay;
    for (size_t i = 0; i < count; i++)
        s->weights[i] = keep * s->weights[i] - size * step[i];
    free(step);
}

static void step(const struct elm_optimizer_step *s)
{
    if (s->matrix) {
        matrix_step(s);
        return;
    }
    /* beta1 is the momentum's: Adam has its own here */
    struct elm_optimizer_options options = {.beta2 = s->options->beta2,
                                            .epsilon = s->options->epsilon};
    struct elm_optimizer_step other = *s;
    other.options = &options;
    elm_optimizer_find("adamw")->step(&other);
}

const struct elm_optimizer_kind elm_optimizer_muon = {
    .name = "muon",
    .summary = "momentum made orthogonal for matrices, Adam for the rest",
    .slots = 2,
    .rate = 1e-3f,
    .step = step,
};
