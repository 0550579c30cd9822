/* nano_rows_plain: for any machine. */
#include "model/nano_rows.h"

#include <math.h>
#include <string.h>

/* vectors are passed between inlined functions only */
#pragma GCC diagnostic ignored "-Wpsabi"

#define FMA(a, b, c) ((a) * (b) + (c))
#define BIAS(bias, relations) bias_of(bias, relations)

typedef float bias16 __attribute__((vector_size(64)));    /* as v16 */
static ALWAYS_INLINE bias16 bias_of(const float *bias, const uint8_t *relations)
{
    bias16 b = {0};
    for (int k = 0; k < 16; k++)
        b[k] = bias[relations[k]];
    return b;
}

#define SUMS(x) sums_of(x)
static ALWAYS_INLINE bias16 sums_of(const bias16 *x)
{
    bias16 s = {0};
    for (int k = 0; k < 16; k++) {
        for (int i = 0; i < 8; i++)
            s[k] += x[k][i] + x[k][i + 8];
    }
    return s;
}

#include "model/nano_rows_body.h"

const struct nano_rows *nano_rows_plain(void)
{
    return &table;
}
