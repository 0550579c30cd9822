/*
 * nano_rows: every kernel's products and glances are those of plain sums in double, all it does is what the plain
 * one does, and AVX2 and AVX512 give the same bits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "model/nano_net.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH 32
#define HEADS (WIDTH / NANO_HEAD)

static float *numbers(size_t count, uint64_t seed)
{
    struct elm_rng rng = elm_rng(seed, 0);
    float *f = aligned_alloc(64, NANO_ROUND(count + 16) * sizeof(float));
    assert_non_null(f);
    for (size_t i = 0; i < NANO_ROUND(count + 16); i++)
        f[i] = (float)elm_rng_normal(&rng);
    return f;
}

static void check_product(const struct nano_products *k, uint32_t rows, uint32_t columns,
                          uint32_t depth, bool add)
{
    uint32_t room = NANO_ROUND(rows);
    float *left = numbers((size_t)rows * depth, 1), *weights = numbers((size_t)columns * depth, 2);
    float *out = numbers((size_t)room * columns, 3), *before = numbers((size_t)room * columns, 3);
    float *panels = numbers((size_t)columns * depth, 4);
    for (uint32_t i = 0; i < 16; i++)
        left[(size_t)rows * depth + i] = panels[(size_t)columns * depth + i] = NAN;
    k->pack(weights, columns, depth, panels);
    k->product(&(struct nano_product){.left = left, .panels = panels, .out = out,
                                      .left_stride = depth, .out_stride = columns, .rows = rows,
                                      .columns = columns, .depth = depth, .add = add});
    for (uint32_t r = 0; r < rows; r++) {
        for (uint32_t c = 0; c < columns; c++) {
            double sum = add ? before[(size_t)r * columns + c] : 0, size = 1;
            for (uint32_t i = 0; i < depth; i++) {
                double x = (double)left[(size_t)r * depth + i] * weights[(size_t)c * depth + i];
                sum += x;
                size += fabs(x);
            }
            /* two numbers of bf16 keep 16 bits */
            assert_true(fabs(out[(size_t)r * columns + c] - sum) < size / 65536);
        }
    }
    free(left);
    free(weights);
    free(out);
    free(before);
    free(panels);
}

static void products_are_sums(void **state)
{
    static const uint32_t rows[] = {0, 1, 3, 5, 12, 16, 17, 31, 64, 70};
    (void)state;
    for (enum elm_kernel k = ELM_KERNEL_AUTO; k <= ELM_KERNEL_AMX; k++) {
        const struct nano_products *products = nano_products_choose(k);
        for (uint32_t i = 0; i < ELM_COUNT(rows); i++) {
            check_product(products, rows[i], 208, 64, i % 2 == 0);
            check_product(products, rows[i], 32, 288, i % 2 == 1);
            check_product(products, rows[i], 96, 16, i % 2 == 1);
            check_product(products, rows[i], 16, NANO_CASE_FEATURES, i % 2 == 0);
            check_product(products, rows[i], 64, 272, i % 2 == 1);
        }
    }
}

#define STEPS_MOST 20

struct scene {
    uint32_t rows, prefix, stride;
    uint16_t steps[NANO_GLANCES];
    float *qkv, *past, *bias;            /* of the prefix too: rows of past from 0 */
    uint16_t paths[NANO_GLANCES][STEPS_MOST];
    uint8_t relations[NANO_GLANCES * 48];
};

static const float *seen(const struct scene *s, uint32_t row, uint32_t at)
{
    uint32_t step = at - s->prefix;
    if (at < s->prefix)
        return s->past + (size_t)at * 3 * WIDTH;
    return step + 1 == s->steps[row] ? s->qkv + (size_t)row * 3 * WIDTH
                                : s->past + (size_t)s->paths[row][step] * 3 * WIDTH;
}

