/*
 * cycle: half a minute of it, from random weights: what a round trains is adopted, and beats the weights it
 * began with and plain GP on problems that nothing has seen. And a cycle that learns from its own
 * searches, with their outcomes shuffled as the control. Budgets are in steps and evaluations.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "elm/cycle.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WHOLE 0
#else
#define WHOLE 1
#endif

static struct elm_keeper *keeper;
static char folder[] = "/tmp/elm-cycle-XXXXXX";

static struct elm_cycle_def definition(char path[128], const char *name)
{
    struct elm_cycle_def d = elm_default_cycle_def();
    snprintf(path, 128, "%s/%s", folder, name);
    d.keeper = keeper;
    d.folder = path;
    d.rounds = 1;
    d.train = (struct elm_train_def){.trainer = "inversions", .model = "random", .steps = 160,
                                     .batch = 256, .optimizer = "muon", .rate = 4e-3f,
                                     .warmup = 0.1f};
    if (!WHOLE) {
        d.train.steps = 2;
        d.train.batch = 8;
        d.train.width = 32;
        d.train.layers = 1;
    }
    return d;
}

static struct elm_cycle *cycle_of(const struct elm_cycle_def *d)
{
    struct elm_cycle *c = NULL;
    struct elm_error err = {0};
    if (elm_cycle_open(d, &c, &err) != ELM_OK || elm_cycle_run(c, NULL, NULL, &err) != ELM_OK)
        fail_msg("%s", err.message);
    return c;
}

static const struct elm_cycle_arm *arm_of(const struct elm_cycle_round *r, const char *name)
{
    for (uint32_t i = 0; i < (uint32_t)r->arms; i++) {
        if (strcmp(r->arm[i].name, name) == 0)
            return &r->arm[i];
    }
    fail_msg("no arm '%s'", name);
    return NULL;
}

static bool there(const char *file)
{
    char path[192];
    struct stat st;
    snprintf(path, sizeof(path), "%s/%s", folder, file);
    return stat(path, &st) == 0 && st.st_size > 0;
}

static void learns(void **state)
{
    char path[128];
    uint32_t count;
    (void)state;
    struct elm_cycle_def d = definition(path, "learns");
    d.generated = true;
    d.operators = "nano";
    d.controls = "base,gp,best-of";
    d.count = WHOLE ? 8 : 2;
    d.seeds = 2;
    d.evaluations = WHOLE ? 1000 : 40;
    d.gate = WHOLE ? 128 : 8;
    d.held_out = WHOLE ? 80 : 4;
    struct elm_cycle *c = cycle_of(&d);
    const struct elm_cycle_round *r = elm_cycle_rounds(c, &count);
    struct elm_buf table = {0};
    elm_cycle_table(c, &table);
    fputs(table.ptr, stdout);
    elm_buf_release(&table);
    assert_int_equal(count, 1);
    assert_true(r->searches == d.count * d.seeds && r->trained == 1 && r->pairs >= 1);
    assert_true(r->log_e_wanted > 3.6 && r->log_e_wanted < 3.7);
    assert_true(r->arms == 4 && there("learns/report.md") && there("learns/rounds.svg"));
    assert_true(there("learns/round-01/report/report.md") && there("learns/cycle-report.json"));
    /* in the first round nothing was kept before: novel are all that the seeds don't solve */
    double solved = r->solved * r->searches;
    assert_true(r->annecs <= d.count && (r->annecs > 0 || solved == 0));
    assert_true(r->valid > 0 && r->valid <= 1 && r->cpu_solve_s > 0 && r->cpu_train_s > 0);
    if (WHOLE) {
        const struct elm_cycle_arm *base = arm_of(r, "base"), *gp = arm_of(r, "gp");
        assert_true(r->adopted == 1 && there("learns/adopted.gguf"));
        assert_true(base->ahead.lo > 0);
        assert_true(gp->ahead.lo > 0);
        assert_true(r->amplification > 1);
    }
    elm_cycle_close(c);
}

