/* call_test: what models are asked and answer comes back whole, counts for ever, and is checked. */
#include "../store_rig.h"

#include "elm/backend.h"

#define PROMPT_BYTES 3000

static struct elm_call some_call(int64_t attempt, struct elm_arena *arena)
{
    char *prompt = elm_arena_alloc(arena, PROMPT_BYTES + 32);
    memset(prompt, 'p', PROMPT_BYTES);
    int len = snprintf(prompt + PROMPT_BYTES, 32, "spot %lld", (long long)attempt);
    char *answer = elm_arena_alloc(arena, 64);
    int answer_len = snprintf(answer, 64, "a[%lld] = 1;", (long long)attempt);
    float *logprobs = elm_arena_alloc(arena, 2 * sizeof(float));
    logprobs[0] = -0.5f;
    logprobs[1] = -(float)attempt;
    return (struct elm_call){
        .attempt = attempt, .end = ELM_REPLY_DONE, .prompt_tokens = 700, .tokens = 2,
        .money = 0.125, .wall_us = 1000,
        .prompt = {prompt, (size_t)(PROMPT_BYTES + len)}, .answer = {answer, (size_t)answer_len},
        .token_ids = {"\1\0\0\0\2\0\0\0", 8}, .logprobs = {(const char *)logprobs, 8}};
}

static void calls_come_back(void **state)
{
    (void)state;
    char folder[64];
    rig_folder(folder);
    struct elm_arena arena = {0};
    struct elm_store *s = rig_open(folder, ELM_STORE_CREATE);
    struct elm_call calls[32];
    for (int i = 0; i < 32; i++)
        calls[i] = some_call(i + 1, &arena);
    calls[7].end = ELM_REPLY_FAILED;
    calls[7].why = ELM_STR("429 for 3 s");
    calls[7].answer = calls[7].logprobs = calls[7].token_ids = (struct elm_str){0};
    GIVES(ELM_OK, elm_store_calls(s, calls, 32, ERR));
    GIVES(ELM_OK, elm_store_flush(s, ERR));
    for (int i = 0; i < 32; i++) {
        struct elm_call got;
        GIVES(ELM_OK, elm_store_call(s, i + 1, &arena, &got, ERR));
        assert_int_equal(got.end, calls[i].end);
        assert_true(elm_str_equal(got.prompt, calls[i].prompt));
        assert_int_equal(got.answer.len, calls[i].answer.len);
        assert_true(i == 7 || elm_str_equal(got.answer, calls[i].answer));
        assert_true(i == 7 || elm_str_equal(got.logprobs, calls[i].logprobs));
        assert_true(i != 7 || elm_str_equal(got.why, calls[7].why));
    }
    struct elm_call none;
    GIVES(ELM_NOT_FOUND, elm_store_call(s, 99, &arena, &none, ERR));
    assert_int_equal(rig_sql(folder, "SELECT count(*) FROM v_call WHERE end = 'done'"), 31);
    assert_int_equal(rig_sql(folder, "SELECT -sum(logprob) * 2 FROM v_call WHERE attempt = 3"), 7);
    assert_int_equal(rig_sql(folder, "SELECT sum(length(bytes)) < 4000 FROM prompt"), 1);
    GIVES(ELM_OK, elm_store_close(s, ERR));
    elm_arena_release(&arena);
    rig_clean(folder);
}

/* A batch that is lost with a kill is asked again: both were paid for. */
static void asked_twice_is_paid_twice(void **state)
{
    (void)state;
    char folder[64];
    rig_folder(folder);
    struct elm_arena arena = {0};
    struct elm_store *s = rig_open(folder, ELM_STORE_CREATE);
    struct elm_call first = some_call(1, &arena), second = first;
    second.answer = ELM_STR("another answer");
    GIVES(ELM_OK, elm_store_calls(s, &first, 1, ERR));
    GIVES(ELM_OK, elm_store_calls(s, &second, 1, ERR));
    GIVES(ELM_OK, elm_store_flush(s, ERR));
    struct elm_call got;
    GIVES(ELM_OK, elm_store_call(s, 1, &arena, &got, ERR));
    assert_true(elm_str_equal(got.answer, second.answer));
    struct elm_call_totals totals;
    GIVES(ELM_OK, elm_store_call_totals(s, &totals, ERR));
    assert_int_equal(totals.calls, 2);
    assert_int_equal(totals.tokens, 2 * 702);
    assert_true(totals.money == 0.25);
    GIVES(ELM_OK, elm_store_close(s, ERR));
    elm_arena_release(&arena);
    rig_clean(folder);
}

static void damaged_prompts_are_said(void **state)
{
    (void)state;
    char folder[64];
    rig_folder(folder);
    struct elm_arena arena = {0};
    struct elm_store *s = rig_open(folder, ELM_STORE_CREATE);
    struct elm_call call = some_call(1, &arena);
    GIVES(ELM_OK, elm_store_calls(s, &call, 1, ERR));
    GIVES(ELM_OK, elm_store_close(s, ERR));
    rig_sql(folder, "UPDATE prompt SET sum = sum + 1");
    s = rig_open(folder, ELM_STORE_READ);
    struct elm_call got;
    GIVES(ELM_CORRUPT, elm_store_call(s, 1, &arena, &got, ERR));
    GIVES(ELM_OK, elm_store_close(s, ERR));
    elm_arena_release(&arena);
    rig_clean(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_come_back),
        cmocka_unit_test(asked_twice_is_paid_twice),
        cmocka_unit_test(damaged_prompts_are_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
