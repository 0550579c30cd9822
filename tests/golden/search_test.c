/*
 * golden: the same seed gives the same archive for any number of workers, a run cut in two equals
 * the whole one, and replay rebuilds it. Runs real cages on problems of the suite.
 */
#include "elm/elm.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static struct elm_keeper *keeper;

struct outcome {
    uint64_t hash;
    int64_t attempts;
    double best;
};

static char *scratch(void)
{
    char path[] = "/tmp/elm-golden-XXXXXX";
    assert_non_null(mkdtemp(path));
    return elm_strdup(path);
}

static void remove_scratch(char *path)
{
    struct elm_error err = {0};
    elm_store_delete(path, &err);
    rmdir(path);
    free(path);
}

/* A problem and how it is searched; NULL: as the problem says. */
struct search {
    const char *name, *archive, *selector;
};

static struct outcome run(const struct search *what, uint64_t seed, uint32_t workers,
                          const char *folder, bool resume, uint64_t evaluations)
{
    struct elm_error err = {0};
    struct elm_problem *problem = NULL;
    const char *name = what->name;
    if (elm_problem_load(name, "problems", &problem, &err) != ELM_OK)
        fail_msg("%s", err.message);
    struct elm_search_def def = elm_default_search_def();
    def.archive = what->archive;
    def.selector = what->selector;
    def.keeper = keeper;
    def.problem = problem;
    def.folder = folder;
    def.resume = resume;
    def.seed = seed;
    def.workers = workers;
    def.evaluations = evaluations;
    def.snapshot_attempts = 700;
    struct elm_search *s = NULL;
    if (elm_search_open(&def, &s, &err) != ELM_OK)
        fail_msg("%s: %s", name, err.message);
    enum elm_search_end end;
    if (elm_search_run(s, NULL, NULL, &end, &err) != ELM_OK)
        fail_msg("%s: %s", name, err.message);
    struct elm_search_stats stats;
    elm_search_stats(s, &stats);
    assert_true(stats.evaluations >= evaluations || end != ELM_END_BUDGET);
    struct outcome out = {elm_search_hash(s), (int64_t)stats.attempts, stats.archive.best};
    if (elm_search_close(s, &err) != ELM_OK)
        fail_msg("%s", err.message);
    elm_problem_free(problem);
    return out;
}

static const struct search searches[] = {
    {"sort", NULL, NULL},           {"boolean", NULL, NULL},
    {"regression", NULL, NULL},     {"parity", NULL, NULL},
    {"estimate", NULL, NULL},       {"boolean:5a", "islands", "lexicase"},
    {"regression", "cvt", "power"}, {"estimate", "islands", "lexicase"},
};

static void workers_do_not_matter(void **state)
{
    (void)state;
    for (size_t i = 0; i < ELM_COUNT(searches); i++) {
        struct outcome one = run(&searches[i], 7, 1, NULL, false, 1500);
        for (uint32_t workers = 2; workers <= 3; workers++) {
            struct outcome many = run(&searches[i], 7, workers, NULL, false, 1500);
            if (one.hash != many.hash)
                fail_msg("%s: %u workers gave another archive", searches[i].name, workers);
            assert_true(one.attempts == many.attempts);
        }
        struct outcome other = run(&searches[i], 8, 2, NULL, false, 1500);
        if (one.hash == other.hash)
            fail_msg("%s: another seed gave the same archive", searches[i].name);
    }
}

static void a_run_cut_in_pieces_equals_the_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < ELM_COUNT(searches); i++) {
        char *whole = scratch(), *cut = scratch();
        struct outcome a = run(&searches[i], 3, 2, whole, false, 2000);
        run(&searches[i], 3, 2, cut, false, 300);
        run(&searches[i], 3, 1, cut, true, 1100);
        struct outcome b = run(&searches[i], 3, 2, cut, true, 2000);
        if (a.hash != b.hash)
            fail_msg("%s: the resumed run differs from the undisturbed one", searches[i].name);
        remove_scratch(whole);
        remove_scratch(cut);
    }
}

static void replay_rebuilds_the_archive(void **state)
{
    (void)state;
    for (size_t i = 0; i < ELM_COUNT(searches); i++) {
        char *folder = scratch();
        struct outcome a = run(&searches[i], 11, 2, folder, false, 2000);
        struct elm_replay_report report;
        struct elm_error err = {0};
        if (elm_search_replay(folder, "problems", &report, &err) != ELM_OK)
            fail_msg("%s: %s", searches[i].name, err.message);
        assert_true(report.hash == a.hash && report.recorded_hash == a.hash);
        remove_scratch(folder);
    }
}

int main(void)
{
    struct elm_error err = {0};
    if (elm_keeper_open(&keeper, &err) != ELM_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(workers_do_not_matter),
        cmocka_unit_test(a_run_cut_in_pieces_equals_the_whole),
        cmocka_unit_test(replay_rebuilds_the_archive),
    };
    int failed = cmocka_run_group_tests_name("golden search", tests, NULL, NULL);
    elm_keeper_close(keeper);
    return failed;
}
