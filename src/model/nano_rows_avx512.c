/* nano_rows_avx512: a vector is a register. */
#include "model/nano_rows.h"

#include <math.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>

TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,fma")

#define FMA(a, b, c) ((v16)_mm512_fmadd_ps((__m512)(a), (__m512)(b), (__m512)(c)))
/* sixteen relations: one permutation */
#define BIAS(bias, relations)                                                                    \
    ((v16)_mm512_permutexvar_ps(                                                                 \
        _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(const void *)(relations))),       \
        _mm512_loadu_ps(bias)))

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
