/*
 * circles: the sum of the radii, if every circle lies in the unit square and no two overlap. Both
 * are checked in long double with a guard far above its rounding and far below double's, so that
 * no overlap passes, however small: touching has to leave 1e-17 or so.
 */
#include "elm/judge.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define CIRCLES 26
#define GUARD 0x1p-58L          /* relative; long double rounds at 0x1p-64 or finer */
#define AT_WALL 1e-3

struct circle {
    double x, y, r;
};
struct in {
    int64_t unused;
};
struct out {
    struct circle c[CIRCLES];
};

static int make(void *state, enum elm_set set, uint64_t seed, int max, void *in)
{
    (void)state;
    (void)set;
    (void)seed;
    memset(in, 0, sizeof(struct in));
    return max < 1 ? 0 : 1;
}

/* Is a <= b for certain, where both carry a few roundings? So written that a NaN is not. */
static int surely_at_most(long double a, long double b)
{
    return a * (1 + GUARD) <= b * (1 - GUARD);
}

static int in_square(const struct circle *c)
{
    /* 1 - x is exact to half a unit of 2^-64, the guard of the sum x + r */
    return c->r >= 0 && c->x >= c->r && c->y >= c->r &&
           (long double)c->x + c->r <= 1 - GUARD && (long double)c->y + c->r <= 1 - GUARD;
}

static int apart(const struct circle *a, const struct circle *b)
{
    long double x = (long double)a->x - b->x, y = (long double)a->y - b->y;
    long double reach = (long double)a->r + b->r;
    return surely_at_most(reach * reach, x * x + y * y);
}

static int valid(const struct out *o, char *why, size_t why_bytes)
{
    for (int i = 0; i < CIRCLES; i++) {
        if (!in_square(&o->c[i])) {
            snprintf(why, why_bytes, "circle %d is not inside the square", i);
            return 0;
        }
        for (int j = 0; j < i; j++) {
            if (!apart(&o->c[i], &o->c[j])) {
                snprintf(why, why_bytes, "circles %d and %d overlap", j, i);
                return 0;
            }
        }
    }
    return 1;
}

static void score(const void *state, int n, const void *in, const void *out,
                  const struct elm_cost *cost, struct elm_result *result)
{
    (void)state;
    (void)n;
    (void)in;
    (void)cost;
    const struct out *o = out;
    if (!valid(o, result->why, sizeof(result->why))) {
        result->invalid = 1;
        return;
    }
    double sum = 0, squares = 0;
    int at_walls = 0;
    for (int i = 0; i < CIRCLES; i++) {
        const struct circle *c = &o->c[i];
        double room = fmin(fmin(c->x, 1 - c->x), fmin(c->y, 1 - c->y));
        sum += c->r;
        squares += c->r * c->r;
        at_walls += room - c->r < AT_WALL;
    }
    double mean = sum / CIRCLES;
    result->fitness = sum;
    result->pass[0] = 1;
    result->measures[0] = mean > 0 ? sqrt(fmax(squares / CIRCLES - mean * mean, 0)) / mean : 0;
    result->measures[1] = at_walls;
}

static void explain(const void *state, const void *in, const void *out, char *text,
                    size_t text_bytes)
{
    (void)state;
    (void)in;
    if (valid(out, text, text_bytes))
        snprintf(text, text_bytes, "a packing");
}

static size_t picture(const void *state, int n, const void *in, const void *out, char *svg,
                      size_t svg_bytes)
{
    (void)state;
    (void)n;
    (void)in;
    const struct out *o = out;
    size_t at = 0;
    for (int i = -1; i <= CIRCLES && at < svg_bytes; i++) {
        char *here = svg + at;
        size_t left = svg_bytes - at;
        if (i < 0) {
            at += (size_t)snprintf(here, left,
                                   "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"520\" "
                                   "height=\"520\" viewBox=\"-0.02 -0.02 1.04 1.04\">\n"
                                   "<rect width=\"1\" height=\"1\" fill=\"#fff\" "
                                   "stroke=\"#333\" stroke-width=\"0.004\"/>\n");
        } else if (i == CIRCLES) {
            at += (size_t)snprintf(here, left, "</svg>\n");
        } else if (isfinite(o->c[i].x) && isfinite(o->c[i].y) && o->c[i].r >= 0 &&
                   o->c[i].r <= 1) {
            at += (size_t)snprintf(here, left,
                                   "<circle cx=\"%.9g\" cy=\"%.9g\" r=\"%.9g\" fill=\"#9cf\" "
                                   "stroke=\"#246\" stroke-width=\"0.002\"/>\n",
                                   o->c[i].x, 1 - o->c[i].y, o->c[i].r);
        }
    }
    return at < svg_bytes ? at : 0;
}

const struct elm_judge elm_judge = {
    .version = ELM_JUDGE_VERSION,
    .in_bytes = sizeof(struct in),
    .out_bytes = sizeof(struct out),
    .make = make,
    .score = score,
    .explain = explain,
    .picture = picture,
};
