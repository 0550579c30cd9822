/* compare: arms as they are written, and what is said of cells whose answer is known. */
#include "learn/compare.h"

#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static enum elm_status parse(const char *text, struct elm_compare_arm *a, struct elm_error *err)
{
    static struct elm_arena arena;
    return elm_compare_arm_parse(text, &arena, a, err);
}

static void arms_as_written(void **state)
{
    (void)state;
    struct elm_compare_arm a;
    struct elm_error err = {0};
    assert_int_equal(parse(" semantic , tree ", &a, &err), ELM_OK);
    assert_string_equal(a.name, "semantic , tree");
    assert_string_equal(a.operators, "semantic,tree");
    assert_null(a.backend);
    assert_int_equal(parse("mine: operators = tree, semantic; shares=1,3 ;archive=topk; "
                           "selector=uniform; opaque=yes; evaluations=4e3; training-cpu=3600;", &a, &err), ELM_OK);
    assert_string_equal(a.name, "mine");
    assert_string_equal(a.operators, "tree,semantic");
    assert_float_equal(a.shares[1], 3, 0);
    assert_string_equal(a.archive, "topk");
    assert_true(a.opaque == ELM_OPAQUE_YES && a.evaluations == 4000);
    assert_float_equal(a.training_cpu_s, 3600, 0);
    assert_int_equal(parse("all:", &a, &err), ELM_OK);
    assert_null(a.operators);
    assert_int_equal(parse("m: operators=span; model=x.gguf", &a, &err), ELM_OK);
    assert_string_equal(a.backend, "native");
    assert_int_equal(parse("m: operators=diff; endpoint=http://127.0.0.1:1/v1,model=x", &a, &err),
                     ELM_OK);
    assert_string_equal(a.backend, "openai");
    /* of tree operators a model is their own */
    assert_int_equal(parse("m: operators=tree; model=x.gguf", &a, &err), ELM_OK);
    assert_null(a.backend);
    static const char *const wrong[] = {
        "", ":", "a|b: operators=tree", "a: operators", "a: operators=", "a: x=1",
        "a: operators=none", "a: operators=tree; shares=0", "a: operators=tree; shares=1,2",
        "a: model-share=2", "a: training-cpu=-1", "a: opaque=maybe", "a: backend=none",
        "a: operators=span", "a: operators=tree; archive=none", "a: evaluations=0", "a: evaluations=1.5",
        "a: training-cpu=nan",
        "a-name-that-is-longer-than-the-40-bytes-allowed: operators=tree",
    };
    for (size_t i = 0; i < ELM_COUNT(wrong); i++)
        assert_int_equal(parse(wrong[i], &a, &err), ELM_USAGE);
}

/* What cells depend on changes the hash; what an arm is called or cost does not. */
static void arms_are_known_by_what_they_do(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "a: operators=tree", "b: operators=tree; training-cpu=9", "a: operators=semantic",
        "a: operators=tree; archive=topk", "a: operators=tree; opaque=yes",
        "a: operators=tree; opaque=all", "a: operators=tree; model=no-such-file",
        "a: operators=tree; evaluations=7"};
    uint64_t hash[ELM_COUNT(texts)];
    for (size_t i = 0; i < ELM_COUNT(texts); i++) {
        struct elm_compare_arm a;
        assert_int_equal(parse(texts[i], &a, NULL), ELM_OK);
        assert_int_equal(compare_arm_hash(&a, &hash[i], NULL), ELM_OK);
    }
    assert_true(hash[0] == hash[1]);
    for (size_t i = 2; i < ELM_COUNT(texts); i++)
        assert_true(hash[i] != hash[0]);
}

/* Of each niche the best; below the floor, and below what is there, nothing is added. */
static void quality_is_counted(void **state)
{
    (void)state;
    struct elm_problem *p;
    struct quality q;
    assert_int_equal(elm_problem_load("sodarace:square", "problems", &p, NULL), ELM_OK);
    assert_true(quality_applies(p));
    const double here[3] = {1, 1, 1}, there[3] = {23, NAN, 1e9};
    quality_init(&q, p, 30);
    assert_int_equal(q.cells, 1728);
    quality_add(&q, here, 20);
    quality_add(&q, here, 10);
    quality_add(&q, there, -5);
    assert_true(q.sum == 20 && q.count == 2);
    quality_add(&q, here, 25);
    assert_true(q.sum == 25 && q.count == 2);
    quality_release(&q);
    /* where the seed is below 0, its fitness is the floor */
    quality_init(&q, p, -30);
    quality_add(&q, there, -5);
    assert_true(q.sum == 25 && q.count == 1);
    quality_release(&q);
    elm_problem_free(p);
    assert_int_equal(elm_problem_load("parity:1", "problems", &p, NULL), ELM_OK);
    assert_true(!quality_applies(p) || p->measure_count > 0);
    elm_problem_free(p);
}

