/* rooted: the seed stays, half of the children are its, and what stands beside it differs in fitness. */
#include "elm/archive.h"

#include <setjmp.h>

#include <cmocka.h>

static void keeps_the_seed(void **state)
{
    (void)state;
    const struct elm_archive_kind *kind = elm_archive_find("rooted");
    struct elm_problem problem = {.seed = {NULL, 10}};
    void *archive = kind->make(&problem, 0);
    struct elm_rng rng = elm_rng(1, 0);
    struct elm_evaluation e = {.status = ELM_EVAL_OK, .fitness = 0.5};
    struct elm_entrant x = {.id = 0, .parent = -1, .nodes = 10, .evaluation = &e};
    assert_int_equal(kind->add(archive, &x).outcome, ELM_OUTCOME_NEW);
    uint32_t first, count, of_seed = 0;
    for (int64_t id = 1; id <= 400; id++) {
        x.id = id;
        x.group = kind->group(archive, &rng, &first, &count);
        assert_true(x.group == 0 ? first == 0 && count == 1
                                 : first == 1 && count == kind->count(archive) - 1);
        of_seed += x.group == 0;
        x.parent = kind->at(archive, first)->id;
        e.fitness = 0.4 + (double)(id * 7 % 40) / 100;
        struct elm_add_result r = kind->add(archive, &x);
        assert_int_not_equal(r.evicted, 0);
        assert_int_equal(kind->at(archive, 0)->id, 0);
    }
    assert_in_range(of_seed, 160, 240);
    /* the eight best of forty values, each once, and the newest of its kind */
    assert_int_equal(kind->count(archive), 9);
    for (uint32_t i = 1; i < 9; i++) {
        const struct elm_elite *elite = kind->at(archive, i);
        assert_true(elite->fitness > 0.715);
        assert_in_range(elite->id, 361, 400);
        for (uint32_t k = 1; k < i; k++)
            assert_true(kind->at(archive, k)->fitness != elite->fitness);
    }
    kind->free(archive);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(keeps_the_seed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
