/*
 * gemm: products of matrices for training: f32 in memory, bf16 inside where that is allowed.
 *
 *     C[m][n] = beta * C + A[m][k] * B[k][n]     either side may be stored the other way round
 *
 * One thread each; threads are the caller's. A number of C is a sum whose order is set by k and the
 * kernel alone, not by m, n or the strides.
 */
#ifndef MODEL_GEMM_H
#define MODEL_GEMM_H

#include "model/kernel.h"

struct gemm {
    const float *a, *b;
    float *c;                    /* overlaps neither side */
    uint32_t m, n, k;
    size_t a_stride, b_stride, c_stride;    /* elements from row to row, as stored */
    bool a_turned;               /* A is stored as [k][m] */
    bool b_turned;               /* B is stored as [n][k]: a layer's weights */
    float beta;                  /* 0: C is not read */
};

struct gemm_thread;              /* one thread's kernels and memory */
/* kernel: AUTO takes the fastest there is, or the fastest up to the one named. Fails: ELM_USAGE where
 * this machine has no such kernel. */
enum elm_status gemm_thread_new(enum elm_kernel kernel, struct gemm_thread **out,
                                struct elm_error *err);
void gemm_thread_free(struct gemm_thread *t);
/* ELM_BF16 allows rounding both sides to bf16 (sums stay f32); where that is no faster here it is not
 * done. */
void gemm(struct gemm_thread *t, enum elm_precision precision, const struct gemm *g);
/* "avx512", "amx": what a precision gets. */
const char *gemm_kernel_name(const struct gemm_thread *t, enum elm_precision precision);

/* ---- kernels ---- */

#define GEMM_COLUMNS 32          /* of a tile: two panels */
#define GEMM_ROWS_MAX 32

/* Lines of one side, copied so that a kernel reads them one after the other. */
struct gemm_packing {
    const float *from;           /* element (line, depth) is from[line * line_step + depth * step] */
    size_t line_step, step;      /* one of the two is 1 */
    uint32_t lines;              /* that there are; a strip or panel is filled up with zeros */
    uint32_t depth, padded;
    void *to;
};
/* A strip of `rows` of A times one or two panels of B. */
struct gemm_tile {
    const void *left, *right;
    size_t panel_bytes;
    float *out;
    size_t out_stride;
    uint32_t depth, panels;
    bool add;
};
struct gemm_kernel {
    const char *name;
    uint32_t rows;               /* of a strip */
    uint32_t depth_unit, depth_most;
    uint32_t bytes;              /* of a packed element */
    void (*begin)(void), (*end)(void);    /* nullable */
    void (*pack_left)(const struct gemm_packing *p);
    void (*pack_right)(const struct gemm_packing *p);
    void (*tile)(const struct gemm_tile *t);
};
extern const struct gemm_kernel gemm_plain;
/* NULL: not on this machine. */
const struct gemm_kernel *gemm_avx2(void);
const struct gemm_kernel *gemm_avx512(void);
const struct gemm_kernel *gemm_bf16(void);
const struct gemm_kernel *gemm_amx(void);

#endif
