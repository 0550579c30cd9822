/* nano_rows_avx512: a vector is a register. */
#include "model/nano_rows.h"

#include <math.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>

TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,fma")

#define LANES 16
#define FMA_LANES(a, b, c) ((lanes)_mm512_fmadd_ps((__m512)(a), (__m512)(b), (__m512)(c)))
#include "model/nano_rows_vector.h"

/* sixteen relations: one permutation */
static ALWAYS_INLINE v16 bias_of(const float *bias, const uint8_t *relations)
{
    __m512i at = _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(const void *)relations));
    return (v16){{(lanes)_mm512_permutexvar_ps(at, _mm512_loadu_ps(bias))}};
}

/* Of 16 vectors, each in the order of sum16: the halves, then one after the other. */
static ALWAYS_INLINE v16 sums_of(const v16 *x)
{
    __m512 a[8], b[8];
    UNROLL
    for (int i = 0; i < 8; i++) {
        __m512 y = (__m512)x[i].part[0], z = (__m512)x[i + 8].part[0];
        a[i] = _mm512_add_ps(_mm512_shuffle_f32x4(y, z, 0x44), _mm512_shuffle_f32x4(y, z, 0xee));
    }
    UNROLL
    for (int i = 0; i < 8; i += 2) {
        b[i] = _mm512_unpacklo_ps(a[i], a[i + 1]);
        b[i + 1] = _mm512_unpackhi_ps(a[i], a[i + 1]);
    }
    /* a[4 * (i / 4) + k]: number k, and k + 4 in the next quarter, of four vectors */
    UNROLL
    for (int i = 0; i < 8; i += 4) {
        a[i] = (__m512)_mm512_unpacklo_pd((__m512d)b[i], (__m512d)b[i + 2]);
        a[i + 1] = (__m512)_mm512_unpackhi_pd((__m512d)b[i], (__m512d)b[i + 2]);
        a[i + 2] = (__m512)_mm512_unpacklo_pd((__m512d)b[i + 1], (__m512d)b[i + 3]);
        a[i + 3] = (__m512)_mm512_unpackhi_pd((__m512d)b[i + 1], (__m512d)b[i + 3]);
    }
    /* quarters: vectors 0-3 low, high, 8-11 low, high; and 4-7, 12-15 */
    __m512 sum = _mm512_setzero_ps();
    UNROLL
    for (int k = 0; k < 4; k++)
        sum = _mm512_add_ps(sum, _mm512_shuffle_f32x4(a[k], a[k + 4], 0x88));
    UNROLL
    for (int k = 0; k < 4; k++)
        sum = _mm512_add_ps(sum, _mm512_shuffle_f32x4(a[k], a[k + 4], 0xdd));
    /* quarters are vectors 0-3, 8-11, 4-7, 12-15 */
    return (v16){{(lanes)_mm512_shuffle_f32x4(sum, sum, 0xd8)}};
}

#define STRIP 8
#define STRIP_PANELS 2
#define FOUR_PANELS 4
#define ONE_PANELS 8
#define MIX_ROWS 8
#define MIX_REST 4
#include "model/nano_rows_body.h"

TARGET_END

const struct nano_rows *nano_rows_avx512(void)
{
    bool has = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    return has ? &table : NULL;
}
#else
const struct nano_rows *nano_rows_avx512(void)
{
    return NULL;
}
#endif
