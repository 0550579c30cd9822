/*
 * kill: a run killed with SIGKILL at 50 random points and resumed each time ends as the undisturbed
 * run does, its store is whole, and nothing of it is left running.
 */
#include "elm/elm.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#define KILLS 50
#define KILLS_A_RUN 10
#define EVALUATIONS 6000

static char *scratch(void)
{
    char path[] = "/tmp/elm-kill-XXXXXX";
    assert_non_null(mkdtemp(path));
    return elm_strdup(path);
}

/* In a process of its own, as a user's command is. Exits 0 when the budget is spent. */
static pid_t start(const char *folder, bool resume)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    setpgid(0, 0);
    struct elm_error err = {0};
    struct elm_search_def def = elm_default_search_def();
    struct elm_problem *problem = NULL;
    struct elm_search *s = NULL;
    enum elm_search_end end;
    if (elm_keeper_open(&def.keeper, &err) != ELM_OK ||
        elm_problem_load("sort", "problems", &problem, &err) != ELM_OK) {
        fprintf(stderr, "%s\n", err.message);
        _exit(1);
    }
    def.problem = problem;
    def.folder = folder;
    def.resume = resume;
    def.seed = 5;
    def.workers = 2;
    def.evaluations = EVALUATIONS;
    def.snapshot_attempts = 1500;
    if (elm_search_open(&def, &s, &err) != ELM_OK ||
        elm_search_run(s, NULL, NULL, &end, &err) != ELM_OK ||
        elm_search_close(s, &err) != ELM_OK) {
        fprintf(stderr, "%s\n", err.message);
        _exit(1);
    }
    elm_keeper_close(def.keeper);
    _exit(0);
}

static int finish(pid_t pid)
{
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static uint64_t replayed_hash(const char *folder)
{
    struct elm_replay_report report;
    struct elm_error err = {0};
    if (elm_search_replay(folder, "problems", &report, &err) != ELM_OK)
        fail_msg("%s", err.message);
    return report.hash;
}

static bool holds_a_run(const char *folder)
{
    struct elm_store *store = NULL;
    struct elm_error err = {0};
    struct elm_store_totals totals = {0};
    if (elm_store_open(folder, ELM_STORE_READ, &store, &err) != ELM_OK)
        return false;
    bool any = elm_store_totals(store, &totals, &err) == ELM_OK && totals.attempts > 0;
    elm_store_close(store, &err);
    return any;
}

/* No process of the killed run's group may be left. */
static void nothing_left(pid_t group)
{
    for (int i = 0; i < 100; i++) {
        if (kill(-group, 0) != 0)
            return;
        usleep(20000);
    }
    fail_msg("processes of a killed run are still there after 2 s");
}

static void killed_anywhere_it_ends_the_same(void **state)
{
    (void)state;
    char *calm = scratch();
    assert_int_equal(finish(start(calm, false)), 0);
    uint64_t expected = replayed_hash(calm);
    struct elm_rng rng = elm_rng((uint64_t)time(NULL), 1);
    int landed = 0;
    for (int kills = 0; kills < KILLS; kills += KILLS_A_RUN) {
        char *folder = scratch();
        bool resume = false;
        for (int k = 0; k < KILLS_A_RUN; k++) {
            pid_t pid = start(folder, resume);
            usleep((useconds_t)elm_rng_range(&rng, 5000, 250000));
            landed += kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid;
            nothing_left(pid);
            if (holds_a_run(folder))
                resume = true;
            else
                elm_store_delete(folder, NULL);
        }
        assert_int_equal(finish(start(folder, resume)), 0);
        if (replayed_hash(folder) != expected)
            fail_msg("a run killed %d times ended differently", KILLS_A_RUN);
        elm_store_delete(folder, NULL);
        rmdir(folder);
        free(folder);
    }
    print_message("%d of %d kills\n", landed, KILLS);
    elm_store_delete(calm, NULL);
    rmdir(calm);
    free(calm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(killed_anywhere_it_ends_the_same)};
    return cmocka_run_group_tests_name("kill", tests, NULL, NULL);
}
