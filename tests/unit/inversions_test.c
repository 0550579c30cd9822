/* inversions: half a minute of training makes an operator that beats an untrained one and plain GP. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "elm/nano.h"
#include "elm/task.h"
#include "elm/trainer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STEPS 3
#define TASKS 2
#define EVALUATIONS 60
#else
#define STEPS 160
#define TASKS 40
#define EVALUATIONS 200
#endif
#define BATCH 256

static char folder[] = "/tmp/elm-inversions-XXXXXX";
static char path[64];

static void train(uint64_t steps, float rate)
{
    struct elm_train_stats stats;
    struct elm_error err = {0};
    struct elm_train_def def = {.trainer = "inversions", .out = path, .optimizer = "muon",
                                .rate = rate, .warmup = 0.1f, .steps = steps, .batch = BATCH,
                                .seed = 1};
    if (elm_train(&def, NULL, NULL, &stats, &err) != ELM_OK)
        fail_msg("%s", err.message);
}

static uint32_t solved(const char *operator)
{
    struct elm_generator_def def = {.stream = ELM_STREAM_GATE, .seed = 2, .corruptions_min = 1,
                                    .corruptions_max = 4};
    struct elm_generator *g;
    uint32_t count = 0;
    assert_int_equal(elm_generator_open(&def, &g, NULL), ELM_OK);
    for (uint64_t i = 0; i < TASKS; i++) {
        struct elm_trial trial = {0};
        struct elm_error err = {0};
        struct elm_trial_def t = {.task = elm_generator_task(g, i), .arms = {{operator, 1}},
                                  .arm_count = 1, .model = path, .seed = 3,
                                  .evaluations = EVALUATIONS};
        if (elm_trial_run(&t, &trial, &err) != ELM_OK)
            fail_msg("%s: %s", operator, err.message);
        count += trial.solved;
        elm_tree_release(&trial.program);
    }
    elm_generator_close(g);
    return count;
}

static void learns(void **state)
{
    (void)state;
    train(1, 1e-6f);
    uint32_t untrained = solved("nano"), plain = solved("tree");
    train(STEPS, 4e-3f);
    uint32_t trained = solved("nano");
    printf("solved of %d: trained %u, untrained %u, tree %u\n", TASKS, trained, untrained, plain);
#if STEPS > 100
    assert_true(trained > untrained + 2);
    assert_true(trained > plain + 2);
#endif
}

static int leave(void **state)
{
    (void)state;
    unlink(path);
    rmdir(folder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(learns)};
    if (mkdtemp(folder) == NULL)
        return 1;
    snprintf(path, sizeof(path), "%s/nano.gguf", folder);
    return cmocka_run_group_tests_name("inversions", tests, NULL, leave);
}
