/*
 * nano_rows: what is done to rows of numbers besides products: norms, attention, softmax. One table
 * for each instruction set; both are compiled from nano_rows_body.h.
 */
#ifndef MODEL_NANO_ROWS_H
#define MODEL_NANO_ROWS_H

#include "model/kernel.h"
#include "model/nano.h"

#define NANO_HEAD 16             /* width of a head: one vector */
#define NANO_GLANCES 16          /* rows that look at once, at most */

/* Attention within one sample: all rows see all of them; or, where `first` is above 0, those from it on see what
 * is before them and themselves, and the ones before are only seen. */
struct nano_attention {
    uint32_t rows, first, stride;        /* stride: rows, rounded up to 16 */
    uint32_t width;
    const float *qkv;                    /* [rows][3 * width] */
    const uint8_t *relations;            /* [rows - first][stride] */
    const float *bias;                   /* [heads][NANO_RELATIONS] */
    float *shares;                       /* [heads][rows - first][stride] */
    float *out;                          /* [rows - first][width] */
    float *scratch;                      /* [17][stride] */
    /* backward */
    const float *out_gradient;
    float *qkv_gradient;                 /* set */
    float *bias_gradient;                /* added to */
};
#define NANO_ROUND(n) (((n) + 15) / 16 * 16)

/* Attention of new rows, each over the prefix and over the steps of its own branch. */
struct nano_glance {
    uint32_t rows, prefix, stride, width;    /* rows: 1..NANO_GLANCES */
    const uint16_t *steps;               /* [rows] of its branch, the new row included: 1..NANO_STEPS_MAX */
    const float *qkv;                    /* [rows][3 * width] of the new rows */
    const float *keys;                   /* [heads][stride / 16][16][16]: panels of positions */
    const float *values;                 /* [heads][stride][16] */
    const float *past;                   /* qkv of all steps so far */
    const uint16_t *const *paths;        /* [rows][steps of the row - 1] which of them */
    const uint8_t *relations;            /* [rows][stride] to the prefix */
    const float *bias;
    float *out;                          /* [rows][width] */
    float *scratch;                      /* nano_glance_scratch of them */
};
/* Floats. */
static inline size_t nano_glance_scratch(uint32_t prefix_stride, uint32_t heads)
{
    size_t steps = NANO_ROUND(NANO_STEPS_MAX);
    return NANO_GLANCES * ((1 + heads) * steps + prefix_stride) + 32;
}
struct nano_draw {
    const float *logits;                 /* readable to a multiple of 16 */
    const uint64_t *allowed;             /* a bit each */
    uint32_t count;
    float temperature;
    uint64_t seed;                       /* of the noise of this row */
    float *logprobs, *noisy;             /* log-probability, and with Gumbel noise; of what is allowed */
};
/* A query against keys, turned: [width][stride]. */
struct nano_pointing {
    const float *query, *keys;
    uint32_t width, stride;
    float scale, *scores;                /* [stride] */
};
/* out[rows][columns] = left[rows][depth] times weights in panels of 16 columns, as `pack` lays them. */
struct nano_product {
    const float *left, *panels;
    float *out;                          /* has room for rows of 16 */
    size_t left_stride, out_stride;
    uint32_t rows, columns, depth;       /* columns and depth: of 16 */
    bool add;
};
struct nano_products {
    /* weights[rows][cols] to as many numbers: panels of 16 rows, [cols][16] each, or as the machine
     * wants them. */
    void (*pack)(const float *weights, uint32_t rows, uint32_t cols, float *panels);
    void (*product)(const struct nano_product *p);
};
const struct nano_products *nano_products_amx(void);    /* NULL: not on this machine */
struct nano_rows {
    void (*norm)(const float *x, const float *weight, uint32_t rows, uint32_t width, float *scale,
                 float *out);
    /* x_gradient is added to. */
    void (*norm_back)(const float *x, const float *weight, const float *scale,
                      const float *out_gradient, uint32_t rows, uint32_t width, float *x_gradient,
                      float *weight_gradient);
    void (*square)(const float *u, size_t count, float *a);              /* max(u, 0)^2 */
    void (*square_back)(const float *u, size_t count, float *gradient);  /* in place */
    void (*attend)(const struct nano_attention *a);
    void (*attend_back)(const struct nano_attention *a);
    void (*glance)(const struct nano_glance *g);
    /* Returns the largest of `noisy`, at most -1e30 where nothing is allowed. */
    float (*draw)(const struct nano_draw *d);
    void (*point)(const struct nano_pointing *p);
    void (*add)(float *to, const float *from, size_t count);             /* count: of 16 */
    /* Adds the rows of a table [..][width] that are named; 0 names none. */
    void (*embed)(const float *table, const uint16_t *ids, uint32_t count, uint32_t width,
                  float *row);
    const struct nano_products *products;
};
const struct nano_rows *nano_rows_plain(void);
/* NULL: not on this machine; both give the same bits */
const struct nano_rows *nano_rows_avx2(void);
const struct nano_rows *nano_rows_avx512(void);

#endif
