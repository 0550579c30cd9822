/* gemm_avx2: AVX2 with FMA. */
#include "model/gemm.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <math.h>
#include <string.h>

TARGET_BEGIN("avx2,fma")

#define LANES 8
#define TILE_ROWS 4
#define TILE_PANELS 1
#include "model/kernel_vector.h"
#include "model/gemm_turn.h"
#include "model/gemm_wide.h"

TARGET_END

const struct gemm_kernel *gemm_avx2(void)
{
    static const struct gemm_kernel kernel = {
        .name = "avx2", .rows = STRIP_ROWS, .depth_unit = 1, .depth_most = 256,
        .bytes = sizeof(float), .pack_left = pack_left, .pack_right = pack_right, .tile = tile,
    };
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &kernel : NULL;
}

#else

const struct gemm_kernel *gemm_avx2(void)
{
    return NULL;
}

#endif
