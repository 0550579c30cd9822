/* sample: answers do not depend on what they are sampled with, and end where they should. */
#include "../grammar_rig.h"
#include "../llama_rig.h"

static char path[64];

/* ---- sampling ---- */

#define ROWS 32
#define PROMPT_MAX 80

/* Rows of several kinds of prompts: equal, alike for a while, and others. */
struct rows {
    uint32_t prompts[ROWS][PROMPT_MAX];
    struct elm_sample_row rows[ROWS];
};

static void make_rows(struct rows *r, uint32_t vocabulary)
{
    memset(r, 0, sizeof(*r));
    for (uint32_t i = 0; i < ROWS; i++) {
        uint32_t same = i < 12 ? 70 : i < 20 ? 45 : i < 26 ? 9 : 0;
        random_tokens(r->prompts[i], PROMPT_MAX, vocabulary, 100 + i);
        random_tokens(r->prompts[i], same, vocabulary, 3 + (i >= 12));
        r->rows[i] = (struct elm_sample_row){
            .tokens = r->prompts[i], .count = i < 4 ? 64 : i < 7 ? 71 : 3 + (i * 37) % (PROMPT_MAX - 3),
            .seed = 1000 + i, .tokens_max = 2 + i % 9, .temperature = i % 7 == 0 ? 0 : 1.3f,
        };
        if (i >= 4 && r->rows[i].count <= same)
            r->rows[i].count = same + 1;
    }
}

static void release_rows(struct rows *r)
{
    for (uint32_t i = 0; i < ROWS; i++) {
        elm_buf_release(&r->rows[i].ids);
        elm_buf_release(&r->rows[i].logprobs);
    }
}

static void sample(struct elm_session *s, struct elm_sample_row *rows, uint32_t count)
{
    struct elm_error err = {0};
    if (elm_session_sample(s, rows, count, NULL, NULL, &err) != ELM_OK)
        fail_msg("%s", err.message);
}

static void assert_same_answer(const struct elm_sample_row *a, const struct elm_sample_row *b)
{
    assert_int_equal(a->ids.len, b->ids.len);
    assert_memory_equal(a->ids.ptr, b->ids.ptr, a->ids.len);
    assert_int_equal(a->logprobs.len, b->logprobs.len);
    assert_memory_equal(a->logprobs.ptr, b->logprobs.ptr, a->logprobs.len);
    assert_int_equal(a->done, b->done);
}

/* Samples rows in chunks, by order[i], in a session of rows_max, and compares with `wanted`. */
static void compare_in(struct elm_model *m, const struct rows *wanted, const uint32_t *order,
                       uint32_t chunk, uint32_t rows_max)
{
    struct elm_session *s = elm_session_new(m, rows_max);
    struct rows *r = elm_malloc(sizeof(*r));
    make_rows(r, elm_model_config(m)->vocabulary);
    for (uint32_t from = 0; from < ROWS; from += chunk) {
        struct elm_sample_row some[ROWS];
        uint32_t count = ROWS - from < chunk ? ROWS - from : chunk;
        for (uint32_t i = 0; i < count; i++)
            some[i] = r->rows[order[from + i]];
        sample(s, some, count);
        for (uint32_t i = 0; i < count; i++) {
            assert_same_answer(&some[i], &wanted->rows[order[from + i]]);
            elm_buf_release(&some[i].ids);
            elm_buf_release(&some[i].logprobs);
        }
    }
    free(r);
    elm_session_free(s);
}

static void check_independence(struct elm_model *m)
{
    struct rows *alone = elm_malloc(sizeof(*alone));
    struct elm_session *s = elm_session_new(m, 1);
    uint32_t order[ROWS], back[ROWS];
    make_rows(alone, elm_model_config(m)->vocabulary);
    for (uint32_t i = 0; i < ROWS; i++) {
        sample(s, &alone->rows[i], 1);
        order[i] = i;
        back[i] = (ROWS - 1 - i) * 5 % ROWS;
    }
    compare_in(m, alone, order, 7, 7);
    compare_in(m, alone, order, ROWS, ROWS);
    compare_in(m, alone, back, 19, 5);
    release_rows(alone);
    free(alone);
    elm_session_free(s);
}

