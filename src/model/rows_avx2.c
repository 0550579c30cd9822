/* rows_avx2: AVX2 with FMA. */
#include "model/rows.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <math.h>
#include <string.h>

TARGET_BEGIN("avx2,fma")

#define LANES 8
#include "model/kernel_vector.h"
#include "model/rows_vector.h"

TARGET_END

const struct rows *rows_avx2(void)
{
    static const struct rows table = ROWS_TABLE;
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &table : NULL;
}

#else

const struct rows *rows_avx2(void)
{
    return NULL;
}

#endif
