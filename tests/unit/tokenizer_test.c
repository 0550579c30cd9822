/* tokenizer: text survives the way to ids and back, merges follow their ranks, control tokens are
 * read only where they may be, and broken vocabularies are refused. */
#include "../model_rig.h"

static struct elm_tokenizer *small(const char *pre)
{
    char path[64];
    struct elm_gguf *g;
    struct elm_tokenizer *t;
    rig_path(path);
    rig_write(path, pre);
    GIVES(ELM_OK, elm_gguf_open(path, &g, ERR));
    GIVES(ELM_OK, elm_tokenizer_new(g, &t, ERR));
    elm_gguf_close(g);
    unlink(path);
    return t;
}

static size_t encode(const struct elm_tokenizer *t, struct elm_str text, bool special,
                     struct elm_buf *ids)
{
    elm_buf_clear(ids);
    elm_tokenizer_encode(t, text, special, ids);
    return ids->len / sizeof(uint32_t);
}

static uint32_t id_at(const struct elm_buf *ids, size_t i)
{
    uint32_t id;
    memcpy(&id, ids->ptr + i * sizeof(id), sizeof(id));
    return id;
}

static void check_back(const struct elm_tokenizer *t, struct elm_str text)
{
    struct elm_buf ids = {0}, back = {0};
    size_t n = encode(t, text, false, &ids);
    elm_tokenizer_decode(t, (const uint32_t *)(const void *)ids.ptr, n, &back);
    if (!elm_str_equal(text, elm_buf_str(&back)))
        fail_msg("'%.*s' comes back as '%.*s'", (int)text.len, text.ptr, (int)back.len, back.ptr);
    elm_buf_release(&ids);
    elm_buf_release(&back);
}

static void text_comes_back(void **state)
{
    (void)state;
    static const char *const pre_tokenizers[] = {"smollm", "gpt-2", "default"};
    for (size_t p = 0; p < ELM_COUNT(pre_tokenizers); p++) {
        struct elm_tokenizer *t = small(pre_tokenizers[p]);
        struct elm_rng rng = elm_rng(5, p);
        check_back(t, elm_str(rig_text));
        check_back(t, (struct elm_str){NULL, 0});
        for (uint32_t i = 0; i < 2000; i++) {
            /* any bytes but the missing one, UTF-8 or not */
            char bytes[64];
            uint32_t len = elm_rng_below(&rng, sizeof(bytes));
            for (uint32_t k = 0; k < len; k++)
                bytes[k] = (char)(2 + elm_rng_below(&rng, i % 2 == 0 ? 254 : 100));
            check_back(t, (struct elm_str){bytes, len});
        }
        elm_tokenizer_free(t);
    }
}

/* The slow way: again and again the first pair of the lowest rank. */
static size_t merge_slowly(const struct rig_vocabulary *v, struct elm_str word, uint32_t *ids)
{
    size_t n = word.len;
    for (size_t i = 0; i < n; i++)
        ids[i] = (uint8_t)word.ptr[i];
    for (;;) {
        uint32_t best = RIG_MERGES;
        size_t where = 0;
        for (size_t i = 0; i + 1 < n; i++) {
            for (uint32_t m = 0; m < best; m++) {
                if (v->left[m] == ids[i] && v->right[m] == ids[i + 1]) {
                    best = m;
                    where = i;
                }
            }
        }
        if (best == RIG_MERGES)
            return n;
        ids[where] = 256 + best;
        memmove(ids + where + 1, ids + where + 2, (n - where - 2) * sizeof(*ids));
        n--;
    }
}

static void merges_follow_their_ranks(void **state)
{
    (void)state;
    struct rig_vocabulary v;
    struct elm_tokenizer *t = small("gpt-2");
    struct elm_buf ids = {0};
    struct elm_rng rng = elm_rng(6, 0);
    rig_vocabulary(&v);
    for (uint32_t i = 0; i < 3000; i++) {
        char word[48];
        uint32_t slow[48], len = 1 + elm_rng_below(&rng, sizeof(word));
        for (uint32_t k = 0; k < len; k++)
            word[k] = "aeinorstdlhc"[elm_rng_below(&rng, 12)];    /* letters: one word */
        size_t n = merge_slowly(&v, (struct elm_str){word, len}, slow);
        assert_int_equal(encode(t, (struct elm_str){word, len}, false, &ids), n);
        assert_memory_equal(ids.ptr, slow, n * sizeof(*slow));
    }
    elm_buf_release(&ids);
    elm_tokenizer_free(t);
    rig_vocabulary_release(&v);
}

