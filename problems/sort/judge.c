/*
 * sort: plays the log of swaps back on the original numbers, so that none can be lost and no swap
 * hidden. Below 1 the fitness is the share of pairs in order; sorting every case gives 1 and more
 * the cheaper it is: 1 + 1000 / (1000 + cost), cost = steps + 10 swaps, a case on average.
 */
#include "elm/judge.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SIZE 16
#define LOG 256
#define SWAP_STEPS 10
#define COST_SCALE 1000.0

struct in {
    int32_t n, a[SIZE];
    int32_t unused;
};
struct out {
    int32_t value, log[LOG];
    int32_t unused;
};

static uint64_t draw(uint64_t *s)
{
    uint64_t z = *s += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static int below(uint64_t *s, int n)
{
    return (int)(draw(s) % (uint64_t)n);
}

static void put_in_order(int n, int32_t *a, int sign)
{
    for (int i = 1; i < n; i++) {
        for (int j = i; j > 0 && sign * (a[j - 1] - a[j]) > 0; j--) {
            int32_t t = a[j];
            a[j] = a[j - 1];
            a[j - 1] = t;
        }
    }
}

/* Random, few values, sorted, reversed, one out of place; every eighth is short, the first empty. */
static void make_case(uint64_t *s, int i, struct in *c)
{
    memset(c, 0, sizeof(*c));
    c->n = i % 8 == 7 ? (i / 8) % 3 : 4 + below(s, SIZE - 3);
    int values = i % 8 == 1 ? 3 : 1000;
    for (int k = 0; k < SIZE; k++)
        c->a[k] = k < c->n ? below(s, values) - values / 2 : 0;
    if (i % 8 >= 2 && i % 8 <= 4)
        put_in_order(c->n, c->a, i % 8 == 3 ? -1 : 1);
    if (i % 8 == 4)
        c->a[below(s, c->n)] = below(s, values) - values / 2;
}

static int make(void *state, enum elm_set set, uint64_t seed, int max, void *in)
{
    (void)state;
    uint64_t s = seed * ELM_SETS + set;
    struct in *c = in;
    for (int i = 0; i < max; i++)
        make_case(&s, i, &c[i]);
    return max;
}

/* Plays the log back; false when it names a place that is not there. */
static int replay(const struct in *c, const struct out *o, int32_t a[SIZE])
{
    memcpy(a, c->a, sizeof(c->a));
    if (o->value < 0 || o->value > LOG / 2)
        return 0;
    for (int k = 0; k < o->value; k++) {
        int32_t i = o->log[2 * k], j = o->log[2 * k + 1];
        if (i < 0 || j < 0 || i >= c->n || j >= c->n)
            return 0;
        int32_t t = a[i];
        a[i] = a[j];
        a[j] = t;
    }
    return 1;
}

/* Share of pairs in order. */
static double order(int n, const int32_t *a)
{
    int right = 0, pairs = n * (n - 1) / 2;
    for (int i = 0; i < n; i++) {
        for (int j = i + 1; j < n; j++)
            right += a[i] <= a[j];
    }
    return pairs > 0 ? (double)right / pairs : 1;
}

static void score(const void *state, int n, const void *in, const void *out,
                  const struct elm_cost *cost, struct elm_result *result)
{
    (void)state;
    const struct in *c = in;
    const struct out *o = out;
    double sum = 0, swaps = 0;
    int sorted = 0;
    for (int i = 0; i < n; i++) {
        int32_t a[SIZE];
        double in_order = replay(&c[i], &o[i], a) ? order(c[i].n, a) : 0;
        if (in_order > 0)
            swaps += o[i].value;
        sum += in_order;
        sorted += result->pass[i] = in_order >= 1;
    }
    result->measures[0] = swaps / n;
    if (sorted < n) {
        result->fitness = sum / (n + 1);
        return;
    }
    double average = ((double)cost->steps + SWAP_STEPS * swaps) / n;
    result->fitness = 1 + COST_SCALE / (COST_SCALE + average);
}

static void explain(const void *state, const void *in, const void *out, char *text,
                    size_t text_bytes)
{
    (void)state;
    const struct in *c = in;
    int32_t a[SIZE];
    if (!replay(c, out, a)) {
        snprintf(text, text_bytes, "the log has a place that is not there");
        return;
    }
    size_t at = 0;
    for (int k = 0; k < 2; k++) {
        const int32_t *row = k == 0 ? c->a : a;
        for (int i = 0; i < c->n && at < text_bytes; i++)
            at += (size_t)snprintf(text + at, text_bytes - at, "%s%d",
                                   i > 0 ? " " : k == 0 ? "from " : "; left ", row[i]);
    }
}

/* Appends to an SVG; what does not fit makes the picture none at all. */
static void draw_text(char *svg, size_t bytes, size_t *at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (*at < bytes)
        *at += (size_t)vsnprintf(svg + *at, bytes - *at, format, args);
    va_end(args);
}

/* The way of one number through the swaps of a case: place downwards, time to the right. */
static void draw_way(const struct in *c, const struct out *o, int from, char *svg, size_t bytes,
                     size_t *at)
{
    int place = from, rank = 0;
    for (int i = 0; i < c->n; i++)
        rank += c->a[i] < c->a[from];
    draw_text(svg, bytes, at, "<polyline fill=\"none\" stroke-width=\"2\" ");
    draw_text(svg, bytes, at, "stroke=\"hsl(%d,70%%,45%%)\" points=\"0,%d", rank * 300 / c->n,
              place * 20);
    for (int k = 0; k < o->value; k++) {
        int32_t i = o->log[2 * k], j = o->log[2 * k + 1];
        int next = place == i ? j : place == j ? i : place;
        if (next != place)
            draw_text(svg, bytes, at, " %d,%d %d,%d", k * 10, place * 20, k * 10 + 10, next * 20);
        place = next;
    }
    draw_text(svg, bytes, at, " %d,%d\"/>\n", o->value * 10 + 20, place * 20);
}

/* The longest case that needed most swaps, every number in the colour of its rank. */
static size_t picture(const void *state, int n, const void *in, const void *out, char *svg,
                      size_t svg_bytes)
{
    (void)state;
    const struct in *c = in;
    const struct out *o = out;
    int shown = -1;
    for (int i = 0; i < n; i++) {
        int32_t a[SIZE];
        if (replay(&c[i], &o[i], a) && c[i].n > 1 &&
            (shown < 0 || c[i].n > c[shown].n ||
             (c[i].n == c[shown].n && o[i].value > o[shown].value)))
            shown = i;
    }
    if (shown < 0)
        return 0;
    size_t at = 0;
    draw_text(svg, svg_bytes, &at, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"900\" ");
    draw_text(svg, svg_bytes, &at, "viewBox=\"-10 -10 %d %d\">\n", o[shown].value * 10 + 40,
              c[shown].n * 20);
    draw_text(svg, svg_bytes, &at, "<rect x=\"-10\" y=\"-10\" width=\"100%%\" height=\"100%%\" "
                                   "fill=\"#fff\"/>\n");
    for (int i = 0; i < c[shown].n; i++)
        draw_way(&c[shown], &o[shown], i, svg, svg_bytes, &at);
    draw_text(svg, svg_bytes, &at, "</svg>\n");
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
