/*
 * regression: points in, values out. Fitness is 1 less the root of the mean squared error in
 * standard deviations of the target: 1 is exact, 0 as good as the mean; no point's error counts
 * more than 10.
 *
 * case_seed chooses the target (below). Sources: Koza 1992; Nguyen et al. 2011; Keijzer 2003; Pagie
 * & Hogeweg 1997; Korns 2011; Vladislavleva et al. 2009, as in McDermott et al. 2012.
 */
#include "elm/judge.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define ERROR_MAX 10.0
#define CLOSE 0.01        /* standard deviations: the case is right */

struct in {
    double x, y;
};
struct out {
    double value;
};
struct state {
    const struct target *target;
    double want[ELM_CASES_MAX], deviation;
};

static double koza_1(double x, double y)
{
    (void)y;
    return x * (1 + x * (1 + x * (1 + x)));
}

static double nguyen_5(double x, double y)
{
    (void)y;
    return sin(x * x) * cos(x) - 1;
}

static double nguyen_7(double x, double y)
{
    (void)y;
    return log(x + 1) + log(x * x + 1);
}

static double keijzer_4(double x, double y)
{
    (void)y;
    return x * x * x * exp(-x) * cos(x) * sin(x) * (sin(x) * sin(x) * cos(x) - 1);
}

static double keijzer_6(double x, double y)
{
    (void)y;
    double sum = 0;
    for (int i = 1; i <= (int)x; i++)
        sum += 1.0 / i;
    return sum;
}

static double keijzer_11(double x, double y)
{
    return x * y + sin((x - 1) * (y - 1));
}

static double pagie_1(double x, double y)
{
    return 1 / (1 + pow(x, -4)) + 1 / (1 + pow(y, -4));
}

static double korns_7(double x, double y)
{
    (void)y;
    return 213.80940889 * (1 - exp(-0.54723748542 * x));
}

static double vladislavleva_1(double x, double y)
{
    return exp(-(x - 1) * (x - 1)) / (1.2 + (y - 2.5) * (y - 2.5));
}

static const struct target {
    double (*f)(double x, double y);
    double lo, hi;
    int two, whole;        /* y too, else it is 0; whole numbers */
} targets[] = {
    {koza_1, -1, 1, 0, 0},    {nguyen_5, -1, 1, 0, 0},   {nguyen_7, 0, 2, 0, 0},
    {keijzer_4, 0, 10, 0, 0}, {keijzer_6, 1, 50, 0, 1},  {keijzer_11, -3, 3, 1, 0},
    {pagie_1, -5, 5, 1, 0},   {korns_7, 0, 10, 0, 0},    {vladislavleva_1, 0.3, 4, 1, 0},
};
#define TARGETS (sizeof(targets) / sizeof(targets[0]))

static uint64_t draw(uint64_t *s)
{
    uint64_t z = *s += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static double number(uint64_t *s, const struct target *t)
{
    double x = t->lo + (t->hi - t->lo) * ((double)(draw(s) >> 11) * 0x1p-53);
    return t->whole ? rint(x) : x;
}

static int make(void *state, enum elm_set set, uint64_t seed, int max, void *in)
{
    struct state *known = state;
    const struct target *t = &targets[seed % TARGETS];
    known->target = t;
    uint64_t s = seed * ELM_SETS + set;
    struct in *c = in;
    double sum = 0, squares = 0;
    for (int i = 0; i < max; i++) {
        c[i].x = number(&s, t);
        c[i].y = t->two ? number(&s, t) : 0;
        known->want[i] = t->f(c[i].x, c[i].y);
        sum += known->want[i];
    }
    for (int i = 0; i < max; i++)
        squares += (known->want[i] - sum / max) * (known->want[i] - sum / max);
    known->deviation = fmax(sqrt(squares / max), 1e-9);
    return max;
}

static void score(const void *state, int n, const void *in, const void *out,
                  const struct elm_cost *cost, struct elm_result *result)
{
    (void)in;
    (void)cost;
    const struct state *known = state;
    const struct out *o = out;
    double sum = 0;
    for (int i = 0; i < n; i++) {
        double error = fabs(o[i].value - known->want[i]) / known->deviation;
        /* so written that a NaN is the largest error */
        error = error < ERROR_MAX ? error : ERROR_MAX;
        result->pass[i] = error <= CLOSE;
        sum += error * error;
    }
    result->fitness = 1 - sqrt(sum / n);
}

static void want(const void *state, int n, const void *in, void *out, uint8_t *want_mask)
{
    (void)in;
    const struct state *known = state;
    memset(want_mask, 1, (size_t)n * sizeof(struct out));
    memcpy(out, known->want, (size_t)n * sizeof(struct out));
}

static void explain(const void *state, const void *in, const void *out, char *text,
                    size_t text_bytes)
{
    const struct state *known = state;
    const struct in *c = in;
    const struct out *o = out;
    snprintf(text, text_bytes, "x = %g, y = %g: wanted %g, got %g", c->x, c->y,
             known->target->f(c->x, c->y), o->value);
}

const struct elm_judge elm_judge = {
    .version = ELM_JUDGE_VERSION,
    .in_bytes = sizeof(struct in),
    .out_bytes = sizeof(struct out),
    .state_bytes = sizeof(struct state),
    .make = make,
    .score = score,
    .want = want,
    .explain = explain,
};
