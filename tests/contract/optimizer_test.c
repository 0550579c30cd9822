/* optimizer: what every registered one must keep to. */
#include "elm/optimizer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROWS 6
#define COLS 4
#define COUNT (ROWS * COLS)

struct task {
    double (*loss)(const float *w, float *gradient);
    double share;                /* of the first loss that may be left */
};

static double quadratic(const float *w, float *gradient)
{
    double loss = 0;
    for (int i = 0; i < COUNT; i++) {
        double scale = 0.5 + i % 5, d = (double)w[i] - (i % 3 - 1) * 0.3;
        loss += 0.5 * scale * d * d;
        gradient[i] = (float)(scale * d);
    }
    return loss;
}

/* Rosenbrock's valley in pairs. */
static double valley(const float *w, float *gradient)
{
    double loss = 0;
    for (int i = 0; i < COUNT; i += 2) {
        double x = (double)w[i], y = (double)w[i + 1], d = y - x * x;
        loss += (1 - x) * (1 - x) + 10 * d * d;
        gradient[i] = (float)(-2 * (1 - x) - 40 * d * x);
        gradient[i + 1] = (float)(20 * d);
    }
    return loss;
}

static double descend(const struct elm_optimizer_kind *k, const struct task *t, bool matrix,
                      uint32_t steps, float *w, double *first)
{
    const struct elm_optimizer_options options = {0};
    float gradient[COUNT];
    float *state = elm_calloc((size_t)k->slots * COUNT, sizeof(float));
    struct elm_rng rng = elm_rng(3, 0);
    for (int i = 0; i < COUNT; i++)
        w[i] = (float)(2 * elm_rng_unit(&rng) - 1);
    *first = t->loss(w, gradient);
    for (uint32_t i = 1; i <= steps; i++) {
        t->loss(w, gradient);
        k->step(&(struct elm_optimizer_step){
            .options = &options, .rows = ROWS, .cols = COLS, .matrix = matrix, .step = i,
            .rate = 0.02f * (1 - (float)i / (float)(steps + 1)), .weights = w,
            .gradient = gradient, .state = state,
        });
    }
    free(state);
    return t->loss(w, gradient);
}

static void test_descends(void **unused)
{
    static const struct task tasks[] = {{quadratic, 0.02}, {valley, 0.1}};
    (void)unused;
    for (size_t k = 0; elm_optimizer_kinds[k] != NULL; k++) {
        for (size_t i = 0; i < 2 * ELM_COUNT(tasks); i++) {
            const struct task *t = &tasks[i / 2];
            float w[COUNT], again[COUNT];
            double first, last = descend(elm_optimizer_kinds[k], t, i % 2 == 0, 1500, w, &first);
            if (!(last <= t->share * first))
                fail_msg("%s on task %zu: %g of %g", elm_optimizer_kinds[k]->name, i, last, first);
            descend(elm_optimizer_kinds[k], t, i % 2 == 0, 1500, again, &first);
            assert_memory_equal(w, again, sizeof(w));
        }
    }
}

static void test_nothing_to_do(void **unused)
{
    (void)unused;
    for (size_t k = 0; elm_optimizer_kinds[k] != NULL; k++) {
        const struct elm_optimizer_kind *kind = elm_optimizer_kinds[k];
        assert_ptr_equal(elm_optimizer_find(kind->name), kind);
        assert_true(kind->slots <= 8 && kind->rate > 0 && kind->summary[0] != '\0');
        for (int matrix = 0; matrix < 2; matrix++) {
            const struct elm_optimizer_options options = {.decay = 0.1f};
            float w[COUNT], gradient[COUNT] = {0};
            float *state = elm_calloc((size_t)kind->slots * COUNT, sizeof(float));
            for (int i = 0; i < COUNT; i++)
                w[i] = 1;
            kind->step(&(struct elm_optimizer_step){
                .options = &options, .rows = ROWS, .cols = COLS, .matrix = matrix == 1, .step = 1,
                .rate = 0.5f, .weights = w, .gradient = gradient, .state = state,
            });
            for (int i = 0; i < COUNT; i++)
                assert_true(fabsf(w[i] - (matrix == 1 ? 0.95f : 1)) < 1e-6f);
            free(state);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_descends),
        cmocka_unit_test(test_nothing_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
