/* quadratic: fitness is 1 less the mean relative error, each error counting 1 at most. */
#include "elm/judge.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define EXACT 1e-9        /* relative: the order of summing is free */

struct in {
    double a, b, c, x;
};
struct out {
    double value;
};

static uint64_t draw(uint64_t *s)
{
    uint64_t z = *s += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* [-10, 10], in tenths, so that people can read the cases */
static double number(uint64_t *s)
{
    return ((double)(draw(s) % 201) - 100) / 10;
}

static double wanted(const struct in *c)
{
    return c->a * c->x * c->x + c->b * c->x + c->c;
}

static int make(void *state, enum elm_set set, uint64_t seed, int max, void *in)
{
    (void)state;
    uint64_t s = seed * ELM_SETS + set;
    struct in *c = in;
    for (int i = 0; i < max; i++) {
        c[i].a = number(&s);
        c[i].b = number(&s);
        c[i].c = number(&s);
        c[i].x = number(&s);
    }
    return max;
}

static void score(const void *state, int n, const void *in, const void *out,
                  const struct elm_cost *cost, struct elm_result *result)
{
    (void)state;
    (void)cost;
    const struct in *c = in;
    const struct out *o = out;
    double sum = 0;
    for (int i = 0; i < n; i++) {
        double w = wanted(&c[i]), error = fabs(o[i].value - w) / (1 + fabs(w));
        result->pass[i] = error <= EXACT;
        /* so written that a NaN counts 1 */
        sum += result->pass[i] ? 0 : error < 1 ? error : 1;
    }
    result->fitness = 1 - sum / n;
}

static void want(const void *state, int n, const void *in, void *out, uint8_t *want_mask)
{
    (void)state;
    const struct in *c = in;
    struct out *o = out;
    memset(want_mask, 1, (size_t)n * sizeof(*o));
    for (int i = 0; i < n; i++)
        o[i].value = wanted(&c[i]);
}

static void explain(const void *state, const void *in, const void *out, char *text,
                    size_t text_bytes)
{
    (void)state;
    const struct in *c = in;
    const struct out *o = out;
    snprintf(text, text_bytes, "a = %g, b = %g, c = %g, x = %g: wanted %g, got %g", c->a, c->b,
             c->c, c->x, wanted(c), o->value);
}

const struct elm_judge elm_judge = {
    .version = ELM_JUDGE_VERSION,
    .in_bytes = sizeof(struct in),
    .out_bytes = sizeof(struct out),
    .make = make,
    .score = score,
    .want = want,
    .explain = explain,
};
