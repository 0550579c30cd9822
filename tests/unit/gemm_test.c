/* gemm: every kernel of this machine against sums in double, in every shape and orientation. */
#include "model/gemm.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static float *random_matrix(struct elm_rng *rng, uint32_t rows, size_t stride)
{
    float *m = elm_malloc(rows * stride * sizeof(float));
    for (size_t i = 0; i < rows * stride; i++)
        m[i] = (float)(elm_rng_unit(rng) * 2 - 1);
    return m;
}

static void compare(const struct gemm *g, const float *before, double tolerance)
{
    for (uint32_t i = 0; i < g->m; i++) {
        for (uint32_t j = 0; j < g->c_stride; j++) {
            const size_t at = i * g->c_stride + j;
            double want = (double)before[at];
            if (j < g->n) {
                want = g->beta == 0 ? 0 : (double)g->beta * want;
                for (uint32_t l = 0; l < g->k; l++) {
                    float a = g->a_turned ? g->a[l * g->a_stride + i] : g->a[i * g->a_stride + l];
                    float b = g->b_turned ? g->b[j * g->b_stride + l] : g->b[l * g->b_stride + j];
                    want += (double)a * (double)b;
                }
            }
            double slack = j < g->n ? tolerance * sqrt(g->k + 1.0) : 0;
            if (!(fabs((double)g->c[at] - want) <= slack))
                fail_msg("%u x %u x %u%s%s beta %g: [%u][%u] is %g, not %g", g->m, g->n, g->k,
                         g->a_turned ? " TA" : "", g->b_turned ? " TB" : "", (double)g->beta, i, j,
                         (double)g->c[at], want);
        }
    }
}

static void one(struct gemm_thread *t, enum elm_precision precision, struct elm_rng *rng,
                uint32_t m, uint32_t n, uint32_t k)
{
    static const float betas[] = {0, 1, 0.5f};
    struct gemm g = {.m = m, .n = n, .k = k, .beta = betas[elm_rng_below(rng, 3)],
                     .a_turned = elm_rng_chance(rng, 0.5), .b_turned = elm_rng_chance(rng, 0.5)};
    uint32_t pad = elm_rng_below(rng, 4);
    g.a_stride = (g.a_turned ? m : k) + pad;
    g.b_stride = (g.b_turned ? k : n) + pad;
    g.c_stride = n + pad;
    float *a = random_matrix(rng, g.a_turned ? k : m, g.a_stride);
    float *b = random_matrix(rng, g.b_turned ? n : k, g.b_stride);
    float *before = random_matrix(rng, m, g.c_stride);
    float *c = elm_malloc(m * g.c_stride * sizeof(float) + 1);
    memcpy(c, before, m * g.c_stride * sizeof(float));
    if (g.beta == 0) {
        for (uint32_t i = 0; i < m; i++) {
            for (uint32_t j = 0; j < n; j++)
                c[i * g.c_stride + j] = NAN;
        }
    }
    g.a = a;
    g.b = b;
    g.c = c;
    gemm(t, precision, &g);
    compare(&g, before, precision == ELM_BF16 ? 8e-3 : 3e-6);
    free(a);
    free(b);
    free(c);
    free(before);
}

static void test_products(void **state)
{
    static const uint32_t sizes[][3] = {
        {1, 1, 1}, {8, 16, 4}, {32, 32, 32}, {64, 64, 64}, {33, 17, 31}, {200, 48, 300},
        {31, 1030, 33}, {7, 33, 1100}, {130, 100, 96}, {3, 5, 0}, {257, 64, 256}, {16, 16, 544},
    };
    struct elm_rng rng = elm_rng(1, 1);
    (void)state;
    for (enum elm_kernel kernel = ELM_KERNEL_AUTO; kernel <= ELM_KERNEL_AMX; kernel++) {
        struct gemm_thread *t;
        if (gemm_thread_new(kernel, &t, NULL) != ELM_OK)
            continue;
        for (size_t i = 0; i < ELM_COUNT(sizes); i++) {
            for (int again = 0; again < 6; again++) {
                one(t, ELM_F32, &rng, sizes[i][0], sizes[i][1], sizes[i][2]);
                one(t, ELM_BF16, &rng, sizes[i][0], sizes[i][1], sizes[i][2]);
            }
        }
        for (int i = 0; i < 60; i++)
            one(t, i % 2 == 0 ? ELM_BF16 : ELM_F32, &rng, 1 + elm_rng_below(&rng, 70),
                1 + elm_rng_below(&rng, 70), 1 + elm_rng_below(&rng, 150));
        gemm_thread_free(t);
    }
}

/* A row's sums are the same whatever stands around it. */
static void test_rows_alone(void **state)
{
    struct elm_rng rng = elm_rng(2, 1);
    struct gemm_thread *t;
    (void)state;
    assert_int_equal(gemm_thread_new(ELM_KERNEL_AUTO, &t, NULL), ELM_OK);
    float *a = random_matrix(&rng, 70, 600), *b = random_matrix(&rng, 600, 40);
    for (enum elm_precision precision = ELM_BF16; precision <= ELM_F32; precision++) {
        float all[70 * 40], row[40];
        struct gemm g = {.m = 70, .n = 40, .k = 600, .a = a, .b = b, .c = all, .a_stride = 600,
                         .b_stride = 40, .c_stride = 40};
        gemm(t, precision, &g);
        for (uint32_t i = 0; i < 70; i++) {
            struct gemm alone = g;
            alone.m = 1;
            alone.a = a + i * 600;
            alone.c = row;
            gemm(t, precision, &alone);
            assert_memory_equal(row, all + i * 40, sizeof(row));
        }
    }
    free(a);
    free(b);
    gemm_thread_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_products),
        cmocka_unit_test(test_rows_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
