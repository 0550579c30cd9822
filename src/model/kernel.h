/*
 * kernel: the inner loops of a model: products, norms, the softmax of attention, the drawing of a
 * token. One table of functions for each instruction set; a model takes one when it is opened.
 *
 * Whatever the table, a number of a row is a sum whose order is set by the row alone: neither by how
 * many rows there are, nor by whether they share a beginning.
 */
#ifndef MODEL_KERNEL_H
#define MODEL_KERNEL_H

#include "elm/model.h"

#define ALWAYS_INLINE inline __attribute__((always_inline))
#define MODEL_PRAGMA(text) _Pragma(#text)
/* Between the two, functions are compiled for an instruction set that the build may not assume. */
#if defined(__clang__)
#define TARGET_BEGIN(list) \
    MODEL_PRAGMA(clang attribute push(__attribute__((target(list))), apply_to = function))
#define TARGET_END MODEL_PRAGMA(clang attribute pop)
#define UNROLL
#else
#define TARGET_BEGIN(list) MODEL_PRAGMA(GCC push_options) MODEL_PRAGMA(GCC target(list))
#define TARGET_END MODEL_PRAGMA(GCC pop_options)
#define UNROLL MODEL_PRAGMA(GCC unroll 16)
#endif

#define PANEL 16         /* columns of a product that lie side by side */
#define DEPTH_UNIT 32    /* depths are padded with zeros to a multiple of it */
#define BLOCK 32         /* positions of a block of keys and values; a depth and two panels */

/* The right side of a product, in panels of 16 columns, zeros where there is no column or depth.
 * f32: [panel][depth][16]; bf16: [panel][depth / 2][16][2]. */
struct matrix {
    void *data;
    uint32_t columns, panels;
    uint32_t inner, depth;       /* as in the file, and padded */
};

/* Where a thread keeps what its processor remembers between two calls. */
struct kernel_state {
    uint32_t tiles;              /* AMX: the tile shapes in force, 0 none */
};

/* out[m][..] = left[m][depth] * right, or += with `add`. With several rights, `product` and `mix`
 * go on along the depth, `scores` along the columns. */
struct product {
    const void *left;            /* float, or uint16_t (bf16) where the table says so */
    const void *const *rights;
    float *out;
    size_t left_stride, out_stride;    /* elements */
    uint32_t count;              /* of rights */
    uint32_t rows, panels, depth;      /* panels and depth of one right */
    bool add;
};

/* One key and one value at one position of a block of each. */
struct keeping {
    const float *key, *value;    /* [width] */
    void *keys, *values;         /* blocks */
    uint32_t width, depth, slot; /* depth: of a key, padded */
};

struct drawing {
    float *logits;               /* [count], room to a multiple of 16 */
    const uint8_t *mask;         /* a bit per token, padded to 64 bytes; NULL: all */
    uint32_t count;
    float temperature;
    double unit;                 /* [0, 1): which one */
    float *sums;                 /* scratch, count / 256 + 1 */
};

struct kernel {
    const char *name;
    bool narrow_left;            /* left sides are bf16 */
    bool narrow_right;           /* weights, keys and values are bf16 */
    void (*begin)(struct kernel_state *s);    /* around a run of calls on one thread; nullable */
    void (*end)(struct kernel_state *s);
    void (*product)(struct kernel_state *s, const struct product *p);
    void (*scores)(struct kernel_state *s, const struct product *p);
    void (*mix)(struct kernel_state *s, const struct product *p);
    /* left = x times weight over the root of the mean square. */
    void (*norm)(const float *x, const float *weight, float epsilon, uint32_t width, void *left);
    /* left = silu(gate) * up; gate and up alternate in panels of 16: [count / 16][2][16]. */
    void (*gate)(const float *gate_up, uint32_t count, void *left);
    /* Turns pairs (2i, 2i+1) of `heads` heads by the angles of one position: turns[2][width], the
     * cosines and the sines, each twice, the first of two sines negative. */
    void (*turn)(float *x, const float *turns, uint32_t width, uint32_t heads);
    void (*narrow)(const float *x, float factor, uint32_t count, void *left);
    void (*widen)(const void *row, uint32_t count, float *x);    /* of the embedding */
    void (*keep)(const struct keeping *k);
    /* left[padded] = 2^(factor * (s - max)) of s[count], then zeros. Returns the sum. */
    float (*softmax)(const float *s, uint32_t count, uint32_t padded, float factor, void *left);
    /* The token drawn; its log-probability. */
    uint32_t (*draw)(const struct drawing *d, float *logprob);
};

/* Fails: ELM_USAGE where this machine has no such kernel. */
enum elm_status kernel_choose(enum elm_kernel wanted, enum elm_precision precision,
                              struct kernel *out, struct elm_error *err);
void kernel_plain_fill(struct kernel *k);
/* False: not on this machine. Each overwrites what it does better. */
bool kernel_avx2_fill(struct kernel *k);
bool kernel_avx512_fill(struct kernel *k);
bool kernel_bf16_fill(struct kernel *k);
bool kernel_amx_fill(struct kernel *k);
bool kernel_amx_granted(void);    /* asks for the tiles */

/* Bytes of an element of a right side, of a left side. */
static inline size_t right_bytes(const struct kernel *k)
{
    return k->narrow_right ? 2 : 4;
}

static inline size_t left_bytes(const struct kernel *k)
{
    return k->narrow_left ? 2 : 4;
}

static inline uint32_t round_up(uint32_t n, uint32_t unit)
{
    return (n + unit - 1) / unit * unit;
}

/* Round to nearest, ties to even; what is no number stays none. */
static inline uint16_t bf16_of(float x)
{
    union { float f; uint32_t u; } bits = {.f = x};
    if (x != x)
        return (uint16_t)(bits.u >> 16 | 0x40);
    return (uint16_t)((bits.u + 0x7fff + (bits.u >> 16 & 1)) >> 16);
}

static inline float float_of(uint16_t x)
{
    union { uint32_t u; float f; } bits = {.u = (uint32_t)x << 16};
    return bits.f;
}

#endif
