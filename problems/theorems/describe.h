/* describe: what a strategy is told of a term on the way to a goal. description.md names them. */
#ifndef DESCRIBE_H
#define DESCRIBE_H

#include "terms.h"

#include <stdlib.h>

#define FEATURES 12
#define INNER_MAX (NODES_MAX / 2)

/* A term with what its comparison with others needs. */
struct view {
    struct parts p;
    int inner;                      /* subterms beyond single symbols */
    term part[INNER_MAX];           /* each of them, and its hash: equal when operands change */
    uint64_t hash[INNER_MAX];       /* places */
    int symbols[8], height;
    uint32_t places[8];             /* bit i: the symbol stands at i */
};

static inline uint64_t join(uint64_t x)
{
    x = (x ^ x >> 31) * 0x7fb5d329728ea185ull;
    return x ^ x >> 27;
}

static inline void look(term t, struct view *v)
{
    int height[NODES_MAX] = {0};
    uint64_t hash[NODES_MAX];
    memset(v, 0, sizeof(*v));
    take_apart(t, &v->p);
    for (int i = v->p.count - 1; i >= 0; i--) {
        int s = v->p.symbol[i];
        v->symbols[s]++;
        v->places[s] |= 1u << i;
        hash[i] = join((uint64_t)s);
        height[i] = 1;
        if (is_operator(s)) {
            int left = i + 1, right = left + v->p.size[left];
            hash[i] = join((uint64_t)s + 8 * (hash[left] + hash[right]));
            height[i] += height[left] > height[right] ? height[left] : height[right];
            v->hash[v->inner] = hash[i];
            v->part[v->inner++] = t >> 3 * i & (((term)1 << 3 * v->p.size[i]) - 1);
        }
    }
    v->height = height[0];
}

/* Symbols in which the subterms at i and k agree from their roots on; swaps: where operands may
 * change places. */
static inline int overlap(const struct parts *x, int i, const struct parts *y, int k, int swaps)
{
    if (x->symbol[i] != y->symbol[k])
        return 0;
    if (!is_operator(x->symbol[i]))
        return 1;
    int a = i + 1, b = a + x->size[a], c = k + 1, d = c + y->size[c];
    int straight = overlap(x, a, y, c, swaps) + overlap(x, b, y, d, swaps), crossed = 0;
    if (swaps)
        crossed = overlap(x, a, y, d, 1) + overlap(x, b, y, c, 1);
    return 1 + (crossed > straight ? crossed : straight);
}

/* How many both lists have, each as often as both have it. */
static inline int common(const uint64_t *x, int x_count, const uint64_t *y, int y_count)
{
    uint32_t taken = 0;
    int count = 0;
    for (int i = 0; i < x_count; i++) {
        int k = 0;
        while (k < y_count && (x[i] != y[k] || taken >> k & 1))
            k++;
        if (k < y_count) {
            taken |= 1u << k;
            count++;
        }
    }
    return count;
}

/* The longest sequence of symbols that stands in both in the same order, all columns of the usual
 * table at once: a bit of `rows` is 0 where the table rises. Source: Hyyro 2004. */
static inline int common_sequence(const struct parts *x, const struct view *y)
{
    uint32_t rows = ~0u;
    for (int i = 0; i < x->count; i++) {
        uint32_t met = rows & y->places[x->symbol[i]];
        rows = (rows + met) | (rows - met);
    }
    return __builtin_popcount(~rows & ((1u << y->p.count) - 1));
}

static inline void describe(const struct view *goal, term t, int depth, double f[FEATURES])
{
    struct view v;
    look(t, &v);
    const struct parts *x = &v.p, *y = &goal->p;
    int least = x->count < y->count ? x->count : y->count, prefix = 0, suffix = 0, differ = 0;
    while (prefix < least && x->symbol[prefix] == y->symbol[prefix])
        prefix++;
    while (suffix < least &&
           x->symbol[x->count - 1 - suffix] == y->symbol[y->count - 1 - suffix])
        suffix++;
    for (int s = S_A; s <= S_TIMES; s++)
        differ += abs(v.symbols[s] - goal->symbols[s]);
    const int values[FEATURES] = {
        depth, x->count, y->count, prefix, suffix, overlap(x, 0, y, 0, 0), overlap(x, 0, y, 0, 1),
        common(v.part, v.inner, goal->part, goal->inner),
        common(v.hash, v.inner, goal->hash, goal->inner), differ, common_sequence(x, goal),
        abs(v.height - goal->height),
    };
    for (int i = 0; i < FEATURES; i++)
        f[i] = values[i];
}

#endif
