/* diff: applying the hunks of (a, b) to a gives b, for random and for odd texts. */
#include "elm/diff.h"

#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

static void apply(struct elm_str a, struct elm_str b, struct elm_buf *out, uint32_t *changed)
{
    struct elm_hunk *hunks;
    struct elm_str *la, *lb;
    uint32_t n = elm_lines(a, &la), m = elm_lines(b, &lb), count = elm_diff(a, b, &hunks);
    uint32_t i = 0;
    *changed = 0;
    for (uint32_t h = 0; h <= count; h++) {
        uint32_t until = h < count ? hunks[h].a_first : n;
        for (; i < until; i++)
            elm_buf_printf(out, "%.*s\n", (int)la[i].len, la[i].ptr);
        for (uint32_t k = 0; h < count && k < hunks[h].b_count; k++) {
            struct elm_str line = lb[hunks[h].b_first + k];
            elm_buf_printf(out, "%.*s\n", (int)line.len, line.ptr);
        }
        if (h < count) {
            i += hunks[h].a_count;
            *changed += hunks[h].a_count + hunks[h].b_count;
        }
    }
    assert_true(m == 0 || out->len > 0);
    free(hunks);
    free(la);
    free(lb);
}

static void check(const char *a, const char *b, uint32_t expected)
{
    struct elm_buf out = {0};
    uint32_t changed;
    apply(elm_str(a), elm_str(b), &out, &changed);
    assert_string_equal(out.ptr == NULL ? "" : out.ptr, b);
    assert_int_equal(changed, expected);
    elm_buf_release(&out);
}

static void plain(void **state)
{
    (void)state;
    check("", "", 0);
    check("", "a\n", 1);
    check("a\n", "", 1);
    check("a\nb\nc\n", "a\nb\nc\n", 0);
    check("a\nb\nc\n", "a\nx\nc\n", 2);
    check("a\nb\nc\na\nb\nb\na\n", "c\nb\na\nb\na\nc\n", 5);
    check("a\n\n\n", "\n\nb\n", 2);
}

static void random_texts(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        struct elm_rng rng = elm_rng(seed, 7);
        struct elm_buf a = {0}, b = {0}, out = {0};
        uint32_t lines = elm_rng_below(&rng, 40), changed;
        for (uint32_t i = 0; i < lines; i++)
            elm_buf_printf(&a, "%u\n", elm_rng_below(&rng, 6));
        lines = elm_rng_below(&rng, 40);
        for (uint32_t i = 0; i < lines; i++)
            elm_buf_printf(&b, "%u\n", elm_rng_below(&rng, 6));
        apply(elm_buf_str(&a), elm_buf_str(&b), &out, &changed);
        assert_true(elm_str_equal(elm_buf_str(&out), elm_buf_str(&b)));
        elm_buf_release(&a);
        elm_buf_release(&b);
        elm_buf_release(&out);
    }
}

/* Texts with nothing in common but their ends take no memory to speak of. */
static void far_apart(void **state)
{
    (void)state;
    struct elm_buf a = {0}, b = {0}, out = {0};
    uint32_t changed;
    elm_buf_printf(&a, "first\n");
    elm_buf_printf(&b, "first\n");
    for (int i = 0; i < 20000; i++) {
        elm_buf_printf(&a, "a%d\n", i);
        elm_buf_printf(&b, "b%d\n", i);
    }
    elm_buf_printf(&a, "last\n");
    elm_buf_printf(&b, "one more\nlast\n");
    apply(elm_buf_str(&a), elm_buf_str(&b), &out, &changed);
    assert_true(elm_str_equal(elm_buf_str(&out), elm_buf_str(&b)));
    assert_int_equal(changed, 40001);
    elm_buf_release(&a);
    elm_buf_release(&b);
    elm_buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(plain), cmocka_unit_test(random_texts),
                                       cmocka_unit_test(far_apart)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
