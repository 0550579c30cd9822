/*
 * problem contract: every folder of problems/ with each of its variants, and a new one, keep what
 * their files claim. judge_driver.c is the half that runs beside the judge.
 */
#include "elm/problem.h"
#include "elm/sandbox.h"

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define TIMES 3000                /* hostile answers a problem, and a tenth of it a variant */
#define PROBLEMS_MAX 64

static struct elm_keeper *keeper;
static struct elm_sandbox_report best;
static char folder[] = "/tmp/elm-contract-XXXXXX";
static char *names[PROBLEMS_MAX];
static uint32_t name_count;

static void must(const char *name, enum elm_status status, const struct elm_error *err)
{
    if (status != ELM_OK)
        fail_msg("%s: %s", name, err->message);
}

static struct elm_problem *load(const char *name)
{
    struct elm_error err = {0};
    struct elm_problem *p = NULL;
    must(name, elm_problem_load(name, "problems", &p, &err), &err);
    return p;
}

/* ---- the files ---- */

static void check_seed(const char *name, const struct elm_problem *p)
{
    if (p->runner == ELM_RUNNER_TCC)
        return;
    if (p->seed.count == 0)
        fail_msg("%s: the seed is outside core C (%s), so its runner must be tcc", name,
                 p->seed_outside);
    struct elm_buf text = {0};
    elm_tree_print(&p->seed, p->names, &text);
    assert_string_equal(text.ptr, p->seed_text);
    elm_buf_release(&text);
    assert_true(p->seed.count <= p->nodes_max);
}

static void check_claims(const char *name, const struct elm_problem *p)
{
    assert_true(p->summary[0] != '\0');
    if (p->description[0] == '\0')
        fail_msg("%s: description.md is missing", name);
    if (!isnan(p->best_known) && p->best_known_source == NULL)
        fail_msg("%s: best_known without its source", name);
    if (!isnan(p->reference_fitness) && p->reference_text == NULL)
        fail_msg("%s: reference_fitness without a reference", name);
    if (p->target > p->best_known)
        fail_msg("%s: target %g is beyond the best known, %g", name, p->target, p->best_known);
    for (uint32_t i = 0; i < p->measure_count; i++)
        assert_true(p->measures[i].lo < p->measures[i].hi);
}

/* ---- the programs, through the evaluator ---- */

struct rig {
    const char *name;
    struct elm_problem *p;
    struct elm_evaluator *e;
};

static struct elm_evaluation run(const struct rig *r, struct elm_job job, enum elm_set set,
                                 enum elm_tier tier)
{
    struct elm_error err = {0};
    must(r->name, elm_evaluator_run(r->e, &job, 1, set, tier, &err), &err);
    if (job.evaluation.status != ELM_EVAL_OK)
        fail_msg("%s: %s: %s", r->name, elm_eval_status_name(job.evaluation.status),
                 job.evaluation.why);
    return job.evaluation;
}

/* The same twice, by every compiler within the tolerance; the fitness. */
static double check_program(const struct rig *r, struct elm_job job)
{
    struct elm_evaluation first = run(r, job, ELM_SET_SCORED, ELM_TIER_FAST);
    struct elm_evaluation again = run(r, job, ELM_SET_SCORED, ELM_TIER_FAST);
    assert_true(first.signature == again.signature && first.steps == again.steps);
    assert_true(first.fitness == again.fitness && first.passed == again.passed);
    assert_memory_equal(first.measures, again.measures, sizeof(first.measures));
    assert_true(first.in_vm == (job.tree != NULL && r->p->runner == ELM_RUNNER_VM));
    for (int tier = 0; tier < 2 && !r->p->needs_steps; tier++) {
        struct elm_job text = {.text = job.text, .opponent = job.opponent};
        again = run(r, text, ELM_SET_SCORED, tier == 0 ? ELM_TIER_FAST : ELM_TIER_GCC);
        if (fabs(again.fitness - first.fitness) > r->p->tolerance)
            fail_msg("%s: %.17g by %s, %.17g before: beyond the tolerance", r->name,
                     again.fitness, tier == 0 ? "tcc" : "gcc", first.fitness);
        /* hundreds of rounds hide no last bit */
        if (tier == 0 && r->p->rounds > 0)
            assert_true(again.signature == first.signature);
    }
    return first.fitness;
}

static void check_compared(const struct rig *r, const struct elm_tree *seed,
                           const struct elm_tree *reference)
{
    const struct elm_job jobs[] = {{.tree = reference, .opponent = seed},
                                   {.tree = seed, .opponent = reference},
                                   {.tree = seed, .opponent = seed}};
    static const int wanted[] = {1, -1, 0};
    for (int set = 0; set < ELM_SETS; set++) {
        for (size_t i = 0; i < ELM_COUNT(jobs); i++)
            assert_int_equal(run(r, jobs[i], (enum elm_set)set, ELM_TIER_FAST).compared,
                             wanted[i]);
    }
}

static void check_reference(const struct rig *r, double seed, struct elm_job reference)
{
    double wanted = r->p->reference_fitness;
    double fitness = check_program(r, reference);
    double audit = run(r, reference, ELM_SET_AUDIT, ELM_TIER_FAST).fitness;
    if (fitness < wanted || audit < wanted)
        fail_msg("%s: the reference reaches %.17g, %.17g on the audit, not %.17g", r->name, fitness,
                 audit, wanted);
    if (seed >= fitness || seed >= wanted || seed >= r->p->target)
        fail_msg("%s: nothing to do: the seed reaches %.17g", r->name, seed);
    if (fitness > r->p->best_known)
        fail_msg("%s: the reference reaches %.17g, more than is known", r->name, fitness);
}

