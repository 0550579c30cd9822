/* kernel_bf16: AVX512 with products of bf16 (Zen 4, Cooper Lake, Sapphire Rapids). */
#include "model/kernel.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <math.h>
#include <string.h>

TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma")

#define LANES 16
#define NARROW_LEFT 1
#include "model/kernel_vector.h"
#include "model/kernel_rows.h"

#define TILE_ROWS 8
#define STRIP 3
#define WIDE 8
#define TILE_PANELS_MAX 8

struct tile_place {
    const uint16_t *left;
    const uint32_t *right;       /* pairs */
    float *out;
    size_t left_stride, out_stride;
    uint32_t pairs;
};

static ALWAYS_INLINE __m512bh pair_at(const uint16_t *left)
{
    int32_t pair;
    memcpy(&pair, left, sizeof(pair));
    return (__m512bh)_mm512_set1_epi32(pair);
}

/* rows x panels of the result in registers; all loops but that of depth are unrolled. */
static ALWAYS_INLINE void tile(struct tile_place at, bool add, int rows, int panels)
{
    __m512 sum[TILE_ROWS][TILE_PANELS_MAX];
    UNROLL for (int r = 0; r < rows; r++) {
        UNROLL for (int v = 0; v < panels; v++)
            sum[r][v] = add ? _mm512_loadu_ps(at.out + r * at.out_stride + v * PANEL)
                            : _mm512_setzero_ps();
    }
    for (uint32_t pair = 0; pair < at.pairs; pair++) {
        __m512bh right[TILE_PANELS_MAX];
        UNROLL for (int v = 0; v < panels; v++)
            right[v] = (__m512bh)_mm512_loadu_si512(at.right +
                                                    ((size_t)v * at.pairs + pair) * PANEL);
        UNROLL for (int r = 0; r < rows; r++) {
            __m512bh left = pair_at(at.left + r * at.left_stride + 2 * pair);
            UNROLL for (int v = 0; v < panels; v++)
                sum[r][v] = _mm512_dpbf16_ps(sum[r][v], left, right[v]);
        }
    }
    UNROLL for (int r = 0; r < rows; r++) {
        UNROLL for (int v = 0; v < panels; v++)
            _mm512_storeu_ps(at.out + r * at.out_stride + v * PANEL, sum[r][v]);
    }
}

/* All rows of a few panels. */
static ALWAYS_INLINE void strip(struct tile_place at, uint32_t rows, bool add, int panels)
{
    uint32_t row = 0;
    for (; row + TILE_ROWS <= rows; row += TILE_ROWS) {
        tile(at, add, TILE_ROWS, panels);
        at.left += TILE_ROWS * at.left_stride;
        at.out += TILE_ROWS * at.out_stride;
    }
    for (; row + 2 <= rows; row += 2) {
        tile(at, add, 2, panels);
        at.left += 2 * at.left_stride;
        at.out += 2 * at.out_stride;
    }
    if (row < rows)
        tile(at, add, 1, panels);
}

static ALWAYS_INLINE void multiply(const struct product *p, struct tile_place at, bool add)
{
    uint32_t panel = 0;
    size_t words = (size_t)p->depth / 2 * PANEL;
    at.left_stride = p->left_stride;
    at.out_stride = p->out_stride;
    at.pairs = p->depth / 2;
    /* few rows: only more columns hide the latency of a sum */
    for (; p->rows < TILE_ROWS && panel + WIDE <= p->panels; panel += WIDE) {
        struct tile_place row = at;
        for (uint32_t i = 0; i < p->rows; i++) {
            tile(row, add, 1, WIDE);
            row.left += at.left_stride;
            row.out += at.out_stride;
        }
        at.right += WIDE * words;
        at.out += WIDE * PANEL;
    }
    for (; panel + STRIP <= p->panels; panel += STRIP) {
        strip(at, p->rows, add, STRIP);
        at.right += STRIP * words;
        at.out += STRIP * PANEL;
    }
    for (; panel < p->panels; panel++) {
        strip(at, p->rows, add, 1);
        at.right += words;
        at.out += PANEL;
    }
}

static void product(struct kernel_state *s, const struct product *p)
{
    (void)s;
    const uint16_t *left = p->left;
    for (uint32_t i = 0; i < p->count; i++) {
        struct tile_place at = {.left = left + (size_t)i * p->depth, .right = p->rights[i],
                                .out = p->out};
        if (p->add || i > 0)
            multiply(p, at, true);
        else
            multiply(p, at, false);
    }
}

static void scores(struct kernel_state *s, const struct product *p)
{
    (void)s;
    for (uint32_t i = 0; i < p->count; i++) {
        struct tile_place at = {.left = p->left, .right = p->rights[i],
                                .out = p->out + (size_t)i * p->panels * PANEL};
        multiply(p, at, false);
    }
}

TARGET_END

bool kernel_bf16_fill(struct kernel *k)
{
    if (!k->narrow_right || !__builtin_cpu_supports("avx512bf16"))
        return false;
    k->name = "avx512-bf16";
    k->narrow_left = true;
    fill_rows(k);
    k->product = product;
    k->mix = product;
    k->scores = scores;
    return true;
}

#else

bool kernel_bf16_fill(struct kernel *k)
{
    (void)k;
    return false;
}

#endif