static void learns_from_searches(void **state)
{
    static const char *const problems[] = {"quadratic:1"};
    char path[128];
    uint32_t count;
    (void)state;
    struct elm_cycle_def d = definition(path, "searches");
    d.problems = problems;
    d.problem_count = 1;
    d.controls = "shuffled";
    d.seeds = 2;
    d.evaluations = 150;
    d.gate = 3;
    d.held_out = 2;
    d.rounds = 2;
    d.train.trainer = "edits";
    d.train.steps = 3;
    d.train.batch = 16;
    struct elm_cycle *c = cycle_of(&d);
    const struct elm_cycle_round *r = elm_cycle_rounds(c, &count);
    assert_int_equal(count, 2);
    for (uint32_t i = 0; i < 2; i++) {
        assert_true(r[i].searches == 2 && r[i].taught == 1 && r[i].trained == 1);
        assert_true(r[i].steps == 3 * (i + 1.0) && isnan(r[i].corruptions_min));
        assert_true(r[i].pairs >= 1 && r[i].pairs <= 3 && r[i].arms == 2);
        assert_true(arm_of(&r[i], "shuffled")->cpu_made_s > 0);
    }
    assert_true(r[1].log_e_wanted > r[0].log_e_wanted);
    elm_cycle_close(c);
}

/* Of a label that no run has there is nothing to learn: the rounds go on with the weights there are. */
static void goes_on_with_nothing_to_learn(void **state)
{
    static const char *const problems[] = {"quadratic:1"};
    char path[128];
    uint32_t count;
    (void)state;
    struct elm_cycle_def d = definition(path, "nothing");
    d.problems = problems;
    d.problem_count = 1;
    d.controls = "shuffled,frequencies,base";
    d.seeds = 1;
    d.evaluations = 2;
    d.gate = 1;
    d.held_out = 1;
    d.rounds = 2;
    d.train.trainer = "edits";
    d.train.labels = "jump";
    struct elm_cycle *c = cycle_of(&d);
    const struct elm_cycle_round *r = elm_cycle_rounds(c, &count);
    assert_int_equal(count, 2);
    for (uint32_t i = 0; i < 2; i++) {
        assert_true(r[i].trained == 0 && r[i].pairs == 0 && r[i].adopted == 0);
        assert_string_equal(r[i].arm[0].name, "cycle");
        for (uint32_t k = 0; k < (uint32_t)r[i].arms; k++)
            assert_string_not_equal(r[i].arm[k].name, "shuffled");
    }
    elm_cycle_close(c);
}

/* From nothing, on walkers: what is compared is QD, and there are no base weights. */
static void starts_from_nothing(void **state)
{
    static const char *const problems[] = {"sodarace:square"};
    char path[128];
    uint32_t count;
    (void)state;
    struct elm_cycle_def d = definition(path, "nil");
    d.problems = problems;
    d.problem_count = 1;
    d.operators = "recall,tree";
    d.controls = "base,shuffled,frequencies,inversions";
    d.seeds = 1;
    d.evaluations = WHOLE ? 200 : 40;
    d.gate = WHOLE ? 16 : 0;
    d.held_out = 1;
    d.train = (struct elm_train_def){.trainer = "library", .steps = 1};
    struct elm_cycle *c = cycle_of(&d);
    const struct elm_cycle_round *r = elm_cycle_rounds(c, &count);
    assert_true(r->trained == 1 && r->qd > 30 && r->coverage > 0 && r->coverage < 1);
    assert_true(isnan(r->solved) && !there("nil/base.gguf") && there("nil/round-01/model.gguf"));
    assert_true(r->arms == 4 && there("nil/round-01/frequencies.gguf"));
    assert_true(arm_of(r, "base")->abstained == 0 && arm_of(r, "frequencies")->cpu_made_s >= 0);
    if (WHOLE)
        assert_true(r->wins > r->losses);
    else
        assert_true(r->adopted == 1 && r->pairs == 0);
    elm_cycle_close(c);
    struct elm_error err = {0};
    d.operators = "recall";
    snprintf(path, sizeof(path), "%s/none", folder);
    assert_int_equal(elm_cycle_open(&d, &c, &err), ELM_USAGE);
    assert_non_null(strstr(err.message, "add tree"));
    d.operators = "recall,tree";
    d.train.model = "random";
    assert_int_equal(elm_cycle_open(&d, &c, &err), ELM_USAGE);
    assert_non_null(strstr(err.message, "leave the model away"));
}

static int leave(void **state)
{
    char command[64];
    (void)state;
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    elm_keeper_close(keeper);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(learns),
        cmocka_unit_test(learns_from_searches),
        cmocka_unit_test(goes_on_with_nothing_to_learn),
        cmocka_unit_test(starts_from_nothing),
    };
    if (elm_keeper_open(&keeper, NULL) != ELM_OK || mkdtemp(folder) == NULL)
        return 1;
    return cmocka_run_group_tests_name("cycle", tests, NULL, leave);
}
