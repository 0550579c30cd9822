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

/* ---- lexicase, against every order of the cases ---- */
#define CASES 6
#define ELITES 150
static bool pass[ELITES][CASES];

/* Adds to `share` what one order gives: the last ones left of [first, end) but `except`. */
static void filter_slowly(const int *order, uint32_t first, uint32_t end, uint32_t except,
                          double weight, double *share)
{
    bool in[ELITES] = {false};
    uint32_t left = 0;
    for (uint32_t i = first; i < end; i++)
        left += in[i] = i != except;
    for (int c = 0; c < CASES; c++) {
        uint32_t passing = 0;
        for (uint32_t i = first; i < end; i++)
            passing += in[i] && pass[i][order[c]];
        for (uint32_t i = first; i < end && passing > 0; i++)
            in[i] = in[i] && pass[i][order[c]];
        left = passing > 0 ? passing : left;
    }
    for (uint32_t i = first; i < end; i++)
        share[i] += in[i] ? weight / left : 0;
}

/* Over all orders, by exchanging. */
static void every_order(int *order, int at, uint32_t first, uint32_t end, uint32_t except,
                        double weight, double *share)
{
    if (at == CASES) {
        filter_slowly(order, first, end, except, weight, share);
        return;
    }
    for (int k = at; k < CASES; k++) {
        int a = order[at], b = order[k];
        order[at] = b;
        order[k] = a;
        every_order(order, at + 1, first, end, except, weight / (CASES - at), share);
        order[at] = a;
        order[k] = b;
    }
}

static void shares_of(uint32_t first, uint32_t end, uint32_t except, double weight, double *share)
{
    int order[CASES];
    for (int c = 0; c < CASES; c++)
        order[c] = c;
    every_order(order, 0, first, end, except, weight, share);
}

static struct elm_case_table table_of(uint64_t *bits, uint32_t count)
{
    struct elm_case_table t = {.cases = CASES, .words = (count + 63) / 64, .pass = bits};
    memset(bits, 0, (size_t)CASES * t.words * sizeof(bits[0]));
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t c = 0; c < CASES; c++)
            bits[c * t.words + i / 64] |= (uint64_t)pass[i][c] << i % 64;
    }
    return t;
}

/* Both parents, of elites [first, end) of `count`. */
static void check_lexicase(uint32_t first, uint32_t end, uint32_t count)
{
    const struct elm_selector_kind *lexicase = elm_selector_find("lexicase");
    uint64_t bits[CASES * 3];
    struct elm_case_table table = table_of(bits, count);
    struct rig r = make_rig(NULL, NULL, count);
    double share[ELITES] = {0}, second[ELITES] = {0};
    uint32_t hits[ELITES] = {0}, seconds[ELITES] = {0}, two[2];
    r.from = (struct elm_selection){r.kind, r.archive, first, end - first, &table};
    shares_of(first, end, UINT32_MAX, 1, share);
    for (uint32_t i = first; i < end; i++) {
        if (share[i] > 0)
            shares_of(first, end, i, share[i], second);
    }
    struct elm_rng rng = elm_rng(7, count);
    for (int i = 0; i < DRAWS; i++) {
        lexicase->select(&r.from, &rng, 2, two);
        assert_true(two[0] >= first && two[0] < end && two[1] >= first && two[1] < end);
        assert_true(two[0] != two[1]);
        hits[two[0]]++;
        seconds[two[1]]++;
    }
    assert_shares(hits, share, ELITES, DRAWS);
    assert_shares(seconds, second, ELITES, DRAWS);
    r.kind->free(r.archive);
}

static void lexicase_draws_as_every_order_says(void **state)
{
    (void)state;
    struct elm_rng rng = elm_rng(6, 6);
    for (uint32_t i = 0; i < ELITES; i++) {
        for (int c = 0; c < CASES; c++)
            pass[i][c] = elm_rng_chance(&rng, 0.1 * c);
    }
    check_lexicase(0, 7, 7);
    check_lexicase(0, 64, 64);
    check_lexicase(0, ELITES, ELITES);
    check_lexicase(61, 131, ELITES);
}

/* One passes a case that nobody else does, and nothing more: it is drawn whenever that case comes
 * first, and else never. A generalist that passes all but that one gets the rest. */
static void lexicase_gives_specialists_their_turn(void **state)
{
    (void)state;
    enum { COUNT = 20 };
    const struct elm_selector_kind *lexicase = elm_selector_find("lexicase");
    uint64_t bits[CASES];
    memset(pass, 0, sizeof(pass));
    pass[3][0] = true;
    for (int c = 1; c < CASES; c++)
        pass[11][c] = true;
    for (uint32_t i = 12; i < COUNT; i++)
        pass[i][1 + i % (CASES - 1)] = true;
    struct elm_case_table table = table_of(bits, COUNT);
    struct rig r = make_rig(NULL, NULL, COUNT);
    uint32_t hits[COUNT] = {0};
    double share[COUNT] = {[3] = 1.0 / CASES};
    /* it takes a second case that the others of the first one do not pass */
    share[11] = 1 - share[3];
    r.from.cases = &table;
    struct elm_rng rng = elm_rng(8, 8);
    for (int i = 0; i < DRAWS; i++) {
        uint32_t one;
        lexicase->select(&r.from, &rng, 1, &one);
        hits[one]++;
    }
    assert_shares(hits, share, COUNT, DRAWS);
    r.kind->free(r.archive);
}

/* Nothing passes, or nothing is known: everyone is as likely. */
static void lexicase_without_passes_is_uniform(void **state)
{
    (void)state;
    enum { COUNT = 70 };
    const struct elm_selector_kind *lexicase = elm_selector_find("lexicase");
    uint64_t bits[CASES * 2];
    memset(pass, 0, sizeof(pass));
    struct elm_case_table table = table_of(bits, COUNT);
    struct rig r = make_rig(NULL, NULL, COUNT);
    double share[COUNT];
    for (uint32_t i = 0; i < COUNT; i++)
        share[i] = 1.0 / COUNT;
    for (int known = 0; known < 2; known++) {
        uint32_t hits[COUNT] = {0};
        r.from.cases = known ? &table : NULL;
        struct elm_rng rng = elm_rng(9, 9);
        for (int i = 0; i < DRAWS; i++) {
            uint32_t one;
            lexicase->select(&r.from, &rng, 1, &one);
            hits[one]++;
        }
        assert_shares(hits, share, COUNT, DRAWS);
    }
    r.kind->free(r.archive);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(power_draws_by_rank),
        cmocka_unit_test(power_ranks_many),
        cmocka_unit_test(lexicase_draws_as_every_order_says),
        cmocka_unit_test(lexicase_gives_specialists_their_turn),
        cmocka_unit_test(lexicase_without_passes_is_uniform),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