static void check_programs(const struct rig *r)
{
    const struct elm_problem *p = r->p;
    struct elm_error err = {0};
    struct elm_job seed = {.tree = p->seed.count > 0 ? &p->seed : NULL,
                           .text = elm_str(p->seed_text)};
    double fitness = check_program(r, seed);
    if (!isnan(p->target))
        assert_true(fitness < p->target);
    if (p->reference_text == NULL)
        return;
    struct elm_tree t = {0};
    struct elm_job reference = {.text = elm_str(p->reference_text)};
    if (seed.tree != NULL) {
        must(r->name, elm_tree_parse(reference.text, p->names, &t, &err), &err);
        must(r->name, elm_tree_check(&t, p->names, &err), &err);
        reference.tree = &t;
    }
    if (p->judge == ELM_JUDGE_COMPARE)
        check_compared(r, seed.tree, reference.tree);
    else
        check_reference(r, fitness, reference);
    elm_tree_release(&t);
}

/* ---- the judge ---- */

/* judge.c with the driver and the sanitizers; the path of the program, to be freed. */
static char *build_driver(const struct elm_problem *p)
{
    struct elm_buf path = {0}, command = {0};
    elm_buf_printf(&path, "%s/%s-driver", folder, p->name);
    elm_buf_printf(&command,
                   "gcc -std=gnu17 -O1 -g -Wall -Wextra -Werror -ffp-contract=off -Iinclude "
                   "-fsanitize=address,undefined,float-cast-overflow -fno-sanitize-recover=all "
                   "-o '%s' tests/contract/judge_driver.c '%s/judge.c' -lm", path.ptr, p->folder);
    if (system(command.ptr) != 0)
        fail_msg("%s: %s", p->name, command.ptr);
    elm_buf_release(&command);
    return path.ptr;
}

static void check_judge(const char *name, const struct elm_problem *p, const char *driver,
                        int times)
{
    struct elm_buf command = {0};
    int measures = 0;
    for (uint32_t i = 0; i < p->measure_count; i++)
        measures += p->measures[i].source == ELM_MEASURE_JUDGE;
    elm_buf_printf(&command, "'%s' %llu %u %u %u %d %d %u", driver,
                   (unsigned long long)p->case_seed, p->case_count[0], p->case_count[1],
                   p->case_count[2], measures, times, p->rounds);
    if (system(command.ptr) != 0)
        fail_msg("%s: %s", name, command.ptr);
    elm_buf_release(&command);
}

/* ---- all of it ---- */

static void check_variant(const char *name, const char *driver, int times)
{
    struct elm_error err = {0};
    struct rig r = {.name = name, .p = load(name)};
    check_seed(name, r.p);
    check_claims(name, r.p);
    check_judge(name, r.p, driver, times);
    char *judge = NULL;
    must(name, elm_judge_build(r.p, folder, &judge, &err), &err);
    struct elm_evaluator_def def = {.keeper = keeper, .problem = r.p, .judge_path = judge,
                                    .level = best.level};
    must(name, elm_evaluator_open(&def, &r.e, &err), &err);
    check_programs(&r);
    elm_evaluator_close(r.e);
    elm_problem_free(r.p);
    free(judge);
}

static void check_problem(void **state)
{
    const char *name = *state;
    struct elm_problem *p = load(name);
    char *driver = build_driver(p);
    check_variant(name, driver, TIMES);
    for (uint32_t i = 0; i < p->variant_count; i++) {
        struct elm_buf variant = {0};
        elm_buf_printf(&variant, "%s:%s", name, p->variants[i]);
        check_variant(variant.ptr, driver, TIMES / 10);
        elm_buf_release(&variant);
    }
    elm_problem_free(p);
    free(driver);
}

static void add_name(const char *name)
{
    if (name_count == PROBLEMS_MAX)
        abort();
    names[name_count++] = elm_strdup(name);
}

static void each(void *ctx, const char *name, const char *summary, const char *path)
{
    (void)ctx;
    (void)summary;
    (void)path;
    add_name(name);
}

static int open_all(struct elm_error *err)
{
    ELM_TRY(elm_keeper_open(&keeper, err));
    ELM_TRY(elm_sandbox_probe(keeper, &best, err));
    if (mkdtemp(folder) == NULL)
        return elm_fail(err, ELM_IO, "cannot make '%s'", folder);
    struct elm_buf made = {0};
    elm_buf_printf(&made, "%s/new", folder);
    ELM_TRY(elm_problem_scaffold(made.ptr, err));
    add_name(made.ptr);
    elm_buf_release(&made);
    return elm_problem_list("problems", each, NULL, err);
}

int main(void)
{
    struct elm_error err = {0};
    struct CMUnitTest tests[PROBLEMS_MAX];
    if (open_all(&err) != ELM_OK) {
        fprintf(stderr, "problem_test: %s\n", err.message);
        return 1;
    }
    for (uint32_t i = 0; i < name_count; i++)
        tests[i] = (struct CMUnitTest){names[i], check_problem, NULL, NULL, names[i]};
    int failed = _cmocka_run_group_tests("problems", tests, name_count, NULL, NULL);
    elm_keeper_close(keeper);
    struct elm_buf command = {0};
    elm_buf_printf(&command, "rm -r '%s'", folder);
    failed += system(command.ptr) != 0 || name_count < 8;
    elm_buf_release(&command);
    for (uint32_t i = 0; i < name_count; i++)
        free(names[i]);
    return failed;
}
