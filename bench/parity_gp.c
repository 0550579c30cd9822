/*
 * parity_gp [quick]: plain genetic programming on the buggy parities of Lehman et al. 2022, section
 * 3.1: the share of single mutations of one parent with 1..5 bugs that mend them all. The tree is
 * theirs, (b1 + (b2 + (b3 + b4))) % 2 with % as in Python; a mutation gives each node with chance p
 * another of its kind, and the rate at the best p is printed. An undefined c is 0 here.
 *
 * A loop of its own and not elm's: what is measured is their operator on their tree. The 8.1 million
 * trees that it can give are all run first, so that a trial looks its tree up; the rate that follows
 * from counting the right ones is printed too, and the trials must agree with it.
 */
#include "elm/base.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INNER 4                  /* function nodes, from the root down the right-hand sides */
#define LEAVES 5                 /* the last is the modulus */
#define TERMINALS 10             /* b1..b4 c1..c4 2 3 */
#define TREES (81 * 100000)      /* FUNCTIONS ^ INNER * TERMINALS ^ LEAVES */
#define BUGS 5
#define PARITY 0x6996u           /* bit r: the answer on row r */
#define TRIALS 10000000
#define TRIALS_QUICK 2000000

enum function { ADD, SUB, MOD, FUNCTIONS };

struct tree {
    uint8_t inner[INNER], leaf[LEAVES];
};

struct counts {
    int of[BUGS + 1][INNER + 1][LEAVES + 1];
};

static const double chances[] = {0.2, 0.3, 0.4, 0.5, 0.6};
static uint64_t right_trees[TREES / 64 + 1];     /* a bit each */

/* elm_rng would take most of the time. */
static uint64_t draw_word(uint64_t *s)
{
    uint64_t z = *s += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static struct tree buggy(int bugs)
{
    struct tree t = {{MOD, ADD, ADD, ADD}, {0, 1, 2, 3, 8}};
    for (int k = 0; k < bugs && k < 4; k++)
        t.leaf[k] += 4;
    t.leaf[4] += bugs == BUGS;
    return t;
}

static int terminal(uint8_t leaf, unsigned row)
{
    return leaf < 4 ? (int)(row >> leaf & 1) : leaf < 8 ? 0 : leaf - 6;
}

/* false: division by zero */
static bool apply(uint8_t function, int a, int b, int *value)
{
    if (function == MOD && b == 0)
        return false;
    *value = function == ADD ? a + b : function == SUB ? a - b : a % b;
    if (function == MOD && *value != 0 && (*value < 0) != (b < 0))
        *value += b;
    return true;
}

static bool right_on(const struct tree *t, unsigned row)
{
    int value = terminal(t->leaf[3], row);
    for (int k = 2; k >= 0; k--) {
        if (!apply(t->inner[k + 1], terminal(t->leaf[k], row), value, &value))
            return false;
    }
    return apply(t->inner[0], value, terminal(t->leaf[4], row), &value) &&
           value == (int)(PARITY >> row & 1);
}

static bool right(const struct tree *t)
{
    for (unsigned row = 0; row < 16; row++) {
        if (!right_on(t, row))
            return false;
    }
    return true;
}

/* One draw says both whether to mutate and to what: below p of its range, the place there. */
static uint32_t mutated(uint32_t node, uint32_t kinds, double p, uint64_t word)
{
    double draw = (double)(int64_t)(word & UINT32_MAX) * (0x1p-32 / p);
    uint32_t another = (uint32_t)(int)(draw * kinds);
    return draw < 1 ? another : node;
}

static double tried(int bugs, double p, int trials)
{
    uint64_t seed = (uint64_t)bugs << 32 | (uint64_t)(p * 100);
    struct tree parent = buggy(bugs);
    int mended = 0;
    for (int i = 0; i < trials; i++) {
        uint64_t draw = 0;
        uint32_t code = 0;
        for (int k = 0; k < INNER + LEAVES; k++) {
            draw = k % 2 == 0 ? draw_word(&seed) : draw >> 32;
            code = k < INNER
                ? code * FUNCTIONS + mutated(parent.inner[k], FUNCTIONS, p, draw)
                : code * TERMINALS + mutated(parent.leaf[k - INNER], TERMINALS, p, draw);
        }
        mended += (int)(right_trees[code / 64] >> code % 64 & 1);
    }
    return (double)mended / trials;
}

/* Runs all trees: which are right, and how many of them differ from each parent in so many inner
 * nodes and leaves. */
static void count(struct counts *c)
{
    struct tree parents[BUGS + 1], t;
    for (int bugs = 1; bugs <= BUGS; bugs++)
        parents[bugs] = buggy(bugs);
    for (uint32_t code = 0; code < TREES; code++) {
        uint32_t rest = code;
        for (int i = LEAVES - 1; i >= 0; i--, rest /= TERMINALS)
            t.leaf[i] = (uint8_t)(rest % TERMINALS);
        for (int i = INNER - 1; i >= 0; i--, rest /= FUNCTIONS)
            t.inner[i] = (uint8_t)(rest % FUNCTIONS);
        if (!right(&t))
            continue;
        right_trees[code / 64] |= 1ull << code % 64;
        for (int bugs = 1; bugs <= BUGS; bugs++) {
            int inner = 0, leaves = 0;
            for (int i = 0; i < INNER; i++)
                inner += t.inner[i] != parents[bugs].inner[i];
            for (int i = 0; i < LEAVES; i++)
                leaves += t.leaf[i] != parents[bugs].leaf[i];
            c->of[bugs][inner][leaves]++;
        }
    }
}

static double counted(const struct counts *c, int bugs, double p)
{
    double sum = 0, another = p / FUNCTIONS, other = p / TERMINALS;
    for (int i = 0; i <= INNER; i++) {
        for (int k = 0; k <= LEAVES; k++)
            sum += c->of[bugs][i][k] * pow(another, i) * pow(1 - p + another, INNER - i) *
                   pow(other, k) * pow(1 - p + other, LEAVES - k);
    }
    return sum;
}

int main(int argc, char **argv)
{
    int trials = argc > 1 && strcmp(argv[1], "quick") == 0 ? TRIALS_QUICK : TRIALS;
    static struct counts counts;
    count(&counts);
    for (int bugs = 1; bugs <= BUGS; bugs++) {
        double best = 0, exact = 0;
        for (size_t i = 0; i < ELM_COUNT(chances); i++) {
            double rate = tried(bugs, chances[i], trials);
            double wanted = counted(&counts, bugs, chances[i]);
            best = fmax(best, rate);
            exact = fmax(exact, wanted);
            if (fabs(rate - wanted) > 6 * sqrt(wanted / trials)) {
                fprintf(stderr, "parity_gp: %d bugs, p = %g: %g by trials, %g counted\n", bugs,
                        chances[i], rate, wanted);
                return 1;
            }
        }
        printf("parity_gp_%d %.6f percent\n", bugs, 100 * best);
        printf("parity_gp_counted_%d %.7f percent\n", bugs, 100 * exact);
        fflush(stdout);
    }
    return 0;
}
