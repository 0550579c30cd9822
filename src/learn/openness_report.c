/* openness_report: what the censuses of a run say beside those of its shadows. */
#include "learn/openness.h"

#include <math.h>
#include <stdlib.h>

#define RARE 0.01        /* share of shadow components above the threshold */
#define FAR 3.0          /* standard deviations */
#define FITTED_MIN 4
#define FIT_STEPS 40
#define WINDOW 8         /* censuses before and after one that its threshold is of */

struct pooled {
    uint64_t bins[WORLD_BINS], all;
};

static void pool(struct pooled *p, const struct world *shadows, uint32_t count, uint32_t census,
                 bool add)
{
    for (uint32_t s = 0; s < count; s++) {
        for (uint32_t b = 0; b < WORLD_BINS; b++) {
            uint32_t n = shadows[s].census[census].aged[b];
            p->bins[b] += add ? n : -(uint64_t)n;
            p->all += add ? n : -(uint64_t)n;
        }
    }
}

/* The least bin above which less than RARE of the components came of age; the last one where none
 * did. */
static uint32_t threshold(const struct pooled *p)
{
    uint64_t above = 0;
    uint32_t bin = WORLD_BINS - 1;
    while (bin > 0 && (double)(above + p->bins[bin]) < RARE * (double)p->all)
        above += p->bins[bin--];
    return bin;
}

/* For each census by the shadows around it: what an archive that is yet small or still grows lets
 * drift do is no measure for later. */
static uint32_t *thresholds(const struct world *shadows, uint32_t count)
{
    uint32_t taken = shadows[0].taken, *out = elm_calloc(taken + 1, sizeof(*out));
    struct pooled p = {0};
    for (uint32_t i = 0; i < taken && i < WINDOW; i++)
        pool(&p, shadows, count, i, true);
    for (uint32_t i = 0; i < taken; i++) {
        if (i + WINDOW < taken)
            pool(&p, shadows, count, i + WINDOW, true);
        if (i > WINDOW)
            pool(&p, shadows, count, i - WINDOW - 1, false);
        out[i] = threshold(&p);
    }
    return out;
}

static void count_new(const struct census *c, uint32_t limit, double *adopted, double *activity)
{
    *adopted = *activity = 0;
    for (uint32_t b = limit + 1; b < WORLD_BINS; b++) {
        *adopted += c->aged[b];
        *activity += c->aged[b] * world_bin_value(b);
    }
}

static struct elm_openness_side side_of(const struct census *c, uint32_t limit)
{
    struct elm_openness_side side = {.diversity = c->diversity, .activity = c->activity,
                                     .median = c->median, .change = NAN, .novelty = NAN,
                                     .ecology = NAN};
    double components = c->diversity == 0 ? NAN : c->diversity;
    count_new(c, limit, &side.adopted, &side.new_activity);
    side.mean = c->activity / components;
    side.new_activity /= components;
    if (c->modes) {
        side.change = c->change;
        side.novelty = c->novelty;
        side.ecology = c->ecology;
    }
    return side;
}

static void add_side(struct elm_openness_side *sum, const struct elm_openness_side *x, double share)
{
    sum->diversity += share * x->diversity;
    sum->activity += share * x->activity;
    sum->mean += share * x->mean;
    sum->median += share * x->median;
    sum->adopted += share * x->adopted;
    sum->new_activity += share * x->new_activity;
    sum->change += share * x->change;
    sum->novelty += share * x->novelty;
    sum->ecology += share * x->ecology;
}

static void fill_points(const struct world *run, const struct world *shadows, uint32_t count,
                        const uint32_t *limits, struct elm_openness_report *out)
{
    out->count = run->taken;
    out->points = elm_calloc(out->count + 1, sizeof(out->points[0]));
    for (uint32_t i = 0; i < out->count; i++) {
        const struct census *c = &run->census[i];
        struct elm_openness_point *p = &out->points[i];
        *p = (struct elm_openness_point){.evaluations = c->evaluations, .elites = c->elites,
                                         .run = side_of(c, limits[i]),
                                         .threshold = world_bin_value(limits[i]),
                                         .complexity = NAN};
        if (c->modes && c->complexity > 0)
            p->complexity = c->complexity;
        for (uint32_t s = 0; s < count; s++) {
            struct elm_openness_side side = side_of(&shadows[s].census[i], limits[i]);
            add_side(&p->shadow, &side, 1.0 / count);
        }
    }
}

