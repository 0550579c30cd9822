/*
 * rows: what training does to single rows between two products, forward and backward. f32 throughout;
 * one table for each instruction set.
 */
#ifndef MODEL_ROWS_H
#define MODEL_ROWS_H

#include "model/kernel.h"

struct rows {
    /* out = x * weight / root of the mean square; returns 1 / root. */
    float (*norm)(const float *x, const float *weight, float epsilon, uint32_t width, float *out);
    /* dx += the gradient of `norm`; factor: what it returned. */
    void (*norm_back)(const float *dout, const float *x, const float *weight, float factor,
                      uint32_t width, float *dx);
    /* dweight += factor * dout * x */
    void (*norm_weight)(const float *dout, const float *x, float factor, uint32_t width,
                        float *dweight);
    /* out = silu(gate) * up */
    void (*gate)(const float *gate, const float *up, uint32_t count, float *out);
    void (*gate_back)(const float *gate, const float *up, const float *dout, uint32_t count,
                      float *dgate, float *dup);
    /* Pairs (2i, 2i+1) by the angles of a position: turns[2][width] as in struct kernel. sign -1: back. */
    void (*turn)(float *x, const float *turns, uint32_t width, uint32_t heads, float sign);
    /* s = softmax(factor * s[count]), then zeros. */
    void (*softmax)(float *s, uint32_t count, uint32_t padded, float factor);
    /* dp = factor * p * (dp - sum of p * dp), then zeros. */
    void (*softmax_back)(const float *p, float *dp, uint32_t count, uint32_t padded, float factor);
    /* Returns the logarithm of the sum of e^x; x = e^x over the sum. */
    double (*shares)(float *x, uint32_t count);
    void (*scale)(float *x, uint32_t count, float factor);
};
/* The fastest there is, up to the one named. */
const struct rows *rows_choose(enum elm_kernel most);
extern const struct rows rows_plain;
const struct rows *rows_avx2(void);     /* NULL: not on this machine */
const struct rows *rows_avx512(void);

#endif
