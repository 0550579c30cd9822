/* rows_avx512: AVX512. */
#include "model/rows.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <math.h>
#include <string.h>

TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")

#define LANES 16
#include "model/kernel_vector.h"
#include "model/rows_vector.h"

TARGET_END

const struct rows *rows_avx512(void)
{
    static const struct rows table = ROWS_TABLE;
    bool here = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    return here ? &table : NULL;
}

#else

const struct rows *rows_avx512(void)
{
    return NULL;
}

#endif