static void check_row(const struct scene *s, uint32_t row, const float *out)
{
    const uint32_t all = s->prefix + s->steps[row];
    for (uint32_t h = 0; h < HEADS; h++) {
        const float *q = s->qkv + (size_t)row * 3 * WIDTH + h * NANO_HEAD;
        double shares[64], sum = 0, mixed[NANO_HEAD] = {0};
        for (uint32_t j = 0; j < all; j++) {
            const float *k = seen(s, row, j) + WIDTH + h * NANO_HEAD;
            uint32_t left = all - j;
            uint8_t relation = j < s->prefix ? s->relations[row * s->stride + j]
                               : left == 1   ? NANO_REL_SELF
                               : left == 2   ? NANO_REL_LAST_STEP : NANO_REL_STEP;
            double score = 0;
            for (uint32_t c = 0; c < NANO_HEAD; c++)
                score += (double)q[c] * k[c];
            shares[j] = exp(score / 4 + s->bias[h * NANO_RELATIONS + relation]);
            sum += shares[j];
        }
        for (uint32_t j = 0; j < all; j++) {
            for (uint32_t c = 0; c < NANO_HEAD; c++)
                mixed[c] += shares[j] / sum * seen(s, row, j)[2 * WIDTH + h * NANO_HEAD + c];
        }
        for (uint32_t c = 0; c < NANO_HEAD; c++)
            assert_true(fabs(mixed[c] - out[(size_t)row * WIDTH + h * NANO_HEAD + c]) < 1e-4);
    }
}

static void check_glance(const struct nano_rows *rows, uint32_t count)
{
    struct scene s = {.rows = count, .prefix = 37, .stride = 48};
    const uint16_t *paths[NANO_GLANCES];
    struct elm_rng rng = elm_rng(9, count);
    s.qkv = numbers((size_t)count * 3 * WIDTH, 5);
    s.past = numbers(200 * 3 * WIDTH, 6);
    s.bias = numbers(HEADS * NANO_RELATIONS, 7);
    for (uint32_t r = 0; r < count; r++) {
        paths[r] = s.paths[r];
        s.steps[r] = (uint16_t)(1 + elm_rng_below(&rng, STEPS_MOST));
        for (uint32_t j = 0; j < STEPS_MOST; j++)
            s.paths[r][j] = (uint16_t)(s.prefix + elm_rng_below(&rng, 100));
        for (uint32_t j = 0; j < s.stride; j++)
            s.relations[r * s.stride + j] = (uint8_t)elm_rng_below(&rng, NANO_RELATIONS);
    }
    float *keys = numbers((size_t)WIDTH * s.stride, 8), *values = numbers((size_t)WIDTH * s.stride, 8);
    memset(values, 0, (size_t)WIDTH * s.stride * sizeof(float));
    for (uint32_t c = 0; c < WIDTH; c++) {
        for (uint32_t j = 0; j < s.prefix; j++) {
            const float *k = s.past + (size_t)j * 3 * WIDTH + WIDTH + c;
            uint32_t head = c / NANO_HEAD * NANO_HEAD * s.stride, at = c % NANO_HEAD;
            keys[head + (j / 16 * NANO_HEAD + at) * 16 + j % 16] = k[0];
            values[head + j * NANO_HEAD + at] = k[WIDTH];
        }
    }
    float *out = numbers((size_t)count * WIDTH, 9);
    float *scratch = numbers(nano_glance_scratch(s.stride, HEADS), 10);
    rows->glance(&(struct nano_glance){
        .rows = count, .prefix = s.prefix, .stride = s.stride, .width = WIDTH, .steps = s.steps,
        .qkv = s.qkv, .keys = keys, .values = values, .past = s.past, .paths = paths,
        .relations = s.relations, .bias = s.bias, .out = out, .scratch = scratch});
    for (uint32_t r = 0; r < count; r++)
        check_row(&s, r, out);
    void *owned[] = {s.qkv, s.past, s.bias, keys, values, out, scratch};
    for (uint32_t k = 0; k < ELM_COUNT(owned); k++)
        free(owned[k]);
}

static void glances_are_attention(void **state)
{
    (void)state;
    for (enum elm_kernel k = ELM_KERNEL_AUTO; k <= ELM_KERNEL_AMX; k++) {
        for (uint32_t count = 1; count <= NANO_GLANCES; count++)
            check_glance(nano_rows_choose(k), count);
    }
}

