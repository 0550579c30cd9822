/* kernel_avx512: AVX512 of the first servers that had it (F, BW, DQ, VL). */
#include "model/kernel.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <math.h>
#include <string.h>

TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")

#define LANES 16
#define TILE_ROWS 8
#define NARROW_LEFT 0
#include "model/kernel_vector.h"
#include "model/kernel_rows.h"
#include "model/kernel_products.h"

TARGET_END

bool kernel_avx512_fill(struct kernel *k)
{
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
        !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl"))
        return false;
    k->name = "avx512";
    fill_rows(k);
    fill_products(k);
    return true;
}

#else

bool kernel_avx512_fill(struct kernel *k)
{
    (void)k;
    return false;
}

#endif
