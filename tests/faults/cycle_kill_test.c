/*
 * cycle_kill: a cycle killed with SIGKILL at many points, and gone on with each time, ends as an
 * undisturbed one: the same weights, verdicts and numbers, but for times. Another cycle's folder,
 * damaged files and files that can't be written give errors that say so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "elm/cycle.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KILLS 14

static char folder[] = "/tmp/elm-cycle-XXXXXX";

static struct elm_cycle_def small(const char *name)
{
    static char path[2][128];
    static int turn;
    struct elm_cycle_def d = elm_default_cycle_def();
    char *at = path[turn++ % 2];
    snprintf(at, sizeof(path[0]), "%s/%s", folder, name);
    d.folder = at;
    d.generated = true;
    d.count = 4;
    d.seeds = 2;
    d.evaluations = 60;
    d.rounds = 2;
    d.gate = 16;
    d.held_out = 6;
    d.workers = 1;
    /* `inversions` takes as many steps as time allows: not the same twice */
    d.controls = "base,gp,best-of";
    d.train = (struct elm_train_def){.trainer = "inversions", .model = "random", .steps = 6,
                                     .batch = 32, .width = 32, .layers = 1, .optimizer = "muon",
                                     .rate = 4e-3f, .checkpoint_s = 1};
    return d;
}

/* Opens a keeper of its own: a child must not share one. */
static enum elm_status run(struct elm_cycle_def d, struct elm_error *err)
{
    struct elm_cycle *c;
    enum elm_status status = elm_keeper_open(&d.keeper, err);
    if (status != ELM_OK)
        return status;
    status = elm_cycle_open(&d, &c, err);
    if (status == ELM_OK) {
        status = elm_cycle_run(c, NULL, NULL, err);
        elm_cycle_close(c);
    }
    elm_keeper_close(d.keeper);
    return status;
}

static pid_t start(const struct elm_cycle_def *d)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    struct elm_error err = {0};
    enum elm_status status = run(*d, &err);
    if (status != ELM_OK)
        fprintf(stderr, "%s\n", err.message);
    _exit(status == ELM_OK ? 0 : 1);
}

static int finish(pid_t pid)
{
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void read_file(const char *name, const char *file, struct elm_buf *out)
{
    char path[192];
    struct elm_error err = {0};
    snprintf(path, sizeof(path), "%s/%s/%s", folder, name, file);
    if (elm_file_read(path, (size_t)1 << 28, out, &err) != ELM_OK)
        fail_msg("%s", err.message);
}

/* Without what times decide. */
static void strip(json_t *value)
{
    const char *key;
    json_t *one;
    void *next;
    size_t i;
    if (json_is_array(value)) {
        json_array_foreach(value, i, one)
            strip(one);
    }
    json_object_foreach_safe(value, next, key, one) {
        if (strncmp(key, "cpu", 3) == 0)
            json_object_del(value, key);
        else
            strip(one);
    }
}

static json_t *report_of(const char *name)
{
    struct elm_buf text = {0};
    json_error_t wrong;
    read_file(name, "cycle-report.json", &text);
    json_t *all = json_loadb(text.ptr, text.len, 0, &wrong);
    assert_non_null(all);
    elm_buf_release(&text);
    strip(all);
    return all;
}

static void same_file(const char *file)
{
    struct elm_buf a = {0}, b = {0};
    read_file("whole", file, &a);
    read_file("killed", file, &b);
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.ptr, b.ptr, a.len);
    elm_buf_release(&a);
    elm_buf_release(&b);
}

static void test_killed(void **state)
{
    struct elm_rng rng = elm_rng(5, 5);
    uint32_t killed = 0;
    (void)state;
    struct elm_cycle_def whole = small("whole"), def = small("killed");
    int64_t began = elm_clock_us();
    assert_int_equal(finish(start(&whole)), 0);
    uint32_t span_us = (uint32_t)(elm_clock_us() - began);
    /* a little further each time, whatever step that comes to */
    for (int status = 1; status != 0;) {
        pid_t pid = start(&def);
        if (killed < KILLS) {
            uint32_t wait_us = span_us / 40 + elm_rng_below(&rng, span_us / 8 + 1);
            struct timespec wait = {wait_us / 1000000, (long)(wait_us % 1000000) * 1000};
            nanosleep(&wait, NULL);
            kill(pid, SIGKILL);
        }
        status = finish(pid);
        assert_true(status == 0 || status == 128 + SIGKILL);
        killed += status != 0;
    }
    print_message("killed %u times\n", killed);
    assert_true(killed > 2);
    json_t *a = report_of("whole"), *b = report_of("killed");
    assert_int_equal(json_array_size(json_object_get(a, "rounds")), 2);
    assert_true(json_equal(a, b));
    json_decref(a);
    json_decref(b);
    same_file("base.gguf");
    same_file("round-01/model.gguf");
    same_file("round-02/model.gguf");
    same_file("round-02/learn.txt");
}