static void a_row_does_not_depend_on_its_batch(void **state)
{
    (void)state;
    static const struct elm_model_config *const configs[] = {&llama_odd, &llama_even};
    for (size_t shape = 0; shape < ELM_COUNT(configs); shape++) {
        llama_write(path, configs[shape], 8);
        for (size_t i = 0; i < ELM_COUNT(llama_kernels); i++) {
            /* f32 once for each shape: its order of sums is that of bf16 with the same kernel */
            enum elm_kernel kernel = llama_kernels[i];
            bool wide = kernel == (shape == 0 ? ELM_KERNEL_AVX512 : ELM_KERNEL_PLAIN);
            enum elm_precision precision = wide ? ELM_F32 : ELM_BF16;
            if (!kernel_exists(kernel, precision))
                continue;
            struct elm_model *m = llama_open(path, precision, kernel);
            check_independence(m);
            elm_model_close(m);
        }
    }
}

static struct elm_str decoded(const struct elm_model *m, const struct elm_sample_row *row,
                              struct elm_buf *text)
{
    elm_buf_clear(text);
    elm_tokenizer_decode(elm_model_tokenizer(m), (const uint32_t *)(const void *)row->ids.ptr,
                         row->ids.len / sizeof(uint32_t), text);
    return elm_buf_str(text);
}

