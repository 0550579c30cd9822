/*
 * mask: what masks cost a token, in CPU time of one thread: 32 spans at a time are written with
 * random tokens among those admitted, in seeds and references of the suite.
 *
 *   mask_us            a mask and a step, mean over all tokens
 *   mask_trie_ms       the trie of the vocabulary
 *   grammar_us         a grammar made for a spot
 * `mask [MODEL [TOKENS]]`: the vocabulary of a model file or name; smollm2, and one made up of the same
 * size where that has not been pulled.
 */
#include "elm/elm.h"

#include "../tests/grammar_rig.h"

#include <time.h>

#define ROWS 32
#define VOCABULARY 49152
#define NODES_MAX 40

static struct grammar_rig rig;

struct row {
    struct elm_grammar *grammar;
    struct elm_grammar_state state;
};

struct writing {
    const struct elm_vocabulary_trie *trie;
    struct elm_rng rng;
    struct row rows[ROWS];
    uint64_t tokens, spans;
    double grammar_s, mask_s;
};

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void begin_span(struct writing *w, struct row *row)
{
    double from = cpu_s();
    elm_grammar_free(row->grammar);
    for (row->grammar = NULL; row->grammar == NULL;) {
        const struct elm_tree *t = &rig.trees[elm_rng_below(&w->rng, rig.count)];
        uint32_t at = 1 + elm_rng_below(&w->rng, t->count - 1);
        if (elm_grammar_new(t, rig.names, at, 1, NODES_MAX, &row->grammar, NULL) != ELM_OK)
            row->grammar = NULL;
    }
    elm_grammar_start(row->grammar, &row->state);
    w->grammar_s += cpu_s() - from;
    w->spans++;
}

static uint32_t draw(struct elm_rng *rng, const uint8_t *mask, uint32_t *ids)
{
    uint32_t count = 0;
    for (uint32_t byte = 0; byte < VOCABULARY / 8; byte++) {
        for (uint32_t bits = mask[byte]; bits != 0; bits &= bits - 1)
            ids[count++] = byte * 8 + (uint32_t)__builtin_ctz(bits);
    }
    return ids[elm_rng_below(rng, count)];
}

static void write_tokens(struct writing *w, uint64_t tokens)
{
    static uint32_t ids[VOCABULARY];
    uint8_t *mask = elm_malloc(elm_mask_bytes(w->trie));
    for (; w->tokens < tokens; w->tokens++) {
        struct row *row = &w->rows[w->tokens % ROWS];
        if (row->grammar == NULL || elm_grammar_ended(row->grammar, &row->state))
            begin_span(w, row);
        double from = cpu_s();
        bool any = elm_mask_make(w->trie, row->grammar, &row->state, mask);
        w->mask_s += cpu_s() - from;
        ELM_ASSERT(any);
        uint32_t id = draw(&w->rng, mask, ids);
        from = cpu_s();
        ELM_ASSERT(elm_mask_step(w->trie, row->grammar, &row->state, id));
        w->mask_s += cpu_s() - from;
    }
    free(mask);
}

static double clock_cost_s(void)
{
    double from = cpu_s(), to = from;
    for (int i = 0; i < 10000; i++)
        to = cpu_s();
    return (to - from) / 10000;
}

static void measure(const struct elm_vocabulary_trie *trie, uint64_t tokens)
{
    struct writing w = {.trie = trie, .rng = elm_rng(1, 1)};
    write_tokens(&w, tokens);
    printf("mask_us %.1f us\n", (w.mask_s / (double)tokens - 2 * clock_cost_s()) * 1e6);
    printf("grammar_us %.1f us\n", w.grammar_s / (double)w.spans * 1e6);
    for (int i = 0; i < ROWS; i++)
        elm_grammar_free(w.rows[i].grammar);
}

/* Every byte, then words of code and of letters, with and without the space before. */
static struct elm_vocabulary_trie *made_up(void)
{
    static char text[VOCABULARY][24];
    static struct elm_str tokens[VOCABULARY];
    static const char *const parts[] = {"in", "t", "do", "ub", "le", "for", " (", "i", " = ", "0", ";",
                                        "\n", "    ", "[", "]", ")", " +", " <", "x", "re", "turn", "a",
                                        "n", "st", "er", "on", "al", "c", "s", "o", "u", "p"};
    struct elm_rng rng = elm_rng(2, 2);
    for (uint32_t i = 0; i < VOCABULARY; i++) {
        uint32_t words = 1 + elm_rng_below(&rng, 4);
        if (i < 256)
            text[i][0] = (char)i;
        for (uint32_t k = 0; i >= 256 && k < words; k++)
            strcat(text[i], parts[elm_rng_below(&rng, ELM_COUNT(parts))]);
        tokens[i] = (struct elm_str){text[i], i < 256 ? 1 : strlen(text[i])};
    }
    return elm_vocabulary_trie_of(tokens, VOCABULARY);
}

static struct elm_vocabulary_trie *trie_of(const char *model)
{
    struct elm_buf path = {0};
    struct elm_gguf *file = NULL;
    struct elm_tokenizer *tokenizer = NULL;
    struct elm_error err = {0};
    if (elm_model_find(model, NULL, &path, &err) != ELM_OK ||
        elm_gguf_open(path.ptr, &file, &err) != ELM_OK ||
        elm_tokenizer_new(file, &tokenizer, &err) != ELM_OK) {
        fprintf(stderr, "mask: %s: a vocabulary is made up\n", err.message);
        return made_up();
    }
    double from = cpu_s();
    struct elm_vocabulary_trie *trie = elm_vocabulary_trie_new(tokenizer);
    printf("mask_trie_ms %.1f ms\n", (cpu_s() - from) * 1e3);
    elm_tokenizer_free(tokenizer);
    elm_gguf_close(file);
    elm_buf_release(&path);
    return trie;
}

int main(int argc, char **argv)
{
    uint64_t tokens = argc > 2 ? strtoull(argv[2], NULL, 0) : 20000;
    struct elm_vocabulary_trie *trie = trie_of(argc > 1 ? argv[1] : "smollm2");
    rig_open_all(&rig);
    measure(trie, tokens);
    rig_close_all(&rig);
    elm_vocabulary_trie_free(trie);
    return 0;
}
