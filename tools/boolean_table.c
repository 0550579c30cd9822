/*
 * boolean_table: the least number of gates for every function of four inputs, printed as the table
 * in problems/boolean/judge.c. `make boolean-table` builds and runs it (seconds).
 *
 * A gate is any function of two values, and negation is free, so that gates may be taken from
 * {a & b, a & ~b, ~a & b, a | b, a ^ b} and functions from those that are 0 where all inputs are.
 * All chains of up to six gates are walked, up to the order of independent gates and up to
 * permuting and negating inputs and negating the output (NPN): the first gate is one of two. What
 * six gates don't reach is shown to need seven by naming a function of six and one more gate.
 * The counts it prints are those of Knuth, The Art of Computer Programming 4A, 7.1.2.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define FUNCTIONS 65536
#define GATES_MAX 6
#define UNKNOWN 255

static const uint16_t inputs[4] = {0xaaaa, 0xcccc, 0xf0f0, 0xff00};

struct walk {
    uint8_t cost[FUNCTIONS];       /* of normal functions: bit 0 clear */
    uint16_t chain[4 + GATES_MAX];
    uint8_t used[4 + GATES_MAX];
    int length;                    /* gates of the chains walked now */
};

static uint16_t gate(int op, uint16_t a, uint16_t b)
{
    switch (op) {
    case 0: return a & b;
    case 1: return a & (uint16_t)~b;
    case 2: return (uint16_t)~a & b;
    case 3: return a | b;
    default: return a ^ b;
    }
}

/* Gates of the chain that nothing reads yet; the last may be the answer. */
static int idle(const struct walk *w, int count)
{
    int n = 0;
    for (int i = 4; i < count; i++)
        n += w->used[i] == 0;
    return n;
}

static int in_chain(const struct walk *w, int count, uint16_t f)
{
    for (int i = 0; i < count; i++) {
        if (w->chain[i] == f)
            return 1;
    }
    return f == 0;
}

static void extend(struct walk *w, int gates)
{
    int count = 4 + gates;
    for (int j = 1; j < count; j++) {
        for (int i = 0; i < j; i++) {
            w->used[i]++;
            w->used[j]++;
            for (int op = 0; op < 5; op++) {
                uint16_t f = gate(op, w->chain[i], w->chain[j]);
                if (in_chain(w, count, f))
                    continue;
                if (gates + 1 == w->length) {
                    if (w->cost[f] == UNKNOWN)
                        w->cost[f] = (uint8_t)w->length;
                    continue;
                }
                /* the first is a & b or a ^ b of the first two inputs */
                if (gates == 0 && (j > 1 || (op != 0 && op != 4)))
                    continue;
                /* gates that don't depend on each other: one order will do */
                if (gates > 1 && j != count - 1 && f < w->chain[count - 1])
                    continue;
                w->chain[count] = f;
                w->used[count] = 0;
                /* each gate to come can put one idle gate to use */
                if (idle(w, count + 1) <= w->length - gates)
                    extend(w, gates + 1);
            }
            w->used[i]--;
            w->used[j]--;
        }
    }
}

/* f with its inputs renamed by order, those in `negated` negated; normal. */
static uint16_t transform(uint16_t f, const int order[4], int negated)
{
    uint16_t g = 0;
    for (int row = 0; row < 16; row++) {
        int from = 0;
        for (int k = 0; k < 4; k++)
            from |= ((row ^ negated) >> k & 1) << order[k];
        g |= (uint16_t)((f >> from & 1) << row);
    }
    return g & 1 ? (uint16_t)~g : g;
}

/* Calls the function on every transform of f. */
static void each_transform(uint16_t f, void (*visit)(void *ctx, uint16_t g), void *ctx)
{
    int order[4];
    for (int code = 0; code < 256; code++) {
        int seen = 0;
        for (int k = 0; k < 4; k++) {
            order[k] = code >> 2 * k & 3;
            seen |= 1 << order[k];
        }
        for (int negated = 0; negated < 16 && seen == 15; negated++)
            visit(ctx, transform(f, order, negated));
    }
}

static void keep_least(void *ctx, uint16_t g)
{
    uint16_t *least = ctx;
    if (g < *least)
        *least = g;
}

static uint16_t class_of(uint16_t f)
{
    uint16_t least = UINT16_MAX;
    each_transform(f, keep_least, &least);
    return least;
}

struct spread {
    uint8_t *cost;
    uint8_t value;
};

static void set_cost(void *ctx, uint16_t g)
{
    struct spread *s = ctx;
    if (s->cost[g] == UNKNOWN)
        s->cost[g] = s->value;
}

static void walk_chains(struct walk *w, int length)
{
    w->length = length;
    extend(w, 0);
    for (int f = 0; f < FUNCTIONS; f += 2) {
        struct spread s = {w->cost, (uint8_t)length};
        if (w->cost[f] == length)
            each_transform((uint16_t)f, set_cost, &s);
    }
}

static int seven_gates(const struct walk *w, uint16_t f)
{
    for (int g = 2; g < FUNCTIONS; g += 2) {
        if (w->cost[g] > GATES_MAX)
            continue;
        for (int i = 0; i < 4; i++) {
            for (int op = 0; op < 5; op++) {
                if (gate(op, (uint16_t)g, inputs[i]) == f)
                    return 1;
            }
        }
    }
    return 0;
}

static void print(const uint8_t *cost)
{
    int counts[8] = {0}, column = 0, classes = 0;
    for (int f = 0; f < FUNCTIONS; f += 2) {
        counts[cost[f]] += 2;
        if (class_of((uint16_t)f) != f)
            continue;
        printf("%s0x%05x,", column == 0 ? "    " : " ", (unsigned)f << 3 | cost[f]);
        column = (column + 1) % 9;
        if (column == 0)
            printf("\n");
        classes++;
    }
    fprintf(stderr, "%d classes; functions by gates:", classes);
    for (int k = 0; k < 8; k++)
        fprintf(stderr, " %d", counts[k]);
    fprintf(stderr, "\n");
    printf("%s", column > 0 ? "\n" : "");
}

int main(void)
{
    struct walk *w = malloc(sizeof(*w));
    if (w == NULL)
        return 1;
    for (int f = 0; f < FUNCTIONS; f++)
        w->cost[f] = UNKNOWN;
    w->cost[0] = 0;
    for (int i = 0; i < 4; i++) {
        w->chain[i] = inputs[i];
        w->used[i] = 0;
        w->cost[inputs[i]] = 0;
    }
    for (int length = 1; length <= GATES_MAX; length++)
        walk_chains(w, length);
    for (int f = 0; f < FUNCTIONS; f += 2) {
        if (w->cost[f] != UNKNOWN)
            continue;
        if (!seven_gates(w, (uint16_t)f)) {
            fprintf(stderr, "0x%04x is not reached by a seventh gate\n", f);
            return 1;
        }
    }
    for (int f = 0; f < FUNCTIONS; f += 2)
        w->cost[f] = w->cost[f] == UNKNOWN ? GATES_MAX + 1 : w->cost[f];
    print(w->cost);
    free(w);
    return 0;
}
