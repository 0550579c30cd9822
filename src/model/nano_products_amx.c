/*
 * nano_products_amx: products by the tiles of AMX. They multiply bf16 only, so both sides are two of those,
 * what is near and the rest: three products of tiles are a product of numbers of 16 bits of mantissa.
 */
#include "model/gemm.h"
#include "model/nano_rows.h"

#include <string.h>

#if defined(__x86_64__) && defined(__linux__)

#include <immintrin.h>

#define LINES 16
#define TILE 1024                /* bytes */
#define STEP 32                  /* of depth: a tile; the last may be half of one */
#define STEPS_MAX 8              /* at a time */
#define STRIPS_MAX 4             /* of 16 rows, at a time */

struct tile_shapes {
    uint8_t palette, start, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
};

TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma,amx-tile,amx-bf16")

/* Strips of fewer lines take less time. */
static void shape(uint32_t lines, bool half)
{
    struct tile_shapes c = {.palette = 1};
    for (int i = 0; i < 8; i++) {
        c.row_bytes[i] = half && (i == 4 || i == 5) ? 32 : 64;
        c.rows[i] = (uint8_t)(i < 6 ? lines : half ? LINES / 2 : LINES);
    }
    /* gcc 12 believes that the instruction reads eight bytes */
    __asm__ volatile("ldtilecfg %0" : : "m"(c));
}

static ALWAYS_INLINE __m512 widen(__m256i bf16)
{
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bf16), 16));
}

/* 32 numbers as bf16, and what that leaves. */
static ALWAYS_INLINE void split(__m512 a, __m512 b, void *near, void *rest)
{
    __m512i both = (__m512i)_mm512_cvtne2ps_pbh(b, a);
    a = _mm512_sub_ps(a, widen(_mm512_castsi512_si256(both)));
    b = _mm512_sub_ps(b, widen(_mm512_extracti64x4_epi64(both, 1)));
    _mm512_store_si512(near, both);
    _mm512_store_si512(rest, (__m512i)_mm512_cvtne2ps_pbh(b, a));
}

/* Panels of 16 columns: tiles of what is near, [depth / 2][16][2], then those of the rest. */
static void pack(const float *weights, uint32_t rows, uint32_t cols, float *panels)
{
    const __m512i pairs = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const __m512i others = _mm512_add_epi32(pairs, _mm512_set1_epi32(8));
    for (uint32_t r = 0; r < rows; r += LINES) {
        char *to = (char *)(panels + (size_t)r * cols);
        for (uint32_t k = 0; k < cols; k += 2, to += 64) {
            _Alignas(64) float even[LINES], odd[LINES];
            for (uint32_t i = 0; i < LINES; i++) {
                even[i] = weights[(size_t)(r + i) * cols + k];
                odd[i] = weights[(size_t)(r + i) * cols + k + 1];
            }
            __m512 x = _mm512_load_ps(even), y = _mm512_load_ps(odd);
            split(_mm512_permutex2var_ps(x, pairs, y), _mm512_permutex2var_ps(x, others, y), to,
                  to + (size_t)cols * 32);
        }
    }
}

/* Some of the rows and of the depth. */
struct piece {
    const struct nano_product *p;
    uint32_t row, lines, strips;         /* lines of a strip; the last may have fewer */
    uint32_t depth, steps;
    bool half;                           /* the one step is of half the depth */
};

/* Strips: [strip][near, rest][step] tiles; lines without a row are zeros. */
static void turn_left(const struct piece *q, char *to)
{
    const struct nano_product *p = q->p;
    for (uint32_t i = 0; i < q->strips * q->lines; i++) {
        char *near = to + (size_t)(i / q->lines) * 2 * q->steps * TILE + i % q->lines * 64;
        char *rest = near + (size_t)q->steps * TILE;
        const float *from = p->left + (size_t)(q->row + i) * p->left_stride + q->depth;
        bool there = q->row + i < p->rows, both = there && !q->half;
        for (uint32_t k = 0; k < q->steps; k++, from += STEP, near += TILE, rest += TILE)
            split(there ? _mm512_loadu_ps(from) : _mm512_setzero_ps(),
                  both ? _mm512_loadu_ps(from + LINES) : _mm512_setzero_ps(), near, rest);
    }
}

