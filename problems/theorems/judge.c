/*
 * theorems: proofs that one term of a Boolean ring can be rewritten to another, found by best-first
 * search with so many expansions and no more. The candidate says of each term that the search makes
 * how far from the goal it is; what is said to be nearest is expanded next. A lane is a theorem, a
 * round an expansion.
 *
 * Distances are exact and in turn those of `distances`; audit theorems are farther than any that
 * the search sees. A theorem belongs to one set only, whatever the seed.
 */
#include "elm/judge.h"
#include "hunt.h"

struct in {
    int32_t n, unused;
    double f[NEIGHBOURS_MAX][FEATURES];
};
struct out {
    double value[NEIGHBOURS_MAX];
};

#define LANES_MAX 64

static const int distances[ELM_SETS][2] = {{3, 6}, {3, 6}, {5, 8}};

struct state {
    int count;
    struct theorem theorems[LANES_MAX];
};
struct world {
    struct hunt hunts[LANES_MAX];
};

static void ask(const struct hunt *h, int n, struct in *in)
{
    in->n = n;
    memset(in->f, 0, sizeof(in->f));
    if (n > 0)
        hunt_ask(h, in->f);
}

static int make(void *state, enum elm_set set, uint64_t seed, int max, void *in)
{
    struct state *s = state;
    struct side *sides = calloc(2, sizeof(*sides));
    struct hunt *h = malloc(sizeof(*h));
    if (sides != NULL && h != NULL)
        s->count = make_theorems(sides, seed, (int)set, distances[set][0], distances[set][1],
                                 max < LANES_MAX ? max : LANES_MAX, s->theorems);
    memset(in, 0, (size_t)max * sizeof(struct in));
    for (int i = 0; i < s->count; i++) {
        memset(h, 0, sizeof(*h));
        ask(h, hunt_start(h, &s->theorems[i]), &((struct in *)in)[i]);
    }
    free(h);
    free(sides);
    return s->count;
}

static int next(const void *state, void *world, int round, int n, const void *out, void *in,
                uint8_t *live)
{
    const struct state *s = state;
    struct world *w = world;
    int left = 0;
    for (int i = 0; i < n; i++) {
        struct hunt *h = &w->hunts[i];
        int asked = 0;
        if (round == 0) {
            asked = hunt_start(h, &s->theorems[i]);
        } else if (live[i]) {
            hunt_tell(h, ((const struct out *)out)[i].value);
            asked = hunt_on(h);
        }
        left += live[i] = asked > 0;
        if (live[i])
            ask(h, asked, &((struct in *)in)[i]);
    }
    return left;
}

static void score(const void *state, int n, const void *in, const void *out,
                  const struct elm_cost *cost, struct elm_result *result)
{
    const struct state *s = state;
    const struct world *w = out;
    double worth = 0, detours = 0;
    int proved = 0;
    (void)in;
    (void)cost;
    for (int i = 0; i < n; i++) {
        const struct hunt *h = &w->hunts[i];
        worth += hunt_worth(h);
        result->pass[i] = h->proved > 0;
        if (h->proved > 0)
            detours += h->proved - s->theorems[i].distance;
        proved += h->proved > 0;
    }
    result->fitness = n > 0 ? worth / n : 0;
    result->measures[0] = proved > 0 ? detours / proved : 0;
}

const struct elm_judge elm_judge = {
    .version = ELM_JUDGE_VERSION,
    .in_bytes = sizeof(struct in),
    .out_bytes = sizeof(struct out),
    .state_bytes = sizeof(struct state),
    .world_bytes = sizeof(struct world),
    .make = make,
    .next = next,
    .score = score,
};
