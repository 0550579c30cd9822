/*
 * estimate: Pitman's closeness. A case is won by the estimate nearer the truth, clearly nearer: small
 * shifts of the other's answers win nothing. b is better than a when it wins more cases than it loses
 * by three standard deviations of a fair coin. That is not transitive, so there is no score.
 */
#include "elm/judge.h"

#include <math.h>
#include <stdio.h>

#define READINGS 9
#define CLEARLY 0.1        /* a good reading's noise is 1 */

struct in {
    double r[READINGS];
};
struct out {
    double value;
};
struct state {
    double truth[ELM_CASES_MAX];
};

static uint64_t draw(uint64_t *s)
{
    uint64_t z = *s += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static double unit(uint64_t *s)
{
    return (double)(draw(s) >> 11) * 0x1p-53;
}

static double normal(uint64_t *s)
{
    double u = 1 - unit(s);
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * unit(s));
}

/* Three in ten readings are ten times as noisy. */
static int make(void *state, enum elm_set set, uint64_t seed, int max, void *in)
{
    struct state *known = state;
    uint64_t s = seed * ELM_SETS + set;
    struct in *c = in;
    for (int i = 0; i < max; i++) {
        known->truth[i] = 20 * unit(&s) - 10;
        for (int k = 0; k < READINGS; k++) {
            double noise = normal(&s);
            c[i].r[k] = known->truth[i] + (unit(&s) < 0.3 ? 10 : 1) * noise;
        }
    }
    return max;
}

/* What is not a number is as far off as can be. */
static double error_of(double value, double truth)
{
    double error = fabs(value - truth);
    return error < 1e300 ? error : 1e300;
}

static int compare(const void *state, int n, const void *in, const void *out_a,
                   const struct elm_cost *cost_a, const void *out_b,
                   const struct elm_cost *cost_b, struct elm_result *result_b)
{
    (void)in;
    (void)cost_a;
    (void)cost_b;
    const struct state *known = state;
    const struct out *a = out_a, *b = out_b;
    int won = 0, lost = 0;
    for (int i = 0; i < n; i++) {
        double ours = error_of(b[i].value, known->truth[i]);
        double theirs = error_of(a[i].value, known->truth[i]);
        won += ours + CLEARLY < theirs;
        lost += theirs + CLEARLY < ours;
        result_b->pass[i] = ours <= theirs;
    }
    double margin = 3 * sqrt((double)won + lost);
    return won - lost > margin ? 1 : lost - won > margin ? -1 : 0;
}

static void explain(const void *state, const void *in, const void *out, char *text,
                    size_t text_bytes)
{
    (void)state;
    const struct in *c = in;
    const struct out *o = out;
    double least = c->r[0], most = c->r[0];
    for (int k = 1; k < READINGS; k++) {
        least = fmin(least, c->r[k]);
        most = fmax(most, c->r[k]);
    }
    snprintf(text, text_bytes, "readings from %g to %g: got %g", least, most, o->value);
}

const struct elm_judge elm_judge = {
    .version = ELM_JUDGE_VERSION,
    .in_bytes = sizeof(struct in),
    .out_bytes = sizeof(struct out),
    .state_bytes = sizeof(struct state),
    .make = make,
    .compare = compare,
    .explain = explain,
};