#define ROWS 53
#define FIRST 30
#define STRIDE NANO_ROUND(ROWS)
#define RESULTS 60000

/* All but products and glances, one after the other, to out[RESULTS]. */
static void do_all(const struct nano_rows *k, float *out)
{
    const size_t n = (size_t)ROWS * WIDTH;
    float *x = numbers(3 * n, 11), *w = numbers(3 * n, 12), *gradient = numbers(n, 13);
    uint64_t allowed[3] = {0xf0f0f0f000000fffu, 1, 0xffffffff00000000u};
    uint16_t ids[5] = {3, 0, 7, 1, 2};
    uint8_t relations[ROWS * STRIDE];
    float *const start = out;
    struct elm_rng rng = elm_rng(10, 0);
    for (uint32_t i = 0; i < ROWS * STRIDE; i++)
        relations[i] = (uint8_t)elm_rng_below(&rng, NANO_RELATIONS);
    k->norm(x, w, ROWS, WIDTH, out, out + STRIDE);
    k->norm_back(x, w, out, gradient, ROWS, WIDTH, out + STRIDE + n, out + STRIDE + 2 * n);
    out += STRIDE + 2 * n + WIDTH;
    k->square(x, n, out);
    memcpy(out + n, gradient, n * sizeof(*out));
    k->square_back(x, n, out + n);
    k->add(out, w, n);
    out += 2 * n;
    struct nano_attention a = {.rows = ROWS, .stride = STRIDE, .width = WIDTH, .qkv = x,
                               .relations = relations, .bias = w, .out_gradient = gradient};
    a.scratch = numbers(17 * STRIDE, 14);
    for (; a.first <= FIRST; a.first += FIRST) {
        a.out = out;
        a.qkv_gradient = a.out + n;
        a.bias_gradient = a.qkv_gradient + 3 * n;
        a.shares = a.bias_gradient + HEADS * NANO_RELATIONS;
        out = a.shares + (size_t)HEADS * ROWS * STRIDE;
        k->attend(&a);
        k->attend_back(&a);
    }
    out[0] = k->draw(&(struct nano_draw){.logits = x, .allowed = allowed, .count = 150, .temperature = 0.7f,
                                         .seed = 0x1234567887654321u, .logprobs = out + 16, .noisy = out + 176});
    k->point(&(struct nano_pointing){.query = x, .keys = w, .width = WIDTH, .stride = 48, .scale = 0.3f,
                                     .scores = out + 336});
    k->embed(w, ids, ELM_COUNT(ids), WIDTH, out + 384);
    assert_true(out + 384 + WIDTH <= start + RESULTS);
    void *owned[] = {x, w, gradient, a.scratch};
    for (uint32_t i = 0; i < ELM_COUNT(owned); i++)
        free(owned[i]);
}

static void kernels_agree(void **state)
{
    float *plain = calloc(RESULTS, sizeof(*plain)), *avx2 = calloc(RESULTS, sizeof(*avx2));
    (void)state;
    assert_non_null(plain);
    assert_non_null(avx2);
    do_all(nano_rows_choose(ELM_KERNEL_PLAIN), plain);
    do_all(nano_rows_choose(ELM_KERNEL_AVX2), avx2);
    for (uint32_t i = 0; i < RESULTS; i++)
        assert_true(fabsf(plain[i] - avx2[i]) <= 1e-4f * (1 + fabsf(plain[i])));
    if (nano_rows_avx2() != NULL) {
        float *fast = calloc(RESULTS, sizeof(*fast));
        assert_non_null(fast);
        do_all(nano_rows_choose(ELM_KERNEL_AVX512), fast);
        assert_memory_equal(avx2, fast, RESULTS * sizeof(*fast));
        free(fast);
    }
    free(plain);
    free(avx2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_are_sums),
        cmocka_unit_test(glances_are_attention),
        cmocka_unit_test(kernels_agree),
    };
    return cmocka_run_group_tests_name("nano_rows", tests, NULL, NULL);
}
