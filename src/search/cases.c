/* cases: which elites pass which of the scored cases, turned so that a case is a row of bits. */
#include "search/state.h"

#include <stdlib.h>
#include <string.h>

void passes_set(struct passes *p, const uint8_t *pass, uint32_t cases)
{
    ELM_ASSERT(cases <= ELM_CASES_MAX);
    *p = (struct passes){.len = (cases + 7) / 8};
    for (uint32_t i = 0; i < cases; i++)
        p->bits[i / 8] |= (uint8_t)((pass[i] != 0) << i % 8);
}

void passes_load(struct passes *p, struct elm_str bits)
{
    ELM_ASSERT(bits.len <= sizeof(p->bits));
    *p = (struct passes){.len = (uint32_t)bits.len};
    if (bits.len > 0)
        memcpy(p->bits, bits.ptr, bits.len);
}

/* Bit k of row i becomes bit i of row k. Source: Warren 2012, Hacker's Delight, 7-3. */
static void transpose(uint64_t m[64])
{
    uint64_t mask = 0xffffffff;
    for (uint32_t j = 32; j != 0; j >>= 1, mask ^= mask << j) {
        for (uint32_t k = 0; k < 64; k = ((k | j) + 1) & ~j) {
            uint64_t swap = (m[k] >> j ^ m[k | j]) & mask;
            m[k] ^= swap << j;
            m[k | j] ^= swap;
        }
    }
}

/* Cases 64 * block and on, of one program. */
static uint64_t word_of(const struct passes *p, uint32_t block)
{
    uint64_t word = 0;
    for (uint32_t i = 0; i < 8; i++)
        word |= (uint64_t)p->bits[block * 8 + i] << i * 8;
    return word;
}

static void fill_block(struct elm_search *s, uint32_t word, uint32_t elites)
{
    struct case_table *t = &s->cases;
    const struct passes *of[64];
    uint32_t count = elites - word * 64 < 64 ? elites - word * 64 : 64;
    for (uint32_t i = 0; i < count; i++) {
        const struct elm_elite *e = s->archive_kind->at(s->archive, word * 64 + i);
        const struct held *h = held_find(&s->held, e->id);
        ELM_ASSERT(h != NULL);
        of[i] = &h->passes;
    }
    for (uint32_t c = 0; c < t->table.cases; c += 64) {
        uint64_t m[64] = {0};
        for (uint32_t i = 0; i < count; i++)
            m[i] = word_of(of[i], c / 64);
        transpose(m);
        for (uint32_t k = 0; k < 64 && c + k < t->table.cases; k++)
            t->bits[(size_t)(c + k) * t->table.words + word] = m[k];
    }
}

const struct elm_case_table *cases_of_archive(struct elm_search *s)
{
    struct case_table *t = &s->cases;
    if (!s->selector_kind->needs_cases)
        return NULL;
    if (t->fresh)
        return &t->table;
    uint32_t elites = s->archive_kind->count(s->archive);
    t->table.cases = s->case_count;
    t->table.words = (elites + 63) / 64;
    t->bits = elm_realloc(t->bits, ((size_t)t->table.cases * t->table.words + 1) *
                                       sizeof(t->bits[0]));
    t->table.pass = t->bits;
    for (uint32_t word = 0; word < t->table.words; word++)
        fill_block(s, word, elites);
    t->fresh = true;
    return &t->table;
}
