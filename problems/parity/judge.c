/* parity: all 16 inputs; fitness is the share answered right. */
#include "elm/judge.h"

#include <stdio.h>
#include <string.h>

#define ROWS 16

struct in {
    int32_t b[4];
};
struct out {
    int32_t value, unused;
};

static int32_t wanted(const struct in *c)
{
    return (c->b[0] ^ c->b[1] ^ c->b[2] ^ c->b[3]) & 1;
}

static int make(void *state, enum elm_set set, uint64_t seed, int max, void *in)
{
    (void)state;
    (void)set;
    (void)seed;
    struct in *c = in;
    int n = max < ROWS ? max : ROWS;
    for (int row = 0; row < n; row++) {
        for (int bit = 0; bit < 4; bit++)
            c[row].b[bit] = row >> bit & 1;
    }
    return n;
}

/* Inputs that change the answer in some row. */
static int bits_used(int n, const struct out *o)
{
    int used = 0;
    for (int bit = 0; bit < 4; bit++) {
        int changes = 0;
        for (int row = 0; row < n; row++) {
            int other = row ^ 1 << bit;
            changes |= other < n && o[row].value != o[other].value;
        }
        used += changes;
    }
    return used;
}

static void score(const void *state, int n, const void *in, const void *out,
                  const struct elm_cost *cost, struct elm_result *result)
{
    (void)state;
    (void)cost;
    const struct in *c = in;
    const struct out *o = out;
    int right = 0;
    for (int i = 0; i < n; i++)
        right += result->pass[i] = o[i].value == wanted(&c[i]);
    result->fitness = (double)right / n;
    result->measures[0] = bits_used(n, o);
}

static void want(const void *state, int n, const void *in, void *out, uint8_t *want_mask)
{
    (void)state;
    const struct in *c = in;
    struct out *o = out;
    memset(want_mask, 0, (size_t)n * sizeof(*o));
    for (int i = 0; i < n; i++) {
        o[i] = (struct out){wanted(&c[i]), 0};
        memset(want_mask + (size_t)i * sizeof(*o), 1, sizeof(o->value));
    }
}

static void explain(const void *state, const void *in, const void *out, char *text,
                    size_t text_bytes)
{
    (void)state;
    const struct in *c = in;
    const struct out *o = out;
    snprintf(text, text_bytes, "bits %d %d %d %d: wanted %d, got %d", c->b[0], c->b[1], c->b[2],
             c->b[3], wanted(c), o->value);
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