static void generated_as_written(void **state)
{
    (void)state;
    struct elm_compare_generated g;
    assert_int_equal(elm_compare_generated_parse("gate:200:7", &g, NULL), ELM_OK);
    assert_true(g.stream == ELM_STREAM_GATE && g.count == 200 && g.seed == 7);
    assert_true(g.corruptions_min == 1 && g.corruptions_max == 6);
    assert_int_equal(elm_compare_generated_parse("report:1:0:2-8", &g, NULL), ELM_OK);
    assert_true(g.corruptions_min == 2 && g.corruptions_max == 8);
    assert_int_equal(elm_compare_generated_parse("report:1:0:2-8:", &g, NULL), ELM_USAGE);
    assert_int_equal(elm_compare_generated_parse("", &g, NULL), ELM_USAGE);
}

/* ---- results ---- */
enum { PROBLEMS = 10, ARMS = 2, SEEDS = 3, CELLS = PROBLEMS * ARMS * SEEDS };

/* Of 1,000 evaluations a run and 1 ms each: arm 0 solves problems 0 .. 3 at 400 evaluations, arm 1
 * problems 0 .. 7 at 100. Problem 9 has no target, and nobody gets anywhere on 8. */
static struct elm_compare *known(void)
{
    static const uint64_t marks[] = {1, 10, 100, 1000};
    static struct elm_compare_arm arms[ARMS] = {{.name = "old", .text = ""},
                                                {.name = "new", .text = "", .training_cpu_s = 30}};
    struct elm_compare *c = elm_calloc(1, sizeof(*c));
    c->def = (struct elm_compare_def){.arms = arms, .arm_count = ARMS, .seeds = SEEDS, .seed = 1,
                                      .evaluations = 1000};
    c->file = -1;
    c->problem_count = PROBLEMS;
    c->problems = elm_calloc(PROBLEMS, sizeof(*c->problems));
    c->cells = elm_calloc(CELLS, sizeof(*c->cells));
    c->cell_count = c->done = CELLS;
    c->mark_count = ELM_COUNT(marks);
    memcpy(c->marks, marks, sizeof(marks));
    for (uint32_t i = 0; i < CELLS; i++) {
        struct compare_place at = compare_place(c, i);
        struct elm_compare_cell *cell = &c->cells[i];
        uint64_t solves = at.arm == 0 ? 400 : 100;
        *cell = (struct elm_compare_cell){.done = true, .seed_fitness = 0.5, .best = 0.5,
                                          .audit = NAN, .evaluations = 1000};
        cell->solved = at.problem < (at.arm == 0 ? 4 : 8);
        if (cell->solved) {
            cell->best = 1;
            cell->evaluations = cell->solved_at = solves;
            cell->solved_cpu_us = (int64_t)solves * 1000;
        }
        if (at.problem == 9)
            cell->best = at.arm == 0 ? 0.6 : 0.7;
        cell->cpu_us = (int64_t)cell->evaluations * 1000;
        for (uint32_t k = 0; k < ELM_COUNT(marks) && marks[k] <= cell->evaluations; k++) {
            bool there = cell->solved_at > 0 && marks[k] >= cell->solved_at;
            cell->curve[k] = there || marks[k] == 1000 ? cell->best : 0.5;
            cell->curve_cpu_s[k] = (float)marks[k] / 1000;
            cell->marks++;
        }
        c->problems[at.problem].target = at.problem == 9 ? NAN : 1;
        c->problems[at.problem].top = at.problem == 9 ? NAN : 1;
    }
    for (uint32_t i = 0; i < PROBLEMS; i++)
        c->problems[i].label = elm_strdup("p");
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->changed, NULL);
    return c;
}