static void refused(struct elm_cycle_def d, enum elm_status wanted, const char *word)
{
    pid_t pid = fork();
    if (pid == 0) {
        struct elm_error err = {0};
        enum elm_status status = run(d, &err);
        bool good = status == wanted && strstr(err.message, word) != NULL;
        if (!good)
            fprintf(stderr, "%d, '%s' (wanted '%s')\n", status, err.message, word);
        _exit(good ? 0 : 1);
    }
    assert_int_equal(finish(pid), 0);
}

static void test_refused(void **state)
{
    const char *const twice[] = {"parity:1", "parity:1"};
    (void)state;
    struct elm_cycle_def d = small("whole");
    d.evaluations = 61;
    refused(d, ELM_USAGE, "another 'evaluations' ('60', not '61')");
    d = small("other");
    d.generated = false;
    refused(d, ELM_USAGE, "on which problems?");
    d.problems = twice;
    d.problem_count = 2;
    refused(d, ELM_USAGE, "given twice");
    d.generated = true;
    refused(d, ELM_USAGE, "don't go together");
    d = small("other");
    d.train.trainer = "magic";
    refused(d, ELM_USAGE, "there is no trainer 'magic'; there are: ");
    d = small("other");
    d.controls = "base,hope";
    refused(d, ELM_USAGE, "there is no control 'hope'");
    d = small("other");
    d.operators = "tree";
    refused(d, ELM_USAGE, "tree");
    d = small("other");
    d.train.model = "no-such-file.gguf";
    refused(d, ELM_NOT_FOUND, "no-such-file.gguf");
    d = small("other");
    d.folder = "/proc/none";
    refused(d, ELM_IO, "cannot make the folder");
}

/* A damaged file of a step is named; when it is deleted, the step is made again. */
static void test_damaged(void **state)
{
    char path[192];
    struct elm_buf before = {0};
    (void)state;
    json_t *a = report_of("whole");
    read_file("whole", "round-02/gate.json", &before);
    snprintf(path, sizeof(path), "%s/whole/round-02/gate.json", folder);
    assert_int_equal(elm_file_write(path, ELM_STR("{\"pairs\": 3}"), NULL), ELM_OK);
    refused(small("whole"), ELM_CORRUPT, "gate.json: a number is missing or wrong; delete the file");
    assert_int_equal(elm_file_write(path, ELM_STR("{"), NULL), ELM_OK);
    refused(small("whole"), ELM_CORRUPT, "delete the file");
    unlink(path);
    snprintf(path, sizeof(path), "%s/whole/round-01/solve.json", folder);
    struct elm_buf solve = {0};
    read_file("whole", "round-01/solve.json", &solve);
    char *at = strstr(solve.ptr, "\"corruptions_max\": ");
    assert_non_null(at);
    memcpy(at + 19, "9", 1);
    assert_int_equal(elm_file_write(path, elm_buf_str(&solve), NULL), ELM_OK);
    refused(small("whole"), ELM_CORRUPT, "solve.json: a number is missing or wrong");
    memcpy(at + 19, "2", 1);
    assert_int_equal(elm_file_write(path, elm_buf_str(&solve), NULL), ELM_OK);
    elm_buf_release(&solve);
    struct elm_cycle_def d = small("whole");
    assert_int_equal(finish(start(&d)), 0);
    json_t *b = report_of("whole");
    assert_true(json_equal(a, b));
    json_decref(a);
    json_decref(b);
    elm_buf_release(&before);
}

/* What a kill leaves of a problem under way: a file half written. */
static void leave_half_a_problem(const char *round)
{
    static const char *const names[] = {"", "/problems", "/problems/p001"};
    char path[192];
    for (size_t i = 0; i < ELM_COUNT(names); i++) {
        snprintf(path, sizeof(path), "%s/%s%s", folder, round, names[i]);
        assert_int_equal(mkdir(path, 0777), 0);
    }
    snprintf(path, sizeof(path), "%s/%s/problems/p001/seed.c.7.tmp", folder, round);
    assert_int_equal(elm_file_write(path, ELM_STR("int "), NULL), ELM_OK);
}

/* More rounds may follow; the first ones stay as they were. */
static void test_more_rounds(void **state)
{
    (void)state;
    leave_half_a_problem("whole/round-03");
    struct elm_cycle_def d = small("whole");
    d.rounds = 3;
    json_t *a = report_of("whole");
    assert_int_equal(finish(start(&d)), 0);
    json_t *b = report_of("whole");
    json_t *before = json_object_get(a, "rounds"), *after = json_object_get(b, "rounds");
    assert_int_equal(json_array_size(after), 3);
    for (size_t i = 0; i < 2; i++)
        assert_true(json_equal(json_array_get(before, i), json_array_get(after, i)));
    json_decref(a);
    json_decref(b);
}

static int leave(void **state)
{
    char command[64];
    (void)state;
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_killed),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_more_rounds),
    };
    if (mkdtemp(folder) == NULL)
        return 1;
    return cmocka_run_group_tests_name("cycle_kill", tests, NULL, leave);
}
