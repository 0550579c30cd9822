/*
 * hunt: best-first search for a proof. What is worth least is expanded first, of equals the one
 * that came first; so a strategy that says the same of all searches breadth-first. NaN is worth
 * as little hope as infinity. A proof is found when its last term is made.
 */
#ifndef HUNT_H
#define HUNT_H

#include "distance.h"
#include "describe.h"

#include <math.h>

#ifndef EXPANSIONS
#define EXPANSIONS 64
#define SLOTS 8192                  /* a power of two above STATES_MAX */
#endif
#define STATES_MAX (1 + EXPANSIONS * NEIGHBOURS_MAX)

struct hunt {
    struct view goal;
    term wanted;
    int expansions, proved, over;   /* proved: rewrites of the proof */
    int count, asked;               /* terms made; those from `asked` on wait for their value */
    int waiting;                    /* in the heap */
    term made[STATES_MAX];
    double value[STATES_MAX];
    uint8_t depth[STATES_MAX];
    uint16_t heap[STATES_MAX], slot[SLOTS];
};

static inline int sooner(const struct hunt *h, int a, int b)
{
    return h->value[a] < h->value[b] || (h->value[a] == h->value[b] && a < b);
}

static inline void push(struct hunt *h, int state)
{
    int at = h->waiting++;
    for (; at > 0 && sooner(h, state, h->heap[(at - 1) / 2]); at = (at - 1) / 2)
        h->heap[at] = h->heap[(at - 1) / 2];
    h->heap[at] = (uint16_t)state;
}

static inline int pop(struct hunt *h)
{
    int first = h->heap[0], last = h->heap[--h->waiting], at = 0;
    for (;;) {
        int kid = 2 * at + 1;
        if (kid + 1 < h->waiting && sooner(h, h->heap[kid + 1], h->heap[kid]))
            kid++;
        if (kid >= h->waiting || !sooner(h, h->heap[kid], last))
            break;
        h->heap[at] = h->heap[kid];
        at = kid;
    }
    h->heap[at] = (uint16_t)last;
    return first;
}

static inline void remember(struct hunt *h, term t, int depth)
{
    uint32_t at = (uint32_t)(mix(t) & (SLOTS - 1));
    while (h->slot[at] != 0 && h->made[h->slot[at] - 1] != t)
        at = (at + 1) & (SLOTS - 1);
    if (h->slot[at] != 0)
        return;
    h->made[h->count] = t;
    h->depth[h->count++] = (uint8_t)depth;
    h->slot[at] = (uint16_t)h->count;
}

static inline void expand(struct hunt *h, int state)
{
    term list[NEIGHBOURS_MAX];
    int n = neighbours(h->made[state], list), depth = h->depth[state] + 1;
    h->expansions++;
    for (int i = 0; i < n && !h->over; i++) {
        remember(h, list[i], depth);
        if (list[i] == h->wanted) {
            h->proved = depth;
            h->over = 1;
        }
    }
}

/* Expands until there are terms to be valued, or it is over; how many there are. */
static inline int hunt_on(struct hunt *h)
{
    while (!h->over && h->asked == h->count) {
        if (h->waiting == 0 || h->expansions == EXPANSIONS)
            h->over = 1;
        else
            expand(h, pop(h));
    }
    return h->over ? 0 : h->count - h->asked;
}

/* h: zeros. As hunt_on. */
static inline int hunt_start(struct hunt *h, const struct theorem *t)
{
    look(t->to, &h->goal);
    h->wanted = t->to;
    remember(h, t->from, 0);
    h->asked = 1;
    push(h, 0);
    return hunt_on(h);
}

static inline void hunt_ask(const struct hunt *h, double f[NEIGHBOURS_MAX][FEATURES])
{
    for (int i = h->asked; i < h->count; i++)
        describe(&h->goal, h->made[i], h->depth[i], f[i - h->asked]);
}

/* The values of what was asked. */
static inline void hunt_tell(struct hunt *h, const double *values)
{
    for (int i = h->asked; i < h->count; i++) {
        double value = values[i - h->asked];
        h->value[i] = isnan(value) ? INFINITY : value;
        push(h, i);
    }
    h->asked = h->count;
}

/* 1 for a proof at once, a half for one with the last expansion, 0 for none. */
static inline double hunt_worth(const struct hunt *h)
{
    return h->proved > 0 ? 1 - 0.5 * h->expansions / EXPANSIONS : 0;
}

#endif
