/*
 * judge_driver CASE_SEED SHOWN SCORED AUDIT MEASURES TIMES ROUNDS: what every judge keeps to,
 * whatever a candidate answers. problem_test compiles it with one judge.c and the sanitizers; every
 * buffer has the very size that the contract names. ROUNDS is what problem.yaml says; if it says
 * any, TIMES is how often `next` is called. Exits with 1 and a line of what is wrong.
 */
#include "elm/judge.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER 4096

#define MUST(what)                                                                              \
    do {                                                                                        \
        if (!(what)) {                                                                          \
            printf("%s:%d: %s\n", __func__, __LINE__, #what);                                   \
            exit(1);                                                                            \
        }                                                                                       \
    } while (0)

struct cases {
    int n;
    void *state;
    unsigned char *in;
};

static const struct elm_judge *const judge = &elm_judge;
static uint64_t drawn = 1;

static uint64_t draw(void)
{
    uint64_t z = drawn += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static void *room(size_t bytes)
{
    void *p = calloc(1, bytes > 0 ? bytes : 1);
    MUST(p != NULL);
    return p;
}

static struct cases make(enum elm_set set, uint64_t seed, int max)
{
    struct cases c = {.state = room(judge->state_bytes),
                      .in = room((size_t)max * judge->in_bytes)};
    c.n = judge->make(c.state, set, seed, max, c.in);
    MUST(c.n > 0 && c.n <= max);
    return c;
}

static int same(const struct cases *a, const struct cases *b)
{
    return a->n == b->n && memcmp(a->in, b->in, (size_t)a->n * judge->in_bytes) == 0;
}

static void drop(struct cases *c)
{
    free(c->state);
    free(c->in);
}

/* Deterministic, and three sets where there are cases enough for three. */
static void check_make(uint64_t seed, const int asked[ELM_SETS])
{
    struct cases all = make(ELM_SET_SHOWN, seed, ELM_CASES_MAX), c[ELM_SETS];
    for (int set = 0; set < ELM_SETS; set++) {
        c[set] = make((enum elm_set)set, seed, asked[set]);
        struct cases again = make((enum elm_set)set, seed, asked[set]);
        MUST(same(&c[set], &again));
        MUST(judge->state_bytes == 0 || memcmp(c[set].state, again.state, judge->state_bytes) == 0);
        drop(&again);
    }
    for (int set = 0; set < ELM_SETS && all.n == ELM_CASES_MAX; set++) {
        const struct cases *a = &c[set], *b = &c[(set + 1) % ELM_SETS];
        int n = a->n < b->n ? a->n : b->n;
        MUST(memcmp(a->in, b->in, (size_t)n * judge->in_bytes) != 0);
    }
    for (int set = 0; set < ELM_SETS; set++)
        drop(&c[set]);
    drop(&all);
}

/* What a hostile candidate may answer; a word at a time, so that some of it looks like an answer. */
static void answer(unsigned char *out, size_t bytes, const unsigned char *want)
{
    static const double doubles[] = {NAN, -NAN, INFINITY, -INFINITY, 1e308, -1e308, 5e-324, -0.0,
                                     1e19, 4294967296.0, 0.5, 1};
    static const int32_t ints[] = {INT32_MIN, INT32_MAX, INT32_MIN + 1, -1, 0, 1, 2, 256, 257, 512};
    int style = (int)(draw() % 8);
    for (size_t at = 0; at + 4 <= bytes; at += 4) {
        uint64_t word = draw();
        int how = style < 6 ? style : (int)(draw() % 6);
        if (how == 1) {
            word = UINT64_MAX;
        } else if (how == 2 && at % 8 == 0 && at + 8 <= bytes) {
            memcpy(out + at, &doubles[word % (sizeof(doubles) / sizeof(doubles[0]))], 8);
            at += 4;
            continue;
        } else if (how == 3) {
            word = (uint32_t)ints[word % (sizeof(ints) / sizeof(ints[0]))];
        } else if (how == 4) {
            word %= 17;
        } else if (how == 5 && want != NULL) {
            memcpy(&word, want + at, 4);
        }
        memcpy(out + at, &word, 4);
    }
}

static struct elm_cost some_cost(void)
{
    static const uint64_t numbers[] = {0, 1, 2, 3, 60, 4000, UINT32_MAX, UINT64_MAX};
    uint64_t word = draw();
    return (struct elm_cost){numbers[word & 7], numbers[word >> 3 & 7],
                             (uint32_t)numbers[word >> 6 & 7], (uint32_t)numbers[word >> 9 & 7],
                             (uint32_t)numbers[word >> 12 & 7], judge->next != NULL};
}

static void check_result(const struct elm_result *r, int n, int measures)
{
    MUST(r->invalid == 0 || r->invalid == 1);
    MUST(memchr(r->why, '\0', sizeof(r->why)) != NULL);
    MUST(!r->invalid || r->why[0] != '\0');
    for (int i = 0; i < ELM_CASES_MAX && !r->invalid; i++)
        MUST(r->pass[i] <= (i < n));
    for (int i = 0; i < ELM_MEASURES_MAX && !r->invalid; i++)
        MUST(i < measures ? isfinite(r->measures[i]) : r->measures[i] == 0);
    MUST(r->invalid || isfinite(r->fitness));
}

static int mutual(int a_to_b)
{
    return a_to_b == -1 || a_to_b == 0 || a_to_b == 1;
}

/* One answer judged; by comparison, against another, both ways. */
static void check_judging(const struct cases *c, const unsigned char *out,
                          const unsigned char *other, int measures)
{
    struct elm_cost cost = some_cost(), theirs = some_cost();
    struct elm_result *r = room(3 * sizeof(*r));
    if (judge->score != NULL) {
        judge->score(c->state, c->n, c->in, out, &cost, &r[0]);
        judge->score(c->state, c->n, c->in, out, &cost, &r[1]);
        MUST(memcmp(&r[0], &r[1], sizeof(*r)) == 0);
    } else {
        int ours = judge->compare(c->state, c->n, c->in, other, &theirs, out, &cost, &r[0]);
        int back = judge->compare(c->state, c->n, c->in, out, &cost, other, &theirs, &r[1]);
        MUST(mutual(ours) && ours == -back);
        MUST(judge->compare(c->state, c->n, c->in, out, &cost, out, &cost, &r[2]) == 0);
        MUST(memcmp(r[0].measures, r[2].measures, sizeof(r[0].measures)) == 0);
        check_result(&r[1], c->n, measures);
    }
    check_result(&r[0], c->n, measures);
    free(r);
}

static void check_words(const struct cases *c, const unsigned char *out)
{
    static const size_t sizes[] = {1, 24, BUFFER};
    int i = (int)(draw() % (uint64_t)c->n);
    for (int k = 0; k < 3 && judge->explain != NULL; k++) {
        char *text = room(sizes[k]);
        judge->explain(c->state, c->in + (size_t)i * judge->in_bytes,
                       out + (size_t)i * judge->out_bytes, text, sizes[k]);
        MUST(memchr(text, '\0', sizes[k]) != NULL);
        free(text);
    }
    for (int k = 0; k < 3 && judge->picture != NULL; k++) {
        char *svg = room(sizes[k] * 16);
        MUST(judge->picture(c->state, c->n, c->in, out, svg, sizes[k] * 16) <= sizes[k] * 16);
        free(svg);
    }
}

/* The wanted answers pass, whatever stands where nothing is prescribed. NULL where there are none. */
static unsigned char *check_want(const struct cases *c, int measures)
{
    size_t bytes = (size_t)c->n * judge->out_bytes;
    if (judge->want == NULL)
        return NULL;
    MUST(judge->score != NULL);
    unsigned char *out = room(bytes), *mask = room(bytes);
    memset(mask, 7, bytes);
    judge->want(c->state, c->n, c->in, out, mask);
    struct elm_result *r = room(2 * sizeof(*r));
    struct elm_cost cost = {.steps = 1000, .nodes = 20, .text_bytes = 100, .operators = 9};
    judge->score(c->state, c->n, c->in, out, &cost, &r[0]);
    check_result(&r[0], c->n, measures);
    MUST(!r[0].invalid);
    for (int i = 0; i < c->n; i++)
        MUST(r[0].pass[i]);
    for (size_t i = 0; i < bytes; i++) {
        MUST(mask[i] <= 1);
        if (!mask[i])
            out[i] = (unsigned char)draw();
    }
    judge->score(c->state, c->n, c->in, out, &cost, &r[1]);
    MUST(memcmp(&r[0], &r[1], sizeof(*r)) == 0);
    free(mask);
    free(r);
    return out;
}

/* ---- rounds ---- */

struct game {
    const struct cases *c;
    uint64_t policies[2];          /* of the even lanes and the odd ones */
    unsigned char *world, *in, *out;
    uint8_t *live;
    int round;                     /* played */
    struct elm_result result;
    int compared;
};

/* The same question, the same answer. */
static void answer_lane(struct game *g, int lane)
{
    const unsigned char *in = g->in + (size_t)lane * judge->in_bytes;
    uint64_t kept = drawn;
    drawn = g->policies[judge->compare != NULL ? lane % 2 : 0];
    for (size_t i = 0; i < judge->in_bytes; i++)
        drawn = (drawn ^ in[i]) * 0x100000001b3u;
    answer(g->out + (size_t)lane * judge->out_bytes, judge->out_bytes, NULL);
    drawn = kept;
}

static int answer_live(struct game *g, int returned)
{
    int count = 0;
    for (int i = 0; i < g->c->n; i++) {
        MUST(g->live[i] <= 1);
        count += g->live[i];
        if (g->live[i])
            answer_lane(g, i);
    }
    MUST(count == returned);
    return count;
}

static void play(struct game *g, int rounds, int *calls)
{
    const struct cases *c = g->c;
    size_t in_bytes = (size_t)c->n * judge->in_bytes;
    struct elm_cost cost = {.steps = 1000, .nodes = 20, .text_bytes = 100};
    g->world = room(judge->world_bytes);
    g->in = room(in_bytes);
    g->out = room((size_t)c->n * judge->out_bytes);
    g->live = room((size_t)c->n);
    memcpy(g->in, c->in, in_bytes);
    memset(g->live, 1, (size_t)c->n);
    int live;
    for (g->round = 0; (*calls)++,
         (live = judge->next(c->state, g->world, g->round, c->n, g->out, g->in, g->live)) > 0 &&
         g->round < rounds; g->round++)
        answer_live(g, live);
    cost.rounds = (uint32_t)g->round;
    memset(&g->result, 0, sizeof(g->result));
    if (judge->compare != NULL)
        g->compared = judge->compare(c->state, c->n, c->in, g->world, &cost, g->world, &cost,
                                     &g->result);
    else
        judge->score(c->state, c->n, c->in, g->world, &cost, &g->result);
    for (int k = 0; k < 2 && judge->picture != NULL; k++) {
        size_t bytes = k == 0 ? 24 : 16 * BUFFER;
        char *svg = room(bytes);
        MUST(judge->picture(c->state, c->n, c->in, g->world, svg, bytes) <= bytes);
        free(svg);
    }
    free(g->world);
    free(g->in);
    free(g->out);
    free(g->live);
}

/* The same answers, the same game; who wins does not depend on the seat. */
static void check_rounds(const struct cases *c, int measures, int times, int rounds)
{
    size_t in_bytes = (size_t)c->n * judge->in_bytes;
    unsigned char *kept = room(in_bytes);
    memcpy(kept, c->in, in_bytes);
    for (int calls = 0; calls < times;) {
        struct game *g = room(4 * sizeof(*g));
        uint64_t a = draw(), b = draw();
        for (int k = 0; k < 4; k++) {
            g[k].c = c;
            g[k].policies[0] = k == 2 ? b : a;
            g[k].policies[1] = k == 2 || k == 3 ? a : b;
            if (k < 2 || judge->compare != NULL)
                play(&g[k], rounds, &calls);
        }
        MUST(g[0].round == g[1].round && g[0].compared == g[1].compared);
        MUST(memcmp(&g[0].result, &g[1].result, sizeof(g[0].result)) == 0);
        check_result(&g[0].result, c->n, measures);
        MUST(judge->score != NULL ||
             (mutual(g[0].compared) && g[0].compared == -g[2].compared && g[3].compared == 0));
        free(g);
    }
    MUST(memcmp(kept, c->in, in_bytes) == 0);
    free(kept);
}

int main(int argc, char **argv)
{
    MUST(argc == 8);
    uint64_t seed = strtoull(argv[1], NULL, 10);
    int asked[ELM_SETS] = {atoi(argv[2]), atoi(argv[3]), atoi(argv[4])};
    int measures = atoi(argv[5]), times = atoi(argv[6]), rounds = atoi(argv[7]);
    MUST(judge->version == ELM_JUDGE_VERSION && judge->in_bytes > 0 && judge->out_bytes > 0);
    MUST(judge->make != NULL && (judge->score != NULL) != (judge->compare != NULL));
    MUST((judge->next != NULL) == (rounds > 0));
    check_make(seed, asked);
    struct cases c = make(ELM_SET_SHOWN, seed, asked[ELM_SET_SHOWN]);
    unsigned char *want = rounds > 0 ? NULL : check_want(&c, measures);
    size_t bytes = (size_t)c.n * judge->out_bytes;
    unsigned char *out = room(bytes), *other = room(bytes), *kept = room(judge->state_bytes);
    memcpy(kept, c.state, judge->state_bytes);
    if (rounds > 0)
        check_rounds(&c, measures, times, rounds);
    for (int i = 0; i < times && rounds == 0; i++) {
        answer(out, bytes, want);
        answer(other, bytes, i % 2 ? out : want);
        check_judging(&c, out, other, measures);
        check_words(&c, out);
    }
    MUST(memcmp(kept, c.state, judge->state_bytes) == 0);
    free(kept);
    free(out);
    free(other);
    free(want);
    drop(&c);
    return 0;
}