/* Share of the variance of y that is left by the best a + b x. */
static double left_by_line(const double *x, const double *y, uint32_t n)
{
    double mx = 0, my = 0, xx = 0, xy = 0, yy = 0;
    for (uint32_t i = 0; i < n; i++) {
        mx += x[i] / n;
        my += y[i] / n;
    }
    for (uint32_t i = 0; i < n; i++) {
        xx += (x[i] - mx) * (x[i] - mx);
        xy += (x[i] - mx) * (y[i] - my);
        yy += (y[i] - my) * (y[i] - my);
    }
    return xx > 0 && yy > 0 ? fmax(0, 1 - xy * xy / (xx * yy)) : NAN;
}

/* Power laws of exponents up to 2 against hyperbolas that reach half their height within the
 * time seen: both are three numbers. */
static void fit(const double *y, uint32_t n, struct elm_openness_report *out)
{
    double *x = elm_malloc((n + 1) * sizeof(*x));
    for (int k = 1; k <= FIT_STEPS; k++) {
        double p = 2.0 * k / FIT_STEPS, half = (double)n * k / FIT_STEPS;
        for (uint32_t i = 0; i < n; i++)
            x[i] = pow(i + 1, p);
        double left = left_by_line(x, y, n);
        if (!(left >= out->power_left)) {
            out->power_left = left;
            out->exponent = p;
        }
        for (uint32_t i = 0; i < n; i++)
            x[i] = (i + 1) / (i + 1 + half);
        out->bounded_left = fmin(out->bounded_left, left_by_line(x, y, n));
    }
    if (isnan(out->power_left))
        out->exponent = NAN;
    free(x);
}

/* New activity above the shadows, summed from census to census. */
static void fit_sum(struct elm_openness_report *out)
{
    uint32_t first = ELM_OPENNESS_AGE - 1, n = out->count > first ? out->count - first : 0;
    if (n < FITTED_MIN)
        return;
    double *y = elm_malloc(n * sizeof(*y)), sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct elm_openness_point *p = &out->points[first + i];
        sum += p->run.adopted - p->shadow.adopted;
        y[i] = sum;
    }
    fit(y, n, out);
    free(y);
}

/* The variance is that of a count at least, so that still shadows prove nothing. */
static void compare(const struct world *shadows, uint32_t count, const uint32_t *limits,
                    struct elm_openness_report *out)
{
    double squares = 0;
    for (uint32_t i = out->count / 2; i < out->count; i++) {
        out->adopted += out->points[i].run.adopted;
        out->shadow_adopted += out->points[i].shadow.adopted;
    }
    for (uint32_t s = 0; s < count; s++) {
        double sum = 0, adopted, activity;
        for (uint32_t i = out->count / 2; i < out->count; i++) {
            count_new(&shadows[s].census[i], limits[i], &adopted, &activity);
            sum += adopted;
        }
        squares += (sum - out->shadow_adopted) * (sum - out->shadow_adopted);
    }
    double variance = fmax(squares / (count - 1), out->shadow_adopted + 1);
    out->excess = (out->adopted - out->shadow_adopted) / sqrt(variance);
}

void elm_openness_report(const struct elm_openness *o, struct elm_openness_report *out)
{
    uint32_t count;
    const struct world *run = openness_run(o), *shadows = openness_shadows(o, &count);
    uint32_t *limits = thresholds(shadows, count);
    *out = (struct elm_openness_report){.exponent = NAN, .power_left = NAN, .bounded_left = NAN};
    fill_points(run, shadows, count, limits, out);
    compare(shadows, count, limits, out);
    free(limits);
    fit_sum(out);
    if (out->count < 4 * ELM_OPENNESS_AGE)
        out->class = ELM_OPENNESS_SHORT;
    else if (!(out->excess > FAR))
        out->class = ELM_OPENNESS_NONE;
    else if (out->bounded_left < out->power_left)
        out->class = ELM_OPENNESS_BOUNDED;
    else
        out->class = ELM_OPENNESS_UNBOUNDED;
}

void elm_openness_report_release(struct elm_openness_report *r)
{
    free(r->points);
    *r = (struct elm_openness_report){0};
}
