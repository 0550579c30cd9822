/*
 * lexicase: cases in random order, each of which leaves only those that pass it, as long as any do;
 * one of the last ones is drawn. Specialists get their turn: what passes a case that few pass is
 * chosen whenever that case comes early. 64 elites are filtered at a time.
 * Source: Spector 2012; Helmuth, Spector & Matheson 2015; for the frequencies La Cava et al. 2019.
 */
#include "elm/archive.h"

#include <stdlib.h>
#include <string.h>

static uint32_t ones(const uint64_t *bits, uint32_t words)
{
    uint32_t n = 0;
    for (uint32_t w = 0; w < words; w++)
        n += (uint32_t)__builtin_popcountll(bits[w]);
    return n;
}

/* Position of the set bit number n, from 0. */
static uint32_t bit_at(const uint64_t *bits, uint32_t n)
{
    uint32_t w = 0;
    for (;; w++) {
        uint32_t here = (uint32_t)__builtin_popcountll(bits[w]);
        if (n < here)
            break;
        n -= here;
    }
    uint64_t rest = bits[w];
    for (; n > 0; n--)
        rest &= rest - 1;
    return w * 64 + (uint32_t)__builtin_ctzll(rest);
}

/* Leaves the pool's part that passes a case, unless nobody does. Is only one left? */
static bool filter(uint64_t *pool, uint64_t *passing, const uint64_t *pass, uint32_t words)
{
    uint64_t several = 0;
    uint32_t filled = 0;
    for (uint32_t w = 0; w < words; w++) {
        uint64_t p = passing[w] = pool[w] & pass[w];
        filled += p != 0;
        several |= p & (p - 1);
    }
    if (filled > 0)
        memcpy(pool, passing, words * sizeof(pool[0]));
    return filled == 1 && several == 0;
}

/* One of the range but `except`, unless there is no other. */
static uint32_t select_one(const struct elm_selection *from, struct elm_rng *rng, uint64_t *pool,
                           uint64_t *passing, uint32_t *order, uint32_t except)
{
    const struct elm_case_table *t = from->cases;
    memset(pool, 0, t->words * sizeof(pool[0]));
    for (uint32_t i = from->first; i < from->first + from->count; i++) {
        if (i != except || from->count == 1)
            pool[i / 64] |= 1ull << i % 64;
    }
    for (uint32_t c = 0; c < t->cases; c++)
        order[c] = c;
    bool one = false;
    for (uint32_t c = 0; c < t->cases && !one; c++) {
        uint32_t other = c + elm_rng_below(rng, t->cases - c), drawn = order[other];
        order[other] = order[c];
        one = filter(pool, passing, &t->pass[(size_t)drawn * t->words], t->words);
    }
    return bit_at(pool, elm_rng_below(rng, ones(pool, t->words)));
}

static void lexicase_select(const struct elm_selection *from, struct elm_rng *rng, uint32_t n,
                            uint32_t *indices)
{
    const struct elm_case_table none = {.words = (from->first + from->count + 63) / 64};
    struct elm_selection known = *from;
    /* with nothing known of cases, all are equal */
    known.cases = from->cases != NULL ? from->cases : &none;
    uint32_t words = known.cases->words, cases = known.cases->cases;
    uint64_t *bits = elm_malloc(2 * words * sizeof(bits[0]));
    uint32_t *order = elm_malloc((cases + 1) * sizeof(order[0]));
    uint32_t except = UINT32_MAX;
    for (uint32_t i = 0; i < n; i++)
        except = indices[i] = select_one(&known, rng, bits, bits + words, order, except);
    free(bits);
    free(order);
}

const struct elm_selector_kind elm_selector_lexicase = {
    .name = "lexicase",
    .summary = "the scored cases in random order: who passes what few pass gets its turn",
    .needs_cases = true,
    .select = lexicase_select,
};