static void answers_end_where_they_should(void **state)
{
    (void)state;
    llama_write(path, &llama_spoken, 8);
    struct elm_model *m = llama_open(path, ELM_BF16, ELM_KERNEL_AUTO);
    struct elm_session *s = elm_session_new(m, 3);
    struct elm_buf text = {0}, cut = {0};
    const uint32_t prompt[3] = {'a', 'b', 'c'};
    uint32_t long_prompt[127];
    random_tokens(long_prompt, 127, 256, 8);
    uint32_t ended = 0;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct elm_sample_row row = {.tokens = prompt, .count = 3, .seed = seed,
                                     .tokens_max = 100, .temperature = 1};
        sample(s, &row, 1);
        uint32_t count = (uint32_t)(row.ids.len / sizeof(uint32_t));
        ended += row.done;
        assert_true(row.done ? count < 100 : count == 100);
        for (uint32_t i = 0; i < count; i++) {
            uint32_t id = ((const uint32_t *)(const void *)row.ids.ptr)[i];
            assert_true(id < RIG_TOKENS && !elm_tokenizer_ends(elm_model_tokenizer(m), id));
            assert_true(((const float *)(const void *)row.logprobs.ptr)[i] <= 0);
        }
        /* the same again with a stop string out of its middle */
        struct elm_str all = decoded(m, &row, &text);
        struct elm_sample_row stopped = row;
        stopped.ids = stopped.logprobs = (struct elm_buf){0};
        stopped.stop = (struct elm_str){all.ptr + all.len / 2, all.len < 3 ? all.len : 3};
        sample(s, &stopped, 1);
        if (stopped.stop.len == 3) {
            assert_true(stopped.done);
            struct elm_str begun = decoded(m, &stopped, &cut);
            assert_true(begun.len <= all.len && memcmp(begun.ptr, all.ptr, begun.len) == 0);
            assert_non_null(memmem(begun.ptr, begun.len, stopped.stop.ptr, 3));
            assert_memory_equal(stopped.logprobs.ptr, row.logprobs.ptr, stopped.logprobs.len);
        }
        elm_buf_release(&row.ids);
        elm_buf_release(&row.logprobs);
        elm_buf_release(&stopped.ids);
        elm_buf_release(&stopped.logprobs);
    }
    assert_in_range(ended, 1, 19);
    /* the context is full: 3 + 125 tokens, or one more after 127 */
    struct elm_sample_row full[2] = {
        {.tokens = prompt, .count = 3, .tokens_max = 1000, .temperature = 0},
        {.tokens = long_prompt, .count = 127, .tokens_max = 1000, .temperature = 0}};
    sample(s, full, 2);
    for (int i = 0; i < 2; i++) {
        assert_true(full[i].done || full[i].ids.len == (128 - full[i].count) * sizeof(uint32_t));
        elm_buf_release(&full[i].ids);
        elm_buf_release(&full[i].logprobs);
    }
    elm_buf_release(&text);
    elm_buf_release(&cut);
    elm_session_free(s);
    elm_model_close(m);
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    struct elm_model *m = NULL;
    struct elm_error err = {0};
    uint32_t tokens[256] = {0};
    float logits[1];
    assert_int_equal(elm_model_random(&llama_even, 1, ELM_BF16, ELM_KERNEL_AUTO, &m, &err), ELM_OK);
    struct elm_session *s = elm_session_new(m, 2);
    struct elm_sample_row row = {.tokens = tokens, .count = 0, .tokens_max = 3};
    assert_int_equal(elm_session_sample(s, &row, 1, NULL, NULL, &err), ELM_USAGE);
    row.count = 256;
    assert_int_equal(elm_session_sample(s, &row, 1, NULL, NULL, &err), ELM_RANGE);
    row.count = 2;
    tokens[1] = 512;
    assert_int_equal(elm_session_sample(s, &row, 1, NULL, NULL, &err), ELM_USAGE);
    assert_int_equal(elm_session_logits(s, tokens, 2, logits, &err), ELM_USAGE);
    assert_int_equal(elm_session_logits(s, tokens, 257, logits, &err), ELM_RANGE);
    tokens[1] = 5;
    const bool stopped = true;
    assert_int_equal(elm_session_sample(s, &row, 1, NULL, &stopped, &err), ELM_STOPPED);
    row.tokens_max = 0;
    sample(s, &row, 1);
    assert_int_equal(row.ids.len, 0);
    assert_false(row.done);
    assert_int_equal(elm_session_sample(s, NULL, 0, NULL, NULL, &err), ELM_OK);
    elm_session_free(s);
    elm_model_close(m);
    struct elm_model_config bad = llama_even;
    bad.kv_heads = 3;
    assert_int_equal(elm_model_random(&bad, 1, ELM_BF16, ELM_KERNEL_AUTO, &m, &err), ELM_OUTSIDE);
    bad = llama_even;
    bad.head_width = 31;
    assert_int_equal(elm_model_random(&bad, 1, ELM_BF16, ELM_KERNEL_AUTO, &m, &err), ELM_OUTSIDE);
}

/* ---- under a grammar ---- */

#define SPANS 24

struct spans {
    struct grammar_rig *programs;
    struct elm_grammar *grammars[SPANS];
    uint32_t prompts[SPANS][9];
    struct elm_sample_row rows[SPANS];
};

static void make_spans(struct spans *s)
{
    struct elm_rng rng = elm_rng(12, 0);
    s->programs = elm_malloc(sizeof(*s->programs));
    rig_open_all(s->programs);
    for (uint32_t i = 0; i < SPANS; i++) {
        while (s->grammars[i] == NULL) {
            const struct elm_tree *t = &s->programs->trees[elm_rng_below(&rng, s->programs->count)];
            uint32_t at = 1 + elm_rng_below(&rng, t->count - 1);
            if (elm_grammar_new(t, s->programs->names, at, 1, 12, &s->grammars[i], NULL) != ELM_OK)
                s->grammars[i] = NULL;
        }
        random_tokens(s->prompts[i], 9, 256, i % 4);
        s->rows[i] = (struct elm_sample_row){.tokens = s->prompts[i], .count = 9, .seed = i,
                                             .tokens_max = i % 6 == 0 ? 4 : 110, .temperature = 1,
                                             .grammar = s->grammars[i]};
    }
}

