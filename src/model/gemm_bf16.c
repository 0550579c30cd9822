/* gemm_bf16: AVX512 with products of bf16. */
#include "model/gemm.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <string.h>

TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma")

#include "model/gemm_turn.h"
#include "model/gemm_narrow.h"

#define STRIP_ROWS 8

static ALWAYS_INLINE void narrow_tile(const struct gemm_tile *t, int panels)
{
    const int32_t *left = t->left;
    const char *right = t->right;
    __m512 sum[STRIP_ROWS][2];
    UNROLL for (int r = 0; r < STRIP_ROWS; r++) {
        UNROLL for (int v = 0; v < panels; v++)
            sum[r][v] = _mm512_setzero_ps();
    }
    for (uint32_t pair = 0; pair < t->depth / 2; pair++, right += 64, left += STRIP_ROWS) {
        __m512bh b[2];
        UNROLL for (int v = 0; v < panels; v++)
            b[v] = (__m512bh)_mm512_loadu_si512(right + v * t->panel_bytes);
        UNROLL for (int r = 0; r < STRIP_ROWS; r++) {
            __m512bh a = (__m512bh)_mm512_set1_epi32(left[r]);
            UNROLL for (int v = 0; v < panels; v++)
                sum[r][v] = _mm512_dpbf16_ps(sum[r][v], a, b[v]);
        }
    }
    UNROLL for (int r = 0; r < STRIP_ROWS; r++) {
        UNROLL for (int v = 0; v < panels; v++) {
            float *at = t->out + r * t->out_stride + v * PANEL;
            _mm512_storeu_ps(at, t->add ? _mm512_add_ps(_mm512_loadu_ps(at), sum[r][v])
                                        : sum[r][v]);
        }
    }
}

static void tile(const struct gemm_tile *t)
{
    if (t->panels == 2)
        narrow_tile(t, 2);
    else
        narrow_tile(t, 1);
}

static void pack_left(const struct gemm_packing *p)
{
    pack_pairs(p, STRIP_ROWS);
}

TARGET_END

const struct gemm_kernel *gemm_bf16(void)
{
    static const struct gemm_kernel kernel = {
        .name = "avx512-bf16", .rows = STRIP_ROWS, .depth_unit = 16, .depth_most = 512, .bytes = 2,
        .pack_left = pack_left, .pack_right = pack_right, .tile = tile,
    };
    return gemm_avx512() != NULL && __builtin_cpu_supports("avx512bf16") ? &kernel : NULL;
}

#else

const struct gemm_kernel *gemm_bf16(void)
{
    return NULL;
}

#endif
