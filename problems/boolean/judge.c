/*
 * boolean: a function of four bits by & | ^ ~ on whole words. A case is four words whose 32 bit
 * places hold all 16 rows twice in random order, so one call decides all rows and no constant can
 * stand for the table. Fitness: rows right in every place (0..16); when all are, plus least gates
 * / gates used, 17 at best. A gate is a binary operator of the program's tree; ~ is free.
 */
#include "elm/judge.h"

#include <stdio.h>
#include <string.h>

#define ROWS 16
#define PLACES 32

struct in {
    uint32_t word[4];
};
struct out {
    uint32_t value, unused;
};
struct state {
    uint16_t function;         /* bit r: the value on row r; input k of row r is bit k of r */
    uint32_t least_gates;
};

/* function << 3 | gates for the least function of each class under permuting and negating inputs
 * and negating the output; ascending. Printed by `make boolean-table` (tools/boolean_table.c). */
static const uint32_t classes[] = {
    0x00000, 0x00013, 0x00033, 0x00052, 0x00073, 0x000b5, 0x000c4, 0x000d4, 0x000f3,
    0x00174, 0x001e2, 0x001f4, 0x003f4, 0x00475, 0x004b3, 0x004f5, 0x00551, 0x00573,
    0x005f3, 0x00772, 0x007f3, 0x008b7, 0x008c6, 0x008d6, 0x008f5, 0x00956, 0x00965,
    0x00975, 0x009e5, 0x009f5, 0x00b45, 0x00b56, 0x00b75, 0x00bf6, 0x00c05, 0x00c15,
    0x00c35, 0x00c45, 0x00c55, 0x00c75, 0x00cb6, 0x00cc4, 0x00cd5, 0x00cf6, 0x00d44,
    0x00d54, 0x00d66, 0x00d74, 0x00de6, 0x00df5, 0x00f46, 0x00f55, 0x00f74, 0x00ff3,
    0x01176, 0x011f5, 0x01235, 0x01275, 0x012b4, 0x012d4, 0x012f6, 0x01376, 0x013f6,
    0x014b5, 0x014f6, 0x01575, 0x015f5, 0x01674, 0x016b6, 0x016f5, 0x01755, 0x01774,
    0x017f4, 0x019e4, 0x019f6, 0x01ab3, 0x01ac5, 0x01ad4, 0x01af5, 0x01b46, 0x01b55,
    0x01b65, 0x01b75, 0x01be5, 0x01bf5, 0x01cb5, 0x01cd4, 0x01cf6, 0x01d74, 0x01df6,
    0x01e03, 0x01e15, 0x01e35, 0x01e55, 0x01e63, 0x01e75, 0x01ea5, 0x01eb5, 0x01ec6,
    0x01ed5, 0x01ee4, 0x01ef4, 0x01f55, 0x01f75, 0x01fe2, 0x03303, 0x03315, 0x03333,
    0x03346, 0x03355, 0x03376, 0x03396, 0x033b5, 0x033c6, 0x033d6, 0x033f6, 0x03484,
    0x03496, 0x034b4, 0x034d6, 0x034f6, 0x03586, 0x03596, 0x035a6, 0x035b6, 0x035c6,
    0x035d6, 0x035e6, 0x035f6, 0x03755, 0x03775, 0x03784, 0x03796, 0x037b4, 0x037c5,
    0x03bb6, 0x03bc5, 0x03bd6, 0x03bf6, 0x03cb5, 0x03cf5, 0x03d76, 0x03d84, 0x03d96,
    0x03da5, 0x03db6, 0x03dd6, 0x03de5, 0x03f05, 0x03f16, 0x03f36, 0x03f46, 0x03f56,
    0x03f84, 0x03f94, 0x03fc3, 0x04477, 0x044f6, 0x04575, 0x045f6, 0x04775, 0x047f5,
    0x04cb5, 0x04cf7, 0x04d75, 0x04db6, 0x04df6, 0x04fb3, 0x055f5, 0x05673, 0x05774,
    0x057d3, 0x05db7, 0x05eb5, 0x05f95, 0x07f81, 0x0b346, 0x0b357, 0x0b376, 0x0b3f6,
    0x0b435, 0x0b477, 0x0b4b5, 0x0b4c7, 0x0b4d6, 0x0b4f5, 0x0b567, 0x0b5e5, 0x0bbf6,
    0x0bc75, 0x0bcb5, 0x0bcc6, 0x0bcd7, 0x0bd66, 0x0bf45, 0x0c437, 0x0c4b6, 0x0c536,
    0x0c5b7, 0x0c736, 0x0ccb6, 0x0cd35, 0x0cdb6, 0x0cf34, 0x0d5b7, 0x0d636, 0x0d736,
    0x0dec5, 0x0df24, 0x145f5, 0x14cb6, 0x14cf6, 0x14eb5, 0x16e93, 0x34cb3, 0x407f6,
    0x40bf4, 0x415f4, 0x419f6, 0x44774, 0x4b4b2, 0x55550,
};

