/* kernel_avx2: AVX2 with FMA. */
#include "model/kernel.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <math.h>
#include <string.h>

TARGET_BEGIN("avx2,fma")

#define LANES 8
#define TILE_ROWS 6
#define NARROW_LEFT 0
#include "model/kernel_vector.h"
#include "model/kernel_rows.h"
#include "model/kernel_products.h"

TARGET_END

bool kernel_avx2_fill(struct kernel *k)
{
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
        return false;
    k->name = "avx2";
    fill_rows(k);
    fill_products(k);
    return true;
}

#else

bool kernel_avx2_fill(struct kernel *k)
{
    (void)k;
    return false;
}

#endif
