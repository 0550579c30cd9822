/* nano_rows_plain: for any machine. */
#include "model/nano_rows.h"

#include <math.h>
#include <string.h>

/* vectors are passed between inlined functions only */
#pragma GCC diagnostic ignored "-Wpsabi"

#define LANES 4
#define FMA_LANES(a, b, c) ((a) * (b) + (c))
#include "model/nano_rows_vector.h"

static ALWAYS_INLINE v16 bias_of(const float *bias, const uint8_t *relations)
{
    float b[16];
    for (int k = 0; k < 16; k++)
        b[k] = bias[relations[k]];
    return get(b);
}

/* Of 16 vectors. */
static ALWAYS_INLINE v16 sums_of(const v16 *x)
{
    float sums[16];
    for (int k = 0; k < 16; k++)
        sums[k] = sum16(x[k]);
    return get(sums);
}

#define STRIP 4
#define STRIP_PANELS 1
#define FOUR_PANELS 1
#define ONE_PANELS 2
#define MIX_ROWS 1
#define MIX_REST 1
#include "model/nano_rows_body.h"

const struct nano_rows *nano_rows_plain(void)
{
    return &table;
}
