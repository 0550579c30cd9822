/* statistics: rank test, sign test, Holm's correction, quantiles, two-level bootstrap. */
#include "learn/statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int by_size(const void *a, const void *b)
{
    double x = fabs(*(const double *)a), y = fabs(*(const double *)b);
    return x < y ? -1 : x > y;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Twice the rank of each difference by size, so that a mean of ranks is whole. Returns the sum over
 * runs of equal ones of t^3 - t. */
static double double_ranks(const double *sorted, uint32_t count, uint32_t *ranks)
{
    double ties = 0;
    for (uint32_t i = 0; i < count;) {
        uint32_t end = i + 1;
        while (end < count && fabs(sorted[end]) == fabs(sorted[i]))
            end++;
        for (uint32_t k = i; k < end; k++)
            ranks[k] = i + 1 + end;
        double t = end - i;
        ties += t * t * t - t;
        i = end;
    }
    return ties;
}

/* P(sum of the positive double ranks <= w), each difference as likely above zero as below. */
static double exact_tail(const uint32_t *ranks, uint32_t count, uint64_t w)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < count; i++)
        total += ranks[i];
    double *share = elm_calloc(total + 1, sizeof(*share));
    share[0] = 1;
    uint64_t reached = 0;
    for (uint32_t i = 0; i < count; i++) {
        reached += ranks[i];
        for (uint64_t s = reached + 1; s-- > 0;)
            share[s] = (share[s] + (s >= ranks[i] ? share[s - ranks[i]] : 0)) / 2;
    }
    double tail = 0;
    for (uint64_t s = 0; s <= w; s++)
        tail += share[s];
    free(share);
    return tail;
}

static double normal_two_sided(double z)
{
    return erfc(fabs(z) / sqrt(2));
}

double statistics_wilcoxon(const double *differences, uint32_t count)
{
    double *sorted = elm_malloc((count + 1) * sizeof(*sorted));
    uint32_t *ranks = elm_malloc((count + 1) * sizeof(*ranks)), n = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (differences[i] != 0)
            sorted[n++] = differences[i];
    }
    qsort(sorted, n, sizeof(*sorted), by_size);
    double ties = double_ranks(sorted, n, ranks), p = NAN;
    uint64_t above = 0, below = 0;
    for (uint32_t i = 0; i < n; i++) {
        above += sorted[i] > 0 ? ranks[i] : 0;
        below += sorted[i] < 0 ? ranks[i] : 0;
    }
    if (n > 0 && n <= STATISTICS_EXACT_MAX) {
        p = fmin(1, 2 * exact_tail(ranks, n, above < below ? above : below));
    } else if (n > 0) {
        double m = n, mean = m * (m + 1) / 4;
        double variance = m * (m + 1) * (2 * m + 1) / 24 - ties / 48;
        p = normal_two_sided(((double)above / 2 - mean) / sqrt(variance));
    }
    free(sorted);
    free(ranks);
    return p;
}

struct statistics_signs statistics_signs(const double *differences, uint32_t count)
{
    struct statistics_signs s = {.p = NAN};
    for (uint32_t i = 0; i < count; i++) {
        s.above += differences[i] > 0;
        s.below += differences[i] < 0;
        s.equal += differences[i] == 0;
    }
    double n = s.above + s.below, tail = 0;
    uint32_t fewer = s.above < s.below ? s.above : s.below;
    if (n == 0)
        return s;
    for (uint32_t k = 0; k <= fewer; k++)
        tail += exp(lgamma(n + 1) - lgamma(k + 1.0) - lgamma(n - k + 1) - n * log(2));
    s.p = fmin(1, 2 * tail);
    return s;
}

void statistics_holm(double *p, uint32_t count)
{
    uint32_t *order = elm_malloc((count + 1) * sizeof(*order)), n = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (isnan(p[i]))
            continue;
        uint32_t at = n++;
        for (; at > 0 && p[order[at - 1]] > p[i]; at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
    double least = 0;
    for (uint32_t i = 0; i < n; i++) {
        least = fmax(least, fmin(1, p[order[i]] * (n - i)));
        p[order[i]] = least;
    }
    free(order);
}

double statistics_quantile(double *values, uint32_t count, double q)
{
    ELM_ASSERT(count > 0 && q >= 0 && q <= 1);
    qsort(values, count, sizeof(*values), by_value);
    double at = q * (count - 1);
    uint32_t low = (uint32_t)at, high = low + 1 < count ? low + 1 : low;
    return values[low] + (at - low) * (values[high] - values[low]);
}

void statistics_resample(uint64_t seed, uint32_t resample, uint32_t groups, uint32_t members,
                         float *weights)
{
    struct elm_rng rng = elm_rng(seed, resample);
    memset(weights, 0, (size_t)groups * members * sizeof(*weights));
    for (uint32_t g = 0; g < groups; g++) {
        float *of = weights + (size_t)elm_rng_below(&rng, groups) * members;
        for (uint32_t m = 0; m < members; m++)
            of[members == 1 ? 0 : elm_rng_below(&rng, members)] += 1;
    }
}