/* Two panels of one strip: no product waits for the one before it. */
#define TIMES(c, d)                                    \
    do {                                               \
        _tile_loadd(6, panel + (c) * wide, 64);        \
        _tile_loadd(7, panel + (d) * wide, 64);        \
        _tile_dpbf16ps(c, 4, 6);                       \
        _tile_dpbf16ps(d, 4, 7);                       \
        _tile_dpbf16ps(c, 5, 6);                       \
        _tile_dpbf16ps(d, 5, 7);                       \
        _tile_loadd(6, panel + (c) * wide + rest, 64); \
        _tile_loadd(7, panel + (d) * wide + rest, 64); \
        _tile_dpbf16ps(c, 4, 6);                       \
        _tile_dpbf16ps(d, 4, 7);                       \
    } while (0)

/* Tiles 0-3 hold the result, 4 and 5 the left side, 6 and 7 a panel. */
static void four_panels(const char *left, uint32_t steps, const char *panel, size_t wide,
                        size_t rest, bool add, float *out, size_t bytes)
{
    if (add) {
        _tile_loadd(0, out, bytes);
        _tile_loadd(1, out + 16, bytes);
        _tile_loadd(2, out + 32, bytes);
        _tile_loadd(3, out + 48, bytes);
    } else {
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
    }
    for (uint32_t k = 0; k < steps; k++, left += TILE, panel += TILE) {
        _tile_loadd(4, left, 64);
        _tile_loadd(5, left + (size_t)steps * TILE, 64);
        TIMES(0, 1);
        TIMES(2, 3);
    }
    _tile_stored(0, out, bytes);
    _tile_stored(1, out + 16, bytes);
    _tile_stored(2, out + 32, bytes);
    _tile_stored(3, out + 48, bytes);
}

static void one_panel(const char *left, uint32_t steps, const char *panel, size_t rest, bool add,
                      float *out, size_t bytes)
{
    if (add)
        _tile_loadd(0, out, bytes);
    else
        _tile_zero(0);
    for (uint32_t k = 0; k < steps; k++, left += TILE, panel += TILE) {
        _tile_loadd(4, left, 64);
        _tile_loadd(5, left + (size_t)steps * TILE, 64);
        _tile_loadd(6, panel, 64);
        _tile_loadd(7, panel + rest, 64);
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(0, 5, 6);
        _tile_dpbf16ps(0, 4, 7);
    }
    _tile_stored(0, out, bytes);
}

/* Times all panels, one after the other: a panel's tiles stay near. */
static void product_piece(const struct piece *q)
{
    _Alignas(64) char left[STRIPS_MAX * 2 * STEPS_MAX * TILE];
    const struct nano_product *p = q->p;
    const size_t wide = (size_t)p->depth * 64, rest = wide / 2, bytes = p->out_stride * 4;
    const bool add = p->add || q->depth > 0;
    turn_left(q, left);
    uint32_t panels;
    for (uint32_t j = 0; j < p->columns; j += panels * 16) {
        const char *panel = (const char *)p->panels + j / 16 * wide + q->depth / STEP * TILE;
        float *out = p->out + q->row * p->out_stride + j;
        panels = p->columns - j < 64 ? 1 : 4;
        for (uint32_t i = 0; i < q->strips; i++, out += q->lines * p->out_stride) {
            const char *lines = left + (size_t)i * 2 * q->steps * TILE;
            if (panels == 4)
                four_panels(lines, q->steps, panel, wide, rest, add, out, bytes);
            else
                one_panel(lines, q->steps, panel, rest, add, out, bytes);
        }
    }
}

static void product(const struct nano_product *p)
{
    struct piece q = {.p = p};
    for (uint32_t rows; q.row < p->rows; q.row += rows) {
        rows = p->rows - q.row < STRIPS_MAX * LINES ? p->rows - q.row : STRIPS_MAX * LINES;
        q.strips = 1 + (rows - 1) / LINES;
        q.lines = (rows + q.strips - 1) / q.strips;
        for (q.depth = 0; q.depth < p->depth; q.depth += q.steps * STEP) {
            q.steps = (p->depth - q.depth) / STEP;
            q.steps = q.steps < STEPS_MAX ? q.steps : STEPS_MAX;
            q.half = q.steps == 0;
            q.steps += q.half;
            shape(q.lines, q.half);
            product_piece(&q);
        }
    }
    _tile_release();
}

TARGET_END

const struct nano_products *nano_products_amx(void)
{
    static const struct nano_products products = {pack, product};
    return gemm_bf16() != NULL && kernel_amx_granted() ? &products : NULL;
}

#else

const struct nano_products *nano_products_amx(void)
{
    return NULL;
}

#endif