static void control_tokens(void **state)
{
    (void)state;
    struct elm_tokenizer *t = small("smollm");
    struct elm_buf ids = {0}, back = {0};
    struct elm_str text = ELM_STR("<|im_start|>a<tool>b<|im_end|>");
    assert_int_equal(encode(t, text, true, &ids), 5);
    assert_int_equal(id_at(&ids, 0), RIG_IM_START);
    assert_int_equal(id_at(&ids, 1), 'a');
    assert_int_equal(id_at(&ids, 2), RIG_TOOL);
    assert_int_equal(id_at(&ids, 4), RIG_IM_END);
    elm_tokenizer_decode(t, (const uint32_t *)(const void *)ids.ptr, 5, &back);
    assert_true(elm_str_equal(elm_buf_str(&back), ELM_STR("a<tool>b")));
    size_t n = encode(t, text, false, &ids);
    for (size_t i = 0; i < n; i++)
        assert_true(id_at(&ids, i) != RIG_IM_START && id_at(&ids, i) != RIG_IM_END);
    check_back(t, text);
    /* what no token writes is left out; an unused token is never read and writes nothing */
    assert_int_equal(encode(t, ELM_STR("\1"), false, &ids), 0);
    assert_int_equal(encode(t, ELM_STR("a\1b"), false, &ids), 2);
    assert_true(encode(t, ELM_STR("[UNUSED]"), true, &ids) > 1);
    assert_int_equal(elm_tokenizer_bytes(t, RIG_UNUSED).len, 0);
    assert_int_equal(elm_tokenizer_bytes(t, RIG_IM_END).len, 0);
    assert_true(elm_str_equal(elm_tokenizer_bytes(t, RIG_TOOL), ELM_STR("<tool>")));
    assert_true(elm_str_equal(elm_tokenizer_bytes(t, 256), ELM_STR("  ")));
    assert_int_equal(elm_tokenizer_count(t), RIG_TOKENS);
    assert_int_equal(elm_tokenizer_bos(t), RIG_IM_START);
    assert_int_equal(elm_tokenizer_eos(t), RIG_IM_END);
    assert_false(elm_tokenizer_add_bos(t));
    assert_true(elm_tokenizer_ends(t, RIG_IM_END) && elm_tokenizer_ends(t, RIG_END));
    assert_false(elm_tokenizer_ends(t, RIG_IM_START) || elm_tokenizer_ends(t, 'a'));
    elm_buf_release(&ids);
    elm_buf_release(&back);
    elm_tokenizer_free(t);
}

/* A word of a megabyte must not take the square of that. */
static void long_words_are_fast(void **state)
{
    (void)state;
    struct elm_tokenizer *t = small("smollm");
    struct elm_buf text = {0};
    struct elm_rng rng = elm_rng(7, 0);
    for (uint32_t i = 0; i < 1 << 20; i++)
        elm_buf_byte(&text, (uint8_t)"theinor"[elm_rng_below(&rng, 7)]);
    int64_t start = elm_cpu_us();
    check_back(t, elm_buf_str(&text));
    assert_true(elm_cpu_us() - start < 5000000);
    elm_buf_release(&text);
    elm_tokenizer_free(t);
}

/* ---- vocabularies that are refused ---- */

enum change {
    NO_MODEL, OTHER_MODEL, OTHER_PRE, NO_TOKENS, NUMBERS_FOR_TOKENS, TYPES_MISSING, SAME_TEXT,
    EMPTY_TEXT, NO_MERGES, NUMBERS_FOR_MERGES, NO_SPACE, NO_SUCH_PART, NO_SUCH_WHOLE, BOS_BEYOND,
    EOS_NEGATIVE, CHANGES,
};

