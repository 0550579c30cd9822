/* nano_rows_avx2: AVX2 with FMA; the same bits as AVX512. */
#include "model/nano_rows.h"

#include <math.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>

/* vectors are passed between inlined functions only */
#pragma GCC diagnostic ignored "-Wpsabi"

TARGET_BEGIN("avx2,fma")

#define LANES 8
#define FMA_LANES(a, b, c) ((lanes)_mm256_fmadd_ps((__m256)(a), (__m256)(b), (__m256)(c)))
#include "model/nano_rows_vector.h"

/* eight relations: one permutation of either half */
static ALWAYS_INLINE lanes bias_lanes(const float *bias, const uint8_t *relations)
{
    __m256i at = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)relations));
    __m256 low = _mm256_permutevar8x32_ps(_mm256_loadu_ps(bias), at);
    __m256 high = _mm256_permutevar8x32_ps(_mm256_loadu_ps(bias + 8), at);
    return (lanes)_mm256_blendv_ps(low, high, (__m256)_mm256_slli_epi32(at, 28));
}

static ALWAYS_INLINE v16 bias_of(const float *bias, const uint8_t *relations)
{
    return (v16){{bias_lanes(bias, relations), bias_lanes(bias, relations + 8)}};
}

/* Of 8 vectors, each in the order of sum16: the halves, then one after the other. */
static ALWAYS_INLINE lanes sums_lanes(const v16 *x)
{
    __m256 a[8], b[8];
    UNROLL
    for (int i = 0; i < 4; i++) {
        /* vectors i and i + 4: what is low of both, what is high */
        __m256 y = (__m256)(x[i].part[0] + x[i].part[1]), z = (__m256)(x[i + 4].part[0] + x[i + 4].part[1]);
        a[i] = _mm256_permute2f128_ps(y, z, 0x20);
        a[i + 4] = _mm256_permute2f128_ps(y, z, 0x31);
    }
    UNROLL
    for (int i = 0; i < 8; i += 4) {
        b[i] = _mm256_unpacklo_ps(a[i], a[i + 1]);
        b[i + 1] = _mm256_unpackhi_ps(a[i], a[i + 1]);
        b[i + 2] = _mm256_unpacklo_ps(a[i + 2], a[i + 3]);
        b[i + 3] = _mm256_unpackhi_ps(a[i + 2], a[i + 3]);
        a[i] = (__m256)_mm256_unpacklo_pd((__m256d)b[i], (__m256d)b[i + 2]);
        a[i + 1] = (__m256)_mm256_unpackhi_pd((__m256d)b[i], (__m256d)b[i + 2]);
        a[i + 2] = (__m256)_mm256_unpacklo_pd((__m256d)b[i + 1], (__m256d)b[i + 3]);
        a[i + 3] = (__m256)_mm256_unpackhi_pd((__m256d)b[i + 1], (__m256d)b[i + 3]);
    }
    __m256 sum = _mm256_setzero_ps();
    UNROLL
    for (int k = 0; k < 8; k++)
        sum = _mm256_add_ps(sum, a[k]);
    return (lanes)sum;
}

static ALWAYS_INLINE v16 sums_of(const v16 *x)
{
    return (v16){{sums_lanes(x), sums_lanes(x + 8)}};
}

#define STRIP 6
#define STRIP_PANELS 1
#define FOUR_PANELS 1
#define ONE_PANELS 4
#define MIX_ROWS 3
#define MIX_REST 2
#include "model/nano_rows_body.h"

TARGET_END

const struct nano_rows *nano_rows_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &table : NULL;
}
#else
const struct nano_rows *nano_rows_avx2(void)
{
    return NULL;
}
#endif
