/* gemm_avx512: AVX512. */
#include "model/gemm.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <math.h>
#include <string.h>

TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")

#define LANES 16
#define TILE_ROWS 8
#define TILE_PANELS 2
#include "model/kernel_vector.h"
#include "model/gemm_turn.h"
#include "model/gemm_wide.h"

TARGET_END

const struct gemm_kernel *gemm_avx512(void)
{
    static const struct gemm_kernel kernel = {
        .name = "avx512", .rows = STRIP_ROWS, .depth_unit = 1, .depth_most = 256,
        .bytes = sizeof(float), .pack_left = pack_left, .pack_right = pack_right, .tile = tile,
    };
    bool here = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    return here ? &kernel : NULL;
}

#else

const struct gemm_kernel *gemm_avx512(void)
{
    return NULL;
}

#endif
