/*
 * judge_formula: how inputs are drawn and outputs scored where a reference is the judge. Part of elm,
 * for tasks in memory, and of every judge that elm writes itself (judge_reference.c): so both give the
 * same bits.
 */
#ifndef ELM_SANDBOX_JUDGE_FORMULA_H
#define ELM_SANDBOX_JUDGE_FORMULA_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#define FORMULA_CLOSE 1e-9       /* of doubles, relative to 1 + |wanted| */
#define FORMULA_WRONG 0.45       /* most that a wrong case is worth */
#define FORMULA_BITS 12          /* errors of more bits are worth nothing */

/* Numbers of a case that lie together: a scalar or an array. */
struct formula_slot {
    const char *name;
    uint32_t offset, count;
    int real, array;             /* real: doubles, else ints */
    double lo, hi;               /* of inputs: the range, both ends included */
};

/* splitmix64: Steele, Lea & Flood 2014. */
static inline uint64_t formula_draw(uint64_t *s)
{
    uint64_t z = *s += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* Where the inputs of a set begin. */
static inline uint64_t formula_start(uint64_t case_seed, int set)
{
    return case_seed * 3 + (uint64_t)set;
}

static inline void formula_fill(const struct formula_slot *slots, uint32_t n, uint64_t *s,
                                uint8_t *in)
{
    for (uint32_t i = 0; i < n; i++) {
        const struct formula_slot *p = &slots[i];
        uint64_t width = (uint64_t)((int64_t)p->hi - (int64_t)p->lo) + 1;
        for (uint32_t k = 0; k < p->count; k++) {
            uint64_t z = formula_draw(s);
            double x = p->lo + (p->hi - p->lo) * ((double)(z >> 11) * 0x1p-53);
            int32_t v = (int32_t)((int64_t)p->lo + (int64_t)(z % width));
            if (p->real)
                memcpy(in + p->offset + 8 * (size_t)k, &x, 8);
            else
                memcpy(in + p->offset + 4 * (size_t)k, &v, 4);
        }
    }
}

/* 1 for the number wanted, else less, the nearer the more. */
static inline double formula_number(int real, const uint8_t *want, const uint8_t *got)
{
    uint64_t error;
    if (real) {
        double w, g;
        memcpy(&w, want, 8);
        memcpy(&g, got, 8);
        double e = fabs(g - w) / (1 + fabs(w));
        if (e <= FORMULA_CLOSE)
            return 1;
        error = e * 64 < 4096 ? (uint64_t)(e * 64) + 1 : 8192;
    } else {
        int32_t w, g;
        memcpy(&w, want, 4);
        memcpy(&g, got, 4);
        int64_t d = (int64_t)g - w;
        error = (uint64_t)(d < 0 ? -d : d);
        if (error == 0)
            return 1;
    }
    int bits = 64 - __builtin_clzll(error);
    return bits < FORMULA_BITS ? (double)(FORMULA_BITS - bits) / FORMULA_BITS : 0;
}

/* What a case is worth: 1 where every number is right. */
static inline double formula_case(const struct formula_slot *slots, uint32_t n, const uint8_t *want,
                                  const uint8_t *got)
{
    double sum = 0;
    uint32_t numbers = 0, right = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t bytes = slots[i].real ? 8 : 4;
        for (uint32_t k = 0; k < slots[i].count; k++) {
            size_t at = slots[i].offset + (size_t)k * bytes;
            double worth = formula_number(slots[i].real, want + at, got + at);
            right += worth >= 1;
            sum += worth;
            numbers++;
        }
    }
    return right == numbers ? 1 : FORMULA_WRONG * sum / numbers;
}

#endif
