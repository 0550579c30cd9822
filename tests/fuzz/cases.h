/* cases: random inputs of an entry, and the comparison of its outputs. */
#ifndef ELM_TESTS_CASES_H
#define ELM_TESTS_CASES_H

#include "elm/code.h"

#include <math.h>
#include <string.h>

/* Random bytes of a case: small numbers mostly, the edges of int and double now and then. */
static void generate_case(uint64_t seed, const struct elm_io *io, uint8_t *in)
{
    struct elm_rng rng = elm_rng(seed, 0xca5e);
    static const double reals[] = {0.0, -0.0, 1e308, -1e-308, 2147483648.0, 0.5, -1.0, 1e17};
    static const int32_t ints[] = {INT32_MAX, INT32_MIN, -1, 0, 65536, 1};
    for (uint32_t i = 0; i < io->param_count; i++) {
        const struct elm_io_param *p = &io->params[i];
        if (p->direction == ELM_IO_OUT)
            continue;
        uint32_t n = p->dims[0] == 0 ? 1 : p->dims[0] * (p->dims[1] == 0 ? 1 : p->dims[1]);
        for (uint32_t k = 0; k < n; k++) {
            bool edge = elm_rng_below(&rng, 8) == 0;
            double d = edge ? reals[elm_rng_below(&rng, ELM_COUNT(reals))]
                            : floor(elm_rng_normal(&rng) * 800) / 16;
            int32_t x = edge ? ints[elm_rng_below(&rng, ELM_COUNT(ints))]
                             : (int32_t)elm_rng_range(&rng, -20, 20);
            if (p->type == ELM_TYPE_DOUBLE || p->type == ELM_TYPE_DOUBLE_ARRAY)
                memcpy(in + p->in_offset + 8 * k, &d, 8);
            else
                memcpy(in + p->in_offset + 4 * k, &x, 4);
        }
    }
}

/* Equal bytes, but for NaNs, which all are one. Offsets and types come from the layout of `io`. */
static bool outputs_equal(const struct elm_io *io, const uint8_t *a, const uint8_t *b)
{
    uint8_t real[ELM_PARAMS_MAX + 1];
    uint32_t at[ELM_PARAMS_MAX + 1], count[ELM_PARAMS_MAX + 1], parts = 0;
    if (io->returns != ELM_TYPE_NONE) {
        real[parts] = io->returns == ELM_TYPE_DOUBLE;
        at[parts] = 0;
        count[parts++] = 1;
    }
    for (uint32_t i = 0; i < io->param_count; i++) {
        const struct elm_io_param *p = &io->params[i];
        if (p->out_offset == UINT32_MAX)
            continue;
        real[parts] = p->type == ELM_TYPE_DOUBLE_ARRAY;
        at[parts] = p->out_offset;
        count[parts++] = p->dims[0] * (p->dims[1] == 0 ? 1 : p->dims[1]);
    }
    for (uint32_t i = 0; i < parts; i++) {
        for (uint32_t k = 0; k < count[i]; k++) {
            uint32_t bytes = real[i] ? 8 : 4, from = at[i] + bytes * k;
            double x, y;
            if (memcmp(a + from, b + from, bytes) == 0)
                continue;
            if (!real[i])
                return false;
            memcpy(&x, a + from, 8);
            memcpy(&y, b + from, 8);
            if (!isnan(x) || !isnan(y))
                return false;
        }
    }
    return true;
}

#endif
