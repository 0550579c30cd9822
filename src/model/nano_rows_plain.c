/* nano_rows_plain: for any machine. */
#include "model/nano_rows.h"

#include <math.h>
#include <string.h>

/* vectors are passed between inlined functions only */
#pragma GCC diagnostic ignored "-Wpsabi"

#define FMA(a, b, c) ((a) * (b) + (c))
#define BIAS(bias, relations) bias_of(bias, relations)

typedef float bias16 __attribute__((vector_size(64)));
static ALWAYS_INLINE bias16 bias_of(const float *bias, const uint8_t *relations)
{
    bias16 b = {0};
    for (int k = 0; k < 16; k++)
        b[k] = bias[relations[k]];
    return b;
}

#include "model/nano_rows_body.h"

const struct nano_rows *nano_rows_plain(void)
{
    return &table;
}
