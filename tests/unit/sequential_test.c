/* sequential: how often the gate's test errs when it is looked at after every pair, and what it finds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "learn/sequential.h"

#include <math.h>

#define TESTS 3000
#define PAIRS 200
#define ALPHA 0.05

/* The shapes that differences have: whole wins and losses with many ties, small ones, rare large ones
 * against frequent small ones. Each has mean `shift` (about, for the last). */
static double draw(struct elm_rng *rng, int shape, double shift)
{
    double x = elm_rng_unit(rng);
    if (shape == 0)
        return x < 0.3 * (0.5 + shift / 0.6) ? 1 : x < 0.3 ? -1 : 0;
    if (shape == 1)
        return fmax(-1, fmin(1, 0.25 * elm_rng_normal(rng) + shift));
    return (x < 0.05 ? 0.95 : -0.05) + shift * (x >= 0.05);
}

/* The share of series in which E reaches 1/alpha at any of its looks. */
static double claims(int shape, double shift, double alpha)
{
    uint32_t claimed = 0;
    for (uint32_t t = 0; t < TESTS; t++) {
        struct elm_rng rng = elm_rng(20 + (uint64_t)shape, t);
        struct sequential s = {0};
        bool found = false;
        while (s.count < PAIRS && !found) {
            sequential_add(&s, draw(&rng, shape, shift));
            found = sequential_log_e(&s) >= -log(alpha);
        }
        claimed += found;
    }
    return (double)claimed / TESTS;
}

static void keeps_its_error_rate(void **state)
{
    (void)state;
    /* three standard errors above what is allowed */
    double most = ALPHA + 3 * sqrt(ALPHA * (1 - ALPHA) / TESTS);
    for (int shape = 0; shape < 3; shape++) {
        double rate = claims(shape, 0, ALPHA);
        print_message("shape %d: %.4f of series without a difference claim one\n", shape, rate);
        assert_true(rate <= most);
        /* not so careful that it could never claim anything */
        assert_true(rate >= 0.002);
        assert_true(claims(shape, -0.02, ALPHA) < rate);
    }
}

static void finds_what_is_there(void **state)
{
    (void)state;
    assert_true(claims(0, 0.15, ALPHA) > 0.9);
    assert_true(claims(1, 0.08, ALPHA) > 0.9);
    assert_true(claims(1, 0.15, sequential_alpha(ALPHA, 5)) > 0.9);
}

static void spends_alpha(void **state)
{
    double sum = 0;
    (void)state;
    for (uint32_t n = 1; n <= 100000; n++)
        sum += sequential_alpha(ALPHA, n);
    assert_true(sum < ALPHA && sum > 0.999 * ALPHA);
    assert_true(sequential_alpha(ALPHA, 1) == ALPHA / 2);
}

static void is_one_before_the_first(void **state)
{
    struct sequential none = {0}, win = {0}, loss = {0};
    (void)state;
    assert_true(fabs(sequential_log_e(&none)) < 1e-12);
    sequential_add(&none, 0);
    sequential_add(&win, 1);
    sequential_add(&loss, -1);
    assert_true(fabs(sequential_log_e(&none)) < 1e-12);
    assert_true(sequential_log_e(&win) > 0 && sequential_log_e(&loss) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_its_error_rate),
        cmocka_unit_test(finds_what_is_there),
        cmocka_unit_test(spends_alpha),
        cmocka_unit_test(is_one_before_the_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
