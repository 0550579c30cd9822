/* statistics: against published values, and against counting all cases. */
#include "learn/statistics.h"

#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Darwin's maize, crossed minus self-fertilised, in eighths of an inch: W = 24, p = 0.041259765625. */
static const double darwin[] = {49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48};

static void wilcoxon_of_darwins_maize(void **state)
{
    (void)state;
    assert_float_equal(statistics_wilcoxon(darwin, ELM_COUNT(darwin)), 0.041259765625, 1e-12);
    double few[] = {1, 2, 3, 4, 5};
    assert_float_equal(statistics_wilcoxon(few, 5), 2.0 / 32, 1e-12);
    assert_float_equal(statistics_wilcoxon(few, 1), 1, 1e-12);
}

static double rank_of(const double *d, uint32_t count, uint32_t i)
{
    double below = 0, equal = 0;
    for (uint32_t k = 0; k < count; k++) {
        below += fabs(d[k]) < fabs(d[i]);
        equal += fabs(d[k]) == fabs(d[i]);
    }
    return below + (equal + 1) / 2;
}

/* Share of all 2^n signs whose sum of ranks is at least as far from the mean as this one. */
static double by_counting(const double *d, uint32_t count)
{
    double ranks[16], total = 0, w = 0;
    uint32_t far = 0;
    for (uint32_t i = 0; i < count; i++) {
        ranks[i] = rank_of(d, count, i);
        total += ranks[i];
        w += d[i] > 0 ? ranks[i] : 0;
    }
    for (uint32_t signs = 0; signs < 1u << count; signs++) {
        double sum = 0;
        for (uint32_t i = 0; i < count; i++)
            sum += signs >> i & 1 ? ranks[i] : 0;
        far += fabs(sum - total / 2) >= fabs(w - total / 2) - 1e-9;
    }
    return (double)far / (1u << count);
}

static void wilcoxon_with_ties_equals_counting(void **state)
{
    (void)state;
    struct elm_rng rng = elm_rng(3, 0);
    for (int round = 0; round < 200; round++) {
        double d[12], zeros[16];
        uint32_t n = 1 + elm_rng_below(&rng, 12);
        for (uint32_t i = 0; i < n; i++) {
            d[i] = elm_rng_chance(&rng, 0.5) ? 1 : -1;
            d[i] *= 1 + elm_rng_below(&rng, 5);
        }
        assert_float_equal(statistics_wilcoxon(d, n), by_counting(d, n), 1e-9);
        /* zeros change nothing */
        memcpy(zeros, d, n * sizeof(d[0]));
        memset(zeros + n, 0, 4 * sizeof(d[0]));
        assert_float_equal(statistics_wilcoxon(zeros, n + 4), statistics_wilcoxon(d, n), 1e-12);
    }
    double none[3] = {0};
    assert_true(isnan(statistics_wilcoxon(none, 3)));
    assert_true(isnan(statistics_wilcoxon(none, 0)));
}

/* The approximation takes over where the exact test ends, and is right on average: under no
 * difference p is uniform. */
static void wilcoxon_of_many(void **state)
{
    (void)state;
    struct elm_rng rng = elm_rng(5, 0);
    uint32_t below_5 = 0, below_50 = 0;
    for (int round = 0; round < 2000; round++) {
        double d[80];
        for (uint32_t i = 0; i < 80; i++)
            d[i] = round % 2 ? elm_rng_normal(&rng) : (double)elm_rng_range(&rng, -3, 3);
        double p = statistics_wilcoxon(d, 80);
        below_5 += p < 0.05;
        below_50 += p < 0.5;
    }
    assert_in_range(below_5, 70, 130);
    assert_in_range(below_50, 930, 1070);
    /* 60 of one sign, no ties: z = sqrt(1830^2 / (4 * 18452.5)) */
    double rising[60];
    for (uint32_t i = 0; i < 60; i++)
        rising[i] = i + 1;
    double z = 915 / sqrt(60.0 * 61 * 121 / 24);
    assert_float_equal(statistics_wilcoxon(rising, 60) / erfc(z / sqrt(2)), 1, 1e-9);
}