static uint64_t draw(uint64_t *s)
{
    uint64_t z = *s += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static uint16_t transform(uint16_t f, const int order[4], int negated)
{
    uint16_t g = 0;
    for (int row = 0; row < ROWS; row++) {
        int from = 0;
        for (int k = 0; k < 4; k++)
            from |= ((row ^ negated) >> k & 1) << order[k];
        g |= (uint16_t)((f >> from & 1) << row);
    }
    return g & 1 ? (uint16_t)~g : g;
}

/* The least function of f's class. */
static uint16_t class_of(uint16_t f)
{
    uint16_t least = UINT16_MAX;
    for (int code = 0; code < 256; code++) {
        int order[4], seen = 0;
        for (int k = 0; k < 4; k++) {
            order[k] = code >> 2 * k & 3;
            seen |= 1 << order[k];
        }
        for (int negated = 0; negated < ROWS && seen == 15; negated++) {
            uint16_t g = transform(f, order, negated);
            if (g < least)
                least = g;
        }
    }
    return least;
}

static uint32_t least_gates(uint16_t f)
{
    uint16_t least = class_of(f);
    size_t i = 0;
    while (classes[i] >> 3 != least)
        i++;
    return classes[i] & 7;
}

/* case_seed: the function in its low 16 bits; the orders of rows come from all of it. */
static int make(void *state, enum elm_set set, uint64_t seed, int max, void *in)
{
    struct state *known = state;
    known->function = (uint16_t)seed;
    known->least_gates = least_gates(known->function);
    uint64_t s = seed * ELM_SETS + set;
    struct in *c = in;
    memset(c, 0, (size_t)max * sizeof(*c));
    for (int i = 0; i < max; i++) {
        uint8_t row[PLACES];
        for (int k = 0; k < PLACES; k++) {
            int other = (int)(draw(&s) % (uint64_t)(k + 1));
            row[k] = row[other];
            row[other] = (uint8_t)(k % ROWS);
        }
        for (int place = 0; place < PLACES; place++) {
            for (int k = 0; k < 4; k++)
                c[i].word[k] |= (uint32_t)(row[place] >> k & 1) << place;
        }
    }
    return max;
}

static int row_of(const struct in *c, int place)
{
    int row = 0;
    for (int k = 0; k < 4; k++)
        row |= (int)(c->word[k] >> place & 1) << k;
    return row;
}

static uint32_t wanted(const struct state *known, const struct in *c)
{
    uint32_t word = 0;
    for (int place = 0; place < PLACES; place++)
        word |= (uint32_t)(known->function >> row_of(c, place) & 1) << place;
    return word;
}

static int bits(uint32_t word)
{
    return __builtin_popcount(word);
}

static void score(const void *state, int n, const void *in, const void *out,
                  const struct elm_cost *cost, struct elm_result *result)
{
    const struct state *known = state;
    const struct in *c = in;
    const struct out *o = out;
    uint32_t wrong_rows = 0, ones = 0;
    for (int i = 0; i < n; i++) {
        uint32_t wrong = o[i].value ^ wanted(known, &c[i]);
        result->pass[i] = wrong == 0;
        for (; wrong != 0; wrong &= wrong - 1)
            wrong_rows |= 1u << row_of(&c[i], __builtin_ctz(wrong));
    }
    for (int place = 0; place < PLACES; place++)
        ones |= (o[0].value >> place & 1) << row_of(&c[0], place);
    result->fitness = ROWS - bits(wrong_rows);
    /* fewer than the least can't be: a loop, or a count that is not known */
    if (wrong_rows == 0 && cost->operators >= known->least_gates)
        result->fitness += cost->operators == 0 ? 1 : (double)known->least_gates / cost->operators;
    result->measures[0] = bits(ones);
    result->measures[1] = cost->operators;
}

static void want(const void *state, int n, const void *in, void *out, uint8_t *want_mask)
{
    const struct in *c = in;
    struct out *o = out;
    memset(want_mask, 0, (size_t)n * sizeof(*o));
    for (int i = 0; i < n; i++) {
        o[i] = (struct out){wanted(state, &c[i]), 0};
        memset(want_mask + (size_t)i * sizeof(*o), 1, sizeof(o->value));
    }
}

static void explain(const void *state, const void *in, const void *out, char *text,
                    size_t text_bytes)
{
    const struct state *known = state;
    const struct in *c = in;
    const struct out *o = out;
    uint32_t wrong = o->value ^ wanted(known, c);
    if (wrong == 0) {
        snprintf(text, text_bytes, "all rows right");
        return;
    }
    int row = row_of(c, __builtin_ctz(wrong));
    snprintf(text, text_bytes, "a = %d, b = %d, c = %d, d = %d: wanted %d, got %d", row & 1,
             row >> 1 & 1, row >> 2 & 1, row >> 3, known->function >> row & 1,
             ~known->function >> row & 1);
}

const struct elm_judge elm_judge = {
    .version = ELM_JUDGE_VERSION,
    .in_bytes = sizeof(struct in),
    .out_bytes = sizeof(struct out),
    .state_bytes = sizeof(struct state),
    .make = make,
    .score = score,
    .want = want,
    .explain = explain,
};