static void release_spans(struct spans *s)
{
    for (uint32_t i = 0; i < SPANS; i++) {
        elm_grammar_free(s->grammars[i]);
        elm_buf_release(&s->rows[i].ids);
        elm_buf_release(&s->rows[i].logprobs);
    }
    rig_close_all(s->programs);
    free(s->programs);
}

static uint32_t admitted(const uint8_t *mask)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < RIG_TOKENS; i++)
        count += mask[i / 8] >> i % 8 & 1;
    return count;
}

/* Every token was admitted where it stands, and free where it was the only one. Returns how many
 * were. */
static uint32_t check_span(const struct elm_model *m, const struct elm_vocabulary_trie *trie,
                           const struct elm_sample_row *row)
{
    const uint32_t *ids = (const uint32_t *)(const void *)row->ids.ptr;
    const float *logprobs = (const float *)(const void *)row->logprobs.ptr;
    uint32_t count = (uint32_t)(row->ids.len / sizeof(uint32_t)), forced = 0;
    struct elm_grammar_state state;
    uint8_t mask[(RIG_TOKENS + 511) / 512 * 64];
    assert_int_equal(elm_mask_bytes(trie), sizeof(mask));
    elm_grammar_start(row->grammar, &state);
    for (uint32_t i = 0; i < count; i++) {
        assert_false(elm_grammar_ended(row->grammar, &state));
        assert_true(elm_mask_make(trie, row->grammar, &state, mask));
        assert_true(mask[ids[i] / 8] >> ids[i] % 8 & 1);
        bool only = admitted(mask) == 1;
        forced += only;
        assert_true(only ? logprobs[i] == 0 : logprobs[i] < 0);
        struct elm_str bytes = elm_tokenizer_bytes(elm_model_tokenizer(m), ids[i]);
        for (size_t k = 0; k < bytes.len; k++)
            assert_true(elm_grammar_step(row->grammar, &state, (uint8_t)bytes.ptr[k]));
    }
    assert_int_equal(row->done, elm_grammar_ended(row->grammar, &state));
    assert_true(row->done || count == row->tokens_max || count == 128 - row->count);
    return forced;
}

static void a_grammar_is_kept(void **state)
{
    (void)state;
    struct spans *spans = elm_calloc(1, sizeof(*spans));
    struct elm_error err = {0};
    llama_write(path, &llama_spoken, 8);
    struct elm_model *m = llama_open(path, ELM_BF16, ELM_KERNEL_AUTO);
    struct elm_vocabulary_trie *trie = elm_vocabulary_trie_new(elm_model_tokenizer(m));
    struct elm_session *one = elm_session_new(m, 1), *many = elm_session_new(m, 10);
    uint32_t done = 0, forced = 0;
    make_spans(spans);
    assert_int_equal(elm_session_sample(many, spans->rows, SPANS, trie, NULL, &err), ELM_OK);
    for (uint32_t i = 0; i < SPANS; i++) {
        struct elm_sample_row alone = spans->rows[i];
        forced += check_span(m, trie, &spans->rows[i]);
        done += spans->rows[i].done;
        alone.ids = alone.logprobs = (struct elm_buf){0};
        assert_int_equal(elm_session_sample(one, &alone, 1, trie, NULL, &err), ELM_OK);
        assert_same_answer(&alone, &spans->rows[i]);
        elm_buf_release(&alone.ids);
        elm_buf_release(&alone.logprobs);
    }
    assert_in_range(done, SPANS / 2, SPANS - 1);
    assert_true(forced > 0);
    assert_int_equal(elm_session_sample(one, spans->rows, 1, NULL, NULL, &err), ELM_USAGE);
    release_spans(spans);
    free(spans);
    elm_session_free(one);
    elm_session_free(many);
    elm_vocabulary_trie_free(trie);
    elm_model_close(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_does_not_depend_on_its_batch),
        cmocka_unit_test(answers_end_where_they_should),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(a_grammar_is_kept),
    };
    rig_path(path);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
