/*
 * command: one file scored by the user's command, in the real cages: the number, failures, what is
 * left behind, what is out of reach.
 */
#include "elm/sandbox.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct elm_keeper *keeper;
static struct elm_sandbox_report best;
static char folder[] = "/tmp/elm-command-XXXXXX";

static void put(const char *name, const char *text)
{
    struct elm_buf path = {0};
    elm_buf_printf(&path, "%s/%s", folder, name);
    assert_int_equal(elm_file_write(path.ptr, elm_str(text), NULL), ELM_OK);
    elm_buf_release(&path);
}

static void expect(const char *what, struct elm_evaluation e, enum elm_eval_status status,
                   const char *why)
{
    if (e.status != status || strstr(e.why, why) == NULL)
        fail_msg("%s: %s (%s), not %s (%s)", what, elm_eval_status_name(e.status), e.why,
                 elm_eval_status_name(status), why);
}

static struct elm_evaluation run_command(const char *command, int level, const char *text)
{
    struct elm_error err = {0};
    struct elm_evaluator *e;
    struct elm_buf path = {0};
    elm_buf_printf(&path, "%s/one", folder);
    mkdir(path.ptr, 0755);
    struct elm_problem p = {.name = (char[]){"f.c"}, .folder = path.ptr,
                            .judge = ELM_JUDGE_COMMAND, .score_command = elm_strdup(command),
                            .names = elm_names_new(), .cpu_ms = 200, .memory_mb = 64};
    put("one/f.c", "int x = 1;\n");
    put("one/other.txt", "5\n");
    struct elm_evaluator_def def = {.keeper = keeper, .problem = &p, .level = level};
    if (elm_evaluator_open(&def, &e, &err) != ELM_OK)
        fail_msg("%s", err.message);
    struct elm_job job = {.text = elm_str(text)};
    if (elm_evaluator_run(e, &job, 1, ELM_SET_SCORED, ELM_TIER_FAST, &err) != ELM_OK)
        fail_msg("%s", err.message);
    elm_evaluator_close(e);
    elm_names_free(p.names);
    free(p.score_command);
    /* the folder itself is never written */
    elm_buf_printf(&path, "/f.c");
    struct elm_buf now = {0};
    assert_int_equal(elm_file_read(path.ptr, 100, &now, NULL), ELM_OK);
    assert_string_equal(now.ptr, "int x = 1;\n");
    elm_buf_clear(&path);
    elm_buf_printf(&path, "%s/one/made", folder);
    assert_int_equal(access(path.ptr, F_OK), -1);
    elm_buf_release(&now);
    elm_buf_release(&path);
    return job.evaluation;
}

static void test_command(void **state)
{
    (void)state;
    static const struct {
        const char *command;
        enum elm_eval_status status;
        const char *why;
        double fitness;
    } commands[] = {
        {"echo from 3; echo \"score: $(wc -c <f.c)\"; exit 0", ELM_EVAL_OK, "", 10},
        {"gcc f.c -o made && ./made && cat other.txt", ELM_EVAL_OK, "", 5},
        {"cat /nowhere", ELM_EVAL_CRASHED, "failed with 1: cat: /nowhere", 0},
        {"echo no number", ELM_EVAL_INVALID, "no number", 0},
        {"echo nan", ELM_EVAL_INVALID, "not finite", 0},
        {"kill -9 $$", ELM_EVAL_CRASHED, "signal 9", 0},
        {"echo 2; (setsid sleep 987654 &) ; sleep 0.01", ELM_EVAL_OK, "", 2},
        {"yes 7 | head -c 3000000; echo 8", ELM_EVAL_OK, "", 8},
        {"echo \"$ELM_SECRET$HOME\" | grep -q secret && echo 1 || echo 0", ELM_EVAL_OK, "", 0},
        {"echo 1 >../made 2>/dev/null; echo 1 >/usr/made 2>/dev/null; echo 3", ELM_EVAL_OK, "", 3},
    };
    setenv("ELM_SECRET", "secret", 1);
    for (int level = 2; level <= best.level; level++) {
        for (size_t i = 0; i < ELM_COUNT(commands); i++) {
            struct elm_evaluation e = run_command(commands[i].command, level,
                                                  i == 1 ? "int main(void) { return 0; }"
                                                         : "int x = 2;");
            expect(commands[i].command, e, commands[i].status, commands[i].why);
            assert_true(e.status != ELM_EVAL_OK || e.fitness == commands[i].fitness);
        }
    }
    assert_int_equal(access("/usr/made", F_OK), -1);
    assert_int_equal(system("pgrep -f '[s]leep 987654' >/dev/null"), 256);
}

static int open_all(void **state)
{
    (void)state;
    struct elm_error err = {0};
    if (mkdtemp(folder) == NULL || elm_keeper_open(&keeper, &err) != ELM_OK ||
        elm_sandbox_probe(keeper, &best, &err) != ELM_OK) {
        print_error("%s\n", err.message);
        return -1;
    }
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    struct elm_buf command = {0};
    elm_keeper_close(keeper);
    elm_buf_printf(&command, "rm -rf '%s'", folder);
    int failed = system(command.ptr);
    elm_buf_release(&command);
    return failed;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_command),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
