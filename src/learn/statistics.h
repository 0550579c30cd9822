/*
 * statistics: what a comparison of paired runs needs, and no more. Everything is a function of its
 * arguments: the random numbers of the bootstrap are counted, so that the same data give the same
 * intervals.
 */
#ifndef ELM_LEARN_STATISTICS_H
#define ELM_LEARN_STATISTICS_H

#include "elm/base.h"

/* Two-sided p of Wilcoxon's signed-rank test of paired differences. Zeros are left out, equal sizes
 * share their mean rank. Exact, given the ties, for up to STATISTICS_EXACT_MAX differences; beyond,
 * the normal approximation with the variance corrected for ties. NaN when all are zero.
 * Source: Wilcoxon 1945; Pratt & Gibbons 1981. */
#define STATISTICS_EXACT_MAX 50
double statistics_wilcoxon(const double *differences, uint32_t count);

/* How many differences are above, below and at zero, and the two-sided p of the sign test (exact;
 * NaN when all are zero). */
struct statistics_signs {
    uint32_t above, below, equal;
    double p;
};
struct statistics_signs statistics_signs(const double *differences, uint32_t count);

/* Holm's step-down correction in place, so that the chance of any false claim among all is kept.
 * NaNs stay and are not counted. Source: Holm 1979. */
void statistics_holm(double *p, uint32_t count);

/* The q-quantile, 0 <= q <= 1, of `count` > 0 values, between neighbours by proportion. Sorts. */
double statistics_quantile(double *values, uint32_t count, double q);

/* Resample number `resample` of a two-level bootstrap: groups are drawn with replacement, and in each
 * drawn group as many members as it has. weights[group * members + member] is how often that member
 * came; they sum to groups * members. */
void statistics_resample(uint64_t seed, uint32_t resample, uint32_t groups, uint32_t members,
                         float *weights);

#endif
