/*
 * golden: elm's runtime in f32 gives llama.cpp's logits of the models in logits_model.h. The fixture
 * is what `build/release/tools/llama_check --fixture` prints: for each model and each of 16 tokens a
 * line of 40 logits.
 */
#include "logits_model.h"

#include "elm/model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define TOLERANCE 5e-5    /* the largest logits are about 3, and sums in another order 4e-6 apart */
#define COUNT ((size_t)LOGITS_TOKENS * LOGITS_VOCABULARY)

static struct elm_buf fixture;

static void compare(size_t shape, enum elm_kernel kernel)
{
    struct elm_error err = {0};
    char path[] = "/tmp/elm-logits-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    if (logits_model_write(&logits_shapes[shape], path, &err) != ELM_OK)
        fail_msg("%s", err.message);
    struct elm_model *m;
    enum elm_status status = elm_model_open(path, ELM_F32, kernel, &m, &err);
    unlink(path);
    if (status == ELM_USAGE)    /* this machine has no such kernel */
        return;
    if (status != ELM_OK)
        fail_msg("%s", err.message);
    struct elm_session *s = elm_session_new(m, 4);
    uint32_t tokens[LOGITS_TOKENS];
    float logits[COUNT];
    for (uint32_t i = 0; i < LOGITS_TOKENS; i++)
        tokens[i] = logits_token(i);
    assert_int_equal(elm_session_logits(s, tokens, LOGITS_TOKENS, logits, &err), ELM_OK);
    char *at = fixture.ptr;
    for (size_t i = 0; i < shape * COUNT; i++)
        strtod(at, &at);
    for (size_t i = 0; i < COUNT; i++) {
        double want = strtod(at, &at), got = (double)logits[i];
        if (!(fabs(got - want) <= TOLERANCE))
            fail_msg("%s, %s, token %zu, logit %zu: %.6f, llama.cpp has %.6f",
                     logits_shapes[shape].name, elm_model_kernel(m), i / LOGITS_VOCABULARY,
                     i % LOGITS_VOCABULARY, got, want);
    }
    elm_session_free(s);
    elm_model_close(m);
}

static void test_logits(void **state)
{
    (void)state;
    for (size_t shape = 0; shape < ELM_COUNT(logits_shapes); shape++) {
        compare(shape, ELM_KERNEL_PLAIN);
        compare(shape, ELM_KERNEL_AVX2);
        compare(shape, ELM_KERNEL_AVX512);
        compare(shape, ELM_KERNEL_AUTO);
    }
}

static void test_fixture_is_whole(void **state)
{
    (void)state;
    size_t numbers = 0;
    char *end = fixture.ptr;
    for (char *at = fixture.ptr; strtod(at, &end), end != at; at = end)
        numbers++;
    assert_int_equal(numbers, COUNT * ELM_COUNT(logits_shapes));
}

int main(void)
{
    struct elm_error err = {0};
    if (elm_file_read("tests/golden/logits.txt", 1 << 20, &fixture, &err) != ELM_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fixture_is_whole),
        cmocka_unit_test(test_logits),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    elm_buf_release(&fixture);
    return failed;
}
