/* selector: who is asked how often. */
#include "elm/archive.h"

#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* An archive of a cell a program, in order of the programs' numbers. */
struct rig {
    const struct elm_archive_kind *kind;
    void *archive;
    struct elm_selection from;
};

static struct rig make_rig(const double *fitness, const uint32_t *nodes, uint32_t count)
{
    struct elm_problem p = {.measure_count = 2};
    p.measures[0] = (struct elm_measure){"one", 0, 64, 64, ELM_MEASURE_JUDGE};
    p.measures[1] = (struct elm_measure){"two", 0, 64, 64, ELM_MEASURE_JUDGE};
    struct rig r = {.kind = elm_archive_find("grid")};
    r.archive = r.kind->make(&p, 0);
    for (uint32_t i = 0; i < count; i++) {
        struct elm_evaluation e = {.status = ELM_EVAL_OK,
                                   .fitness = fitness == NULL ? 0 : fitness[i],
                                   .measures = {i % 64, (double)(i / 64)}};
        struct elm_entrant x = {.id = i, .parent = -1, .nodes = nodes == NULL ? 5 : nodes[i],
                                .evaluation = &e};
        assert_int_equal(r.kind->add(r.archive, &x).outcome, ELM_OUTCOME_NEW);
    }
    r.from = (struct elm_selection){.kind = r.kind, .archive = r.archive, .count = count};
    return r;
}

/* Counts within five standard deviations of what the shares say. */
static void assert_shares(const uint32_t *hits, const double *share, uint32_t count, uint32_t draws)
{
    for (uint32_t i = 0; i < count; i++) {
        double wanted = share[i] * draws, allowed = 5 * sqrt(wanted * (1 - share[i])) + 1e-9;
        if (fabs(hits[i] - wanted) > allowed)
            fail_msg("%u of %u draws are of elite %u, not about %.1f", hits[i], draws, i, wanted);
    }
}

#define DRAWS 100000

static void power_draws_by_rank(void **state)
{
    (void)state;
    static const double fitness[] = {9, 2, 2, 7, -1, 2, 8, 100, -100};
    static const uint32_t nodes[] = {5, 9, 4, 5, 5, 4, 5, 5, 5};
    /* the last two lie outside the range that is chosen from */
    static const uint32_t rank[] = {1, 6, 4, 3, 7, 5, 2};
    enum { COUNT = 7 };
    const struct elm_selector_kind *power = elm_selector_find("power");
    struct rig r = make_rig(fitness, nodes, COUNT + 2);
    double share[COUNT], second[COUNT] = {0}, all = 0;
    uint32_t hits[COUNT] = {0}, seconds[COUNT] = {0}, two[2];
    for (uint32_t i = 0; i < COUNT; i++)
        all += 1.0 / (i + 1);
    for (uint32_t i = 0; i < COUNT; i++)
        share[i] = 1 / (rank[i] * all);
    for (uint32_t i = 0; i < COUNT; i++) {
        for (uint32_t k = 0; k < COUNT; k++)
            second[i] += k == i ? 0 : share[k] * share[i] / (1 - share[k]);
    }
    r.from.count = COUNT;
    struct elm_rng rng = elm_rng(1, 2);
    for (int i = 0; i < DRAWS; i++) {
        power->select(&r.from, &rng, 2, two);
        assert_true(two[0] < COUNT && two[1] < COUNT && two[0] != two[1]);
        hits[two[0]]++;
        seconds[two[1]]++;
    }
    assert_shares(hits, share, COUNT, DRAWS);
    assert_shares(seconds, second, COUNT, DRAWS);
    r.kind->free(r.archive);
}

static int by_fitness(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? 1 : x > y ? -1 : 0;
}

/* Large and full of ties: whom it draws is whom sorting says, by its share of the draws. */
static void power_ranks_many(void **state)
{
    (void)state;
    enum { COUNT = 500 };
    const struct elm_selector_kind *power = elm_selector_find("power");
    double fitness[COUNT], sorted[COUNT], all = 0;
    uint32_t hits[COUNT] = {0};
    struct elm_rng rng = elm_rng(5, 5);
    for (uint32_t i = 0; i < COUNT; i++) {
        sorted[i] = fitness[i] = i < 40 ? 3 : elm_rng_below(&rng, 1000);
        all += 1.0 / (i + 1);
    }
    qsort(sorted, COUNT, sizeof(sorted[0]), by_fitness);
    struct rig r = make_rig(fitness, NULL, COUNT);
    for (int i = 0; i < DRAWS; i++) {
        uint32_t one;
        power->select(&r.from, &rng, 1, &one);
        hits[one]++;
    }
    double share[10] = {0};
    uint32_t tenths[10] = {0};
    for (uint32_t i = 0; i < COUNT; i++) {
        share[i / 50] += 1 / ((i + 1) * all);
        uint32_t rank = 0;
        for (uint32_t k = 0; k < COUNT; k++)
            rank += fitness[k] > fitness[i] || (fitness[k] == fitness[i] && k < i);
        tenths[rank / 50] += hits[i];
        if (rank < 3)
            assert_true(fitness[i] == sorted[rank]);
    }
    assert_shares(tenths, share, 10, DRAWS);
    r.kind->free(r.archive);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(power_draws_by_rank),
        cmocka_unit_test(power_ranks_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
