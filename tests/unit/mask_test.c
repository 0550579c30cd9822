/* mask: what a mask admits is what the grammar admits token by token. */
#include "../grammar_rig.h"
#include "elm/mask.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define TOKENS 1500
#define SPANS 5

struct vocabulary {
    char text[TOKENS][16];
    struct elm_str tokens[TOKENS];
};

/* Bytes first; then pieces of code, many of them twice; empty ones, and some that are no code. */
static void make_vocabulary(struct vocabulary *v)
{
    static const char *const pieces[] = {
        "in", "t ", "i", " ", "  ", "\n", "    ", "do", "uble", " =", "= ", "for", " (", "if", ") {",
        ";\n", "a[", "]", "0", "1", ".5", " +", "-", "n", "x", "return ", "\t", "\"", "\xc3\xa9", "k",
    };
    struct elm_rng rng = elm_rng(4, 4);
    memset(v, 0, sizeof(*v));
    for (uint32_t i = 0; i < TOKENS; i++) {
        if (i < 256)
            v->text[i][0] = (char)i;
        for (uint32_t k = elm_rng_below(&rng, 4); i >= 256 && k > 0; k--) {
            const char *piece = pieces[elm_rng_below(&rng, ELM_COUNT(pieces))];
            if (strlen(v->text[i]) + strlen(piece) < sizeof(v->text[i]))
                strcat(v->text[i], piece);
        }
        v->tokens[i] = (struct elm_str){v->text[i], i < 256 ? 1 : strlen(v->text[i])};
    }
}

static bool bit(const uint8_t *mask, uint32_t i)
{
    return mask[i / 8] >> (i % 8) & 1;
}

static void compare(const struct elm_vocabulary_trie *trie, const struct vocabulary *v,
                    const struct elm_grammar *g, const struct elm_grammar_state *s,
                    const uint8_t *mask)
{
    for (uint32_t i = 0; i < TOKENS; i++) {
        struct elm_grammar_state a = *s, b = *s;
        bool ok = v->tokens[i].len > 0;
        for (size_t k = 0; ok && k < v->tokens[i].len; k++)
            ok = elm_grammar_step(g, &a, (uint8_t)v->tokens[i].ptr[k]);
        assert_int_equal(bit(mask, i), ok);
        assert_int_equal(elm_mask_step(trie, g, &b, i), ok);
        if (ok)
            assert_memory_equal(&a, &b, sizeof(a));
    }
    for (uint32_t i = TOKENS; i < (TOKENS + 511) / 512 * 512; i++)
        assert_false(bit(mask, i));
}

/* A span written with random tokens; every third mask is compared token by token, and all with what
 * the memory holds. */
static void write_span(const struct elm_vocabulary_trie *trie, const struct vocabulary *v,
                       struct elm_mask_memory *memory, const struct elm_grammar *g,
                       struct elm_rng *rng)
{
    uint8_t mask[(TOKENS + 511) / 512 * 64], recalled[sizeof(mask)];
    const uint64_t grammar = elm_grammar_hash(g);
    struct elm_grammar_state s;
    elm_grammar_start(g, &s);
    for (uint32_t n = 0; !elm_grammar_ended(g, &s); n++) {
        uint32_t id = elm_rng_below(rng, TOKENS);
        memset(mask, 0xff, sizeof(mask));
        assert_true(elm_mask_make(trie, g, &s, mask));
        assert_true(elm_mask_recall(memory, g, grammar, &s, recalled));
        assert_memory_equal(recalled, mask, sizeof(mask));
        assert_true(n < 4000);
        if (n % 3 == 0)
            compare(trie, v, g, &s, mask);
        while (!bit(mask, id))
            id = (id + 1) % TOKENS;
        assert_true(elm_mask_step(trie, g, &s, id));
    }
    assert_false(elm_mask_step(trie, g, &s, TOKENS));
}

static void spans(void **state)
{
    (void)state;
    struct grammar_rig *r = elm_malloc(sizeof(*r));
    struct vocabulary *v = elm_malloc(sizeof(*v));
    struct elm_rng rng = elm_rng(9, 0);
    rig_open_all(r);
    make_vocabulary(v);
    struct elm_vocabulary_trie *trie = elm_vocabulary_trie_of(v->tokens, TOKENS);
    assert_int_equal(elm_mask_bytes(trie), (TOKENS + 511) / 512 * 64);
    struct elm_mask_memory *memory = elm_mask_memory_new(trie);
    uint32_t written = 0;
    for (uint32_t i = 0; i < 100; i++) {
        const struct elm_tree *t = &r->trees[elm_rng_below(&rng, r->count)];
        struct elm_grammar *g;
        if (elm_grammar_new(t, r->names, 1 + elm_rng_below(&rng, t->count - 1), 1, 12, &g, NULL) !=
            ELM_OK)
            continue;
        if (i % 2 == 0)
            elm_grammar_leave(g, 0);
        /* often enough that states come again, with more and with fewer nodes written */
        for (uint32_t k = 0; k < SPANS; k++)
            write_span(trie, v, memory, g, &rng);
        written++;
        elm_grammar_free(g);
    }
    assert_true(written > 50);
    elm_mask_memory_free(memory);
    elm_vocabulary_trie_free(trie);
    rig_close_all(r);
    free(v);
    free(r);
}

static void no_tokens(void **state)
{
    (void)state;
    struct grammar_rig *r = elm_malloc(sizeof(*r));
    struct elm_grammar *g;
    struct elm_grammar_state s;
    const struct elm_str useless[] = {{"", 0}, {"\xff", 1}, {"$", 1}};
    rig_open_all(r);
    assert_int_equal(elm_grammar_new(&r->trees[0], r->names, r->trees[0].count - 1, 1, 9, &g, NULL),
                     ELM_OK);
    elm_grammar_start(g, &s);
    for (uint32_t count = 0; count <= ELM_COUNT(useless); count++) {
        struct elm_vocabulary_trie *trie = elm_vocabulary_trie_of(useless, count);
        uint8_t mask[64];
        assert_int_equal(elm_mask_bytes(trie), count == 0 ? 0 : 64);
        assert_false(elm_mask_make(trie, g, &s, mask));
        assert_false(elm_mask_step(trie, g, &s, 0));
        elm_vocabulary_trie_free(trie);
    }
    elm_grammar_free(g);
    rig_close_all(r);
    free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans),
        cmocka_unit_test(no_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
