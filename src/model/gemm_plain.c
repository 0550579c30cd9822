/* gemm_plain: for every machine. */
#include "model/gemm.h"

#include <math.h>
#include <string.h>

#define LANES 4
#define TILE_ROWS 2
#define TILE_PANELS 1
#include "model/kernel_vector.h"
#include "model/gemm_wide.h"

const struct gemm_kernel gemm_plain = {
    .name = "plain", .rows = STRIP_ROWS, .depth_unit = 1, .depth_most = 256,
    .bytes = sizeof(float), .pack_left = pack_left, .pack_right = pack_right, .tile = tile,
};