static void signs(void **state)
{
    (void)state;
    struct statistics_signs s = statistics_signs(darwin, ELM_COUNT(darwin));
    assert_int_equal(s.above, 13);
    assert_int_equal(s.below, 2);
    /* 2 (1 + 15 + 105) / 2^15 */
    assert_float_equal(s.p, 242.0 / 32768, 1e-12);
    double even[] = {1, -1, 0, 0};
    s = statistics_signs(even, 4);
    assert_int_equal(s.equal, 2);
    assert_float_equal(s.p, 1, 1e-12);
    assert_true(isnan(statistics_signs(even + 2, 2).p));
    double many[4000];
    for (uint32_t i = 0; i < 4000; i++)
        many[i] = i < 2100 ? 1 : -1;
    /* z = 99.5 / sqrt(1000) with the half that the discrete sum has */
    assert_float_equal(statistics_signs(many, 4000).p, erfc(99.5 / sqrt(1000) / sqrt(2)), 2e-5);
}

static void holm(void **state)
{
    (void)state;
    double p[] = {0.01, 0.04, NAN, 0.03, 0.005}, wanted[] = {0.03, 0.06, NAN, 0.06, 0.02};
    statistics_holm(p, 5);
    for (int i = 0; i < 5; i++)
        assert_true(isnan(wanted[i]) ? isnan(p[i]) : fabs(p[i] - wanted[i]) < 1e-12);
    double large[] = {0.9, 0.8};
    statistics_holm(large, 2);
    assert_float_equal(large[0], 1, 0);
    assert_float_equal(large[1], 1, 0);
}

static void quantiles(void **state)
{
    (void)state;
    double v[] = {4, 1, 3, 2, 5};
    assert_float_equal(statistics_quantile(v, 5, 0), 1, 0);
    assert_float_equal(statistics_quantile(v, 5, 0.5), 3, 0);
    assert_float_equal(statistics_quantile(v, 5, 0.9), 4.6, 1e-12);
    assert_float_equal(statistics_quantile(v, 5, 1), 5, 0);
    assert_float_equal(statistics_quantile(v, 1, 0.3), 1, 0);
}

/* The spread of resampled means is what two levels of variance give. */
static void resamples(void **state)
{
    (void)state;
    enum { GROUPS = 40, MEMBERS = 5, RESAMPLES = 4000 };
    static float weights[GROUPS * MEMBERS], again[GROUPS * MEMBERS];
    static double x[GROUPS * MEMBERS];
    struct elm_rng rng = elm_rng(9, 0);
    double between = 0, within = 0, grand = 0;
    for (int g = 0; g < GROUPS; g++) {
        double of = elm_rng_normal(&rng);
        for (int m = 0; m < MEMBERS; m++)
            grand += x[g * MEMBERS + m] = of + elm_rng_normal(&rng);
    }
    grand /= GROUPS * MEMBERS;
    for (int g = 0; g < GROUPS; g++) {
        double mean = 0;
        for (int m = 0; m < MEMBERS; m++)
            mean += x[g * MEMBERS + m] / MEMBERS;
        between += (mean - grand) * (mean - grand) / GROUPS;
        for (int m = 0; m < MEMBERS; m++)
            within += pow(x[g * MEMBERS + m] - mean, 2) / (GROUPS * MEMBERS);
    }
    double sum = 0, squares = 0;
    for (uint32_t r = 0; r < RESAMPLES; r++) {
        double mean = 0, total = 0;
        statistics_resample(1, r, GROUPS, MEMBERS, weights);
        for (int i = 0; i < GROUPS * MEMBERS; i++) {
            total += weights[i];
            mean += weights[i] * x[i] / (GROUPS * MEMBERS);
        }
        assert_float_equal(total, GROUPS * MEMBERS, 0);
        sum += mean;
        squares += mean * mean;
    }
    double mean = sum / RESAMPLES, variance = squares / RESAMPLES - mean * mean;
    assert_float_equal(mean, grand, 0.02);
    assert_float_equal(variance / ((between + within / MEMBERS) / GROUPS), 1, 0.1);
    statistics_resample(1, 7, GROUPS, MEMBERS, weights);
    statistics_resample(1, 7, GROUPS, MEMBERS, again);
    assert_memory_equal(weights, again, sizeof(weights));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wilcoxon_of_darwins_maize), cmocka_unit_test(wilcoxon_with_ties_equals_counting),
        cmocka_unit_test(wilcoxon_of_many),          cmocka_unit_test(signs),
        cmocka_unit_test(holm),                      cmocka_unit_test(quantiles),
        cmocka_unit_test(resamples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