static void results_of_known_cells(void **state)
{
    (void)state;
    struct elm_compare *c = known();
    const struct elm_compare_result *r = elm_compare_result(c);
    assert_int_equal(r->solvable, 9);
    assert_int_equal(r->column_count, 4);
    assert_float_equal(r->columns[1], 100, 0);
    assert_float_equal(r->of[0].solved[1].mean, 0, 0);
    assert_float_equal(r->of[0].solved[2].mean, 4.0 / 9, 1e-6);
    assert_float_equal(r->of[1].solved[1].mean, 8.0 / 9, 1e-6);
    assert_float_equal(r->of[1].solved[3].mean, 8.0 / 9, 1e-6);
    /* problem 9 is measured to the best that any run came to */
    assert_float_equal(r->of[0].gain.mean, (4 + 0.5) / 10, 1e-6);
    assert_float_equal(r->of[1].gain.mean, (8 + 1) / 10.0, 1e-6);
    /* a run that solves at 100 has gained everything in the last of three decades */
    assert_float_equal(r->of[1].area.mean, 8 / 3.0 / 10, 1e-6);
    assert_float_equal(r->of[1].median_evaluations, 100, 0);
    assert_true(isinf(r->of[0].median_evaluations));
    assert_true(r->of[0].solved[3].lo < 4.0 / 9 && r->of[0].solved[3].hi > 4.0 / 9);
    assert_float_equal(r->of[1].evaluations_to_match, 100, 0);
    assert_float_equal(r->of[1].cpu_s_to_match, 0.1, 1e-9);
    assert_float_equal(r->of[0].evaluations_to_match, 400, 0);
    /* four problems more of nine */
    const struct elm_compare_difference *d = &r->differences[1][ELM_COMPARE_SOLVED];
    assert_float_equal(d->value.mean, 4.0 / 9, 1e-6);
    assert_true(d->value.lo > 0 && d->value.lo < d->value.mean && d->value.hi < 1);
    assert_int_equal(d->better, 4);
    assert_int_equal(d->worse, 0);
    assert_int_equal(d->equal, 5);
    assert_float_equal(d->p, 2 / 16.0, 1e-9);
    assert_float_equal(d->p_holm, d->p, 0);
    /* CPU time a solved problem: (4 * 0.4 + 5) / 4 and (8 * 0.1 + 1) / 8 seconds */
    assert_float_equal(r->of[0].cpu_s_per_solved, 1.65, 1e-6);
    assert_float_equal(r->of[1].cpu_s_per_solved, 0.225, 1e-6);
    assert_float_equal(r->break_even[1].problems, 30 / 1.425, 1e-3);
    /* at 0.2 s nothing of the old arm is solved */
    for (uint32_t i = 0; i < r->cpu_count; i++) {
        const struct elm_compare_point *p = &r->of[0].by_cpu[i];
        assert_float_equal(p->solved.mean, p->x < 0.4 ? 0 : 4.0 / 9, 1e-6);
    }
    elm_compare_close(c);
}

/* Every number of the document is a number, and the same cells give the same bytes. */
static void documents(void **state)
{
    (void)state;
    struct elm_compare_about about = {"elm compare", "today", "a machine"};
    struct elm_buf json[2] = {{0}, {0}}, table = {0};
    for (int i = 0; i < 2; i++) {
        struct elm_compare *c = known();
        elm_compare_json(c, &about, &json[i]);
        if (i == 0)
            elm_compare_table(c, &table);
        elm_compare_close(c);
    }
    assert_string_equal(json[0].ptr, json[1].ptr);
    assert_null(strstr(json[0].ptr, "nan"));
    assert_non_null(strstr(table.ptr, "new - old"));
    assert_non_null(strstr(table.ptr, "paid after 22 problems solved"));
    elm_buf_release(&json[0]);
    elm_buf_release(&json[1]);
    elm_buf_release(&table);
}

static void one_of_each(void **state)
{
    (void)state;
    struct elm_compare *c = known();
    for (uint32_t i = 1; i < PROBLEMS; i++)
        free(c->problems[i].label);
    c->problem_count = 1;
    c->def.seeds = 1;
    c->cell_count = c->done = ARMS;
    c->cells[1] = c->cells[SEEDS];
    const struct elm_compare_result *r = elm_compare_result(c);
    assert_float_equal(r->of[1].solved[3].mean, 1, 0);
    assert_true(isnan(r->of[1].solved[3].lo));
    assert_true(isnan(r->differences[1][ELM_COMPARE_SOLVED].p));
    struct elm_buf table = {0};
    elm_compare_table(c, &table);
    assert_non_null(strstr(table.ptr, "no interval"));
    elm_buf_release(&table);
    elm_compare_close(c);
}

static void curves_stay_in_their_place(void **state)
{
    (void)state;
    double x[] = {1, 10, 2000}, y[] = {0, 0.2, 0.4}, lo[] = {0, 0.1, 0.3}, hi[] = {0, 0.3, 0.45};
    double none[] = {NAN, NAN, NAN};
    struct compare_series series[16];
    for (int i = 0; i < 16; i++)
        series[i] = (struct compare_series){"an arm", x, y, i % 2 ? none : lo, i % 2 ? none : hi, 3};
    struct compare_chart chart = {"title", "x", "y", false, series, 16};
    struct elm_buf svg = {0};
    compare_svg(&chart, &svg);
    assert_null(strstr(svg.ptr, "nan"));
    assert_null(strstr(svg.ptr, "inf"));
    assert_non_null(strstr(svg.ptr, ">1k</text>"));
    /* nothing measured at all */
    for (int i = 0; i < 16; i++)
        series[i].count = 0;
    elm_buf_clear(&svg);
    compare_svg(&chart, &svg);
    assert_null(strstr(svg.ptr, "nan"));
    assert_null(strstr(svg.ptr, "inf"));
    elm_buf_release(&svg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arms_as_written),       cmocka_unit_test(arms_are_known_by_what_they_do),
        cmocka_unit_test(quality_is_counted), cmocka_unit_test(generated_as_written),  cmocka_unit_test(results_of_known_cells),
        cmocka_unit_test(documents),             cmocka_unit_test(one_of_each),
        cmocka_unit_test(curves_stay_in_their_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