static void put_changed(struct elm_gguf_writer *w, struct rig_vocabulary *v, enum change change)
{
    if (change == SAME_TEXT || change == EMPTY_TEXT) {
        elm_buf_clear(&v->texts[300]);
        if (change == SAME_TEXT)
            elm_buf_add_str(&v->texts[300], elm_buf_str(&v->texts[301]));
    }
    if (change == NO_SPACE || change == NO_SUCH_PART || change == NO_SUCH_WHOLE) {
        elm_buf_clear(&v->merges[9]);
        elm_buf_printf(&v->merges[9], "%s", change == NO_SPACE ? "ab" : change == NO_SUCH_PART
                                                                    ? "xyzzy a" : "a Z");
    }
    rig_put_tokenizer(w, v, change == OTHER_PRE ? "llama-bpe" : "smollm");
    if (change == NO_MODEL)
        elm_gguf_put_int(w, "tokenizer.ggml.model", 1);
    if (change == OTHER_MODEL)
        elm_gguf_put_string(w, "tokenizer.ggml.model", ELM_STR("llama"));
    if (change == NO_TOKENS)
        elm_gguf_put_strings(w, "tokenizer.ggml.tokens", NULL, 0);
    if (change == NUMBERS_FOR_TOKENS)
        elm_gguf_put_ints(w, "tokenizer.ggml.tokens", v->types, RIG_TOKENS);
    if (change == TYPES_MISSING)
        elm_gguf_put_ints(w, "tokenizer.ggml.token_type", v->types, RIG_TOKENS - 1);
    if (change == NO_MERGES)
        elm_gguf_put_string(w, "tokenizer.ggml.merges", ELM_STR("a b"));
    if (change == NUMBERS_FOR_MERGES)
        elm_gguf_put_ints(w, "tokenizer.ggml.merges", v->types, 3);
    if (change == BOS_BEYOND)
        elm_gguf_put_int(w, "tokenizer.ggml.bos_token_id", RIG_TOKENS);
    if (change == EOS_NEGATIVE)
        elm_gguf_put_int(w, "tokenizer.ggml.eos_token_id", -2);
}

static void broken_vocabularies_are_refused(void **state)
{
    (void)state;
    static const struct {
        enum elm_status status;
        const char *says;
    } wanted[CHANGES] = {
        [NO_MODEL] = {ELM_CORRUPT, "tokenizer.ggml.model"}, [OTHER_MODEL] = {ELM_OUTSIDE, "'llama'"},
        [OTHER_PRE] = {ELM_OUTSIDE, "'llama-bpe'"}, [NO_TOKENS] = {ELM_CORRUPT, "0 tokens"},
        [NUMBERS_FOR_TOKENS] = {ELM_CORRUPT, "no strings"},
        [TYPES_MISSING] = {ELM_CORRUPT, "token_type"}, [SAME_TEXT] = {ELM_CORRUPT, "300 and 301"},
        [EMPTY_TEXT] = {ELM_CORRUPT, "token 300"}, [NO_MERGES] = {ELM_CORRUPT, "merges"},
        [NUMBERS_FOR_MERGES] = {ELM_CORRUPT, "merges"}, [NO_SPACE] = {ELM_CORRUPT, "merge 9"},
        [NO_SUCH_PART] = {ELM_CORRUPT, "merge 9"}, [NO_SUCH_WHOLE] = {ELM_CORRUPT, "merge 9"},
        [BOS_BEYOND] = {ELM_CORRUPT, "bos_token_id"}, [EOS_NEGATIVE] = {ELM_CORRUPT, "eos_token_id"},
    };
    char path[64];
    rig_path(path);
    for (enum change change = 0; change < CHANGES; change++) {
        struct rig_vocabulary v;
        struct elm_gguf_writer *w = elm_gguf_writer_new();
        struct elm_gguf *g;
        struct elm_tokenizer *t;
        struct elm_error err = {0};
        rig_vocabulary(&v);
        put_changed(w, &v, change);
        GIVES(ELM_OK, elm_gguf_write(w, path, ERR));
        GIVES(ELM_OK, elm_gguf_open(path, &g, ERR));
        assert_int_equal(elm_tokenizer_new(g, &t, &err), wanted[change].status);
        if (strstr(err.message, wanted[change].says) == NULL)
            fail_msg("change %d: '%s' doesn't say '%s'", change, err.message, wanted[change].says);
        elm_gguf_close(g);
        elm_gguf_writer_free(w);
        rig_vocabulary_release(&v);
    }
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_comes_back),
        cmocka_unit_test(merges_follow_their_ranks),
        cmocka_unit_test(control_tokens),
        cmocka_unit_test(long_words_are_fast),
        cmocka_unit_test(broken_vocabularies_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
