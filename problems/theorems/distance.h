/*
 * distance: how many rewrites lead from one term to another, exactly, by breadth-first search from
 * both ends, and theorems of a wanted distance. The length of a random walk would not do: beyond
 * four steps most walks have a shorter way.
 */
#ifndef DISTANCE_H
#define DISTANCE_H

#include "terms.h"

#include <stdlib.h>

#define STREAMS 3
#define REACHED_MAX (1 << 17)       /* terms of one side */

static inline uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15ull;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ x >> 27) * 0x94d049bb133111ebull;
    return x ^ x >> 31;
}

static inline uint64_t draw(uint64_t *s)
{
    *s += 0x9e3779b97f4a7c15ull;
    return mix(*s);
}

static inline int below(uint64_t *s, int n)
{
    return (int)((draw(s) >> 32) * (uint64_t)n >> 32);
}

/* What is within some rewrites of a term, layer by layer. */
struct side {
    term order[REACHED_MAX];
    uint32_t slot[2 * REACHED_MAX];     /* 1 + place in order; 0: free */
    int count, layer, depth;            /* layer: where the outermost begins */
    int full;
};

static inline uint32_t *slot_of(struct side *s, term t)
{
    uint32_t at = (uint32_t)(mix(t) & (2 * REACHED_MAX - 1));
    while (s->slot[at] != 0 && s->order[s->slot[at] - 1] != t)
        at = (at + 1) & (2 * REACHED_MAX - 1);
    return &s->slot[at];
}

static inline void reach(struct side *s, term t)
{
    uint32_t *slot = slot_of(s, t);
    if (*slot != 0)
        return;
    if (s->count == REACHED_MAX) {
        s->full = 1;
        return;
    }
    s->order[s->count++] = t;
    *slot = (uint32_t)s->count;
}

static inline void start_side(struct side *s, term t)
{
    for (int i = 0; i < s->count; i++)
        *slot_of(s, s->order[s->count - 1 - i]) = 0;
    s->count = s->layer = s->depth = s->full = 0;
    reach(s, t);
}

/* One layer more. */
static inline void grow(struct side *s)
{
    term list[NEIGHBOURS_MAX];
    int from = s->layer, to = s->count;
    s->layer = s->count;
    s->depth++;
    for (int i = from; i < to && !s->full; i++) {
        int n = neighbours(s->order[i], list);
        for (int k = 0; k < n; k++)
            reach(s, list[k]);
    }
}

/* From a to b; most + 1 when it is more, -1 when the sides have no room for an answer. */
static inline int distance(struct side sides[2], term a, term b, int most)
{
    start_side(&sides[0], a);
    start_side(&sides[1], b);
    for (int d = 0; d <= most; d++) {
        struct side *x = &sides[0], *y = &sides[1];
        if (x->count - x->layer > y->count - y->layer) {
            x = &sides[1];
            y = &sides[0];
        }
        if (d > 0)
            grow(x);
        if (x->full)
            return -1;
        /* what is met first is met in the outermost layers: nothing was met one step before */
        for (int i = x->layer; i < x->count; i++) {
            if (*slot_of(y, x->order[i]) != 0)
                return d;
        }
        if (d > 0 && x->layer == x->count)
            return most + 1;
    }
    return most + 1;
}

/* ---- theorems ---- */

struct theorem {
    term from, to;
    int distance;
};

static inline term random_part(uint64_t *s, int nodes)
{
    static const uint8_t leaves[] = {S_A, S_A, S_B, S_B, S_C, S_C, S_ZERO, S_ONE};
    if (nodes == 1)
        return leaves[below(s, 8)];
    int left = 1 + 2 * below(s, (nodes - 1) / 2);
    term x = random_part(s, left), y = random_part(s, nodes - 1 - left);
    return (term)(below(s, 2) ? S_PLUS : S_TIMES) | x << 3 | y << 3 * (1 + left);
}

/* Which stream a theorem belongs to, whichever way it is read: no two streams share one. */
static inline int stream_of(term a, term b)
{
    return (int)(mix(mix(a) + mix(b)) % STREAMS);
}

/* One of the wanted distance, by walks that are measured; 0 where none was found. */
static inline int make_theorem(struct side sides[2], uint64_t *s, int stream, int wanted,
                               struct theorem *out)
{
    term list[NEIGHBOURS_MAX];
    for (int tries = 0; tries < 1000; tries++) {
        term from = random_part(s, 5 + 2 * below(s, 3)), to = from;
        for (int k = wanted + below(s, wanted + 1); k > 0; k--)
            to = list[below(s, neighbours(to, list))];
        if (stream_of(from, to) != stream || distance(sides, from, to, wanted) != wanted)
            continue;
        *out = (struct theorem){from, to, wanted};
        return 1;
    }
    return 0;
}

/* As many theorems as there is room for, their distances from `least` to `most` in turn, none
 * twice; fewer where the theory has no more. sides: scratch, zeros before its first use. */
static inline int make_theorems(struct side sides[2], uint64_t seed, int stream, int least,
                                int most, int count, struct theorem *list)
{
    uint64_t s = mix(seed) ^ (uint64_t)stream;
    int made = 0;
    for (int tries = 0; made < count && tries < 4 * count; tries++) {
        struct theorem t;
        int known = !make_theorem(sides, &s, stream, least + made % (most - least + 1), &t);
        for (int i = 0; i < made && !known; i++)
            known = (list[i].from == t.from && list[i].to == t.to) ||
                    (list[i].from == t.to && list[i].to == t.from);
        if (!known)
            list[made++] = t;
    }
    return made;
}

#endif
