/*
 * operators: operators against each other on problems of the suite, as whole runs (`elm run`), at equal
 * evaluations and at equal time on all cores of a machine that does nothing else.
 *
 *     operators MODEL EVALUATIONS SECONDS SEEDS [PROBLEM ...]
 *
 * Prints Markdown: for each problem and each operator alone (and all together) the mean of the best
 * fitness over seeds 1 .. SEEDS, how many seeds reach the target, and the evaluations that the time
 * bought. `span*` is span under its mask with random draws instead of a model: what the grammar alone
 * does.
 */
#include "elm/elm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct elm_keeper *keeper;
static const char *model;

struct arm {
    const char *name, *operators, *backend;
};
static const struct arm arms[] = {
    {"span", "span", "native"},
    {"span*", "span", "scripted"},
    {"tree", "tree", NULL},
    {"semantic", "semantic", NULL},
    {"all without span", "semantic,tree,substitute,constants", NULL},
    {"all with span", "semantic,tree,substitute,constants,span", "native"},
};

static void check(enum elm_status status, const struct elm_error *err)
{
    if (status == ELM_OK)
        return;
    fprintf(stderr, "operators: %s\n", err->message);
    exit(1);
}

struct sum {
    double best;
    uint32_t reached, runs;
    double evaluations;
};

/* False when the operator can do nothing for the problem. */
static bool run(const char *name, const struct arm *arm, uint64_t seed, uint64_t evaluations,
                double seconds, struct sum *sum)
{
    struct elm_error err = {0};
    struct elm_problem *problem;
    struct elm_search *s;
    struct elm_search_stats stats;
    enum elm_search_end end;
    check(elm_problem_load(name, "problems", &problem, &err), &err);
    struct elm_search_def def = elm_default_search_def();
    def.keeper = keeper;
    def.problem = problem;
    def.seed = seed;
    def.operators = arm->operators;
    def.backend = arm->backend;
    def.model.model = model;
    def.evaluations = evaluations;
    def.minutes = seconds / 60;
    def.target = problem->target;
    enum elm_status status = elm_search_open(&def, &s, &err);
    if (status == ELM_USAGE) {
        elm_problem_free(problem);
        return false;
    }
    check(status, &err);
    check(elm_search_run(s, NULL, NULL, &end, &err), &err);
    elm_search_stats(s, &stats);
    sum->best += stats.archive.best;
    sum->reached += end == ELM_END_TARGET;
    sum->evaluations += (double)stats.evaluations;
    sum->runs++;
    check(elm_search_close(s, &err), &err);
    elm_problem_free(problem);
    return true;
}

static void row(const char *problem, const struct arm *arm, uint32_t seeds, uint64_t evaluations,
                double seconds)
{
    struct sum sum = {0};
    for (uint32_t seed = 1; seed <= seeds; seed++) {
        if (!run(problem, arm, seed, evaluations, seconds, &sum)) {
            printf("| %s | %s | can't | | |\n", problem, arm->name);
            return;
        }
    }
    printf("| %s | %s | %.5f | %u of %u | %.0f |\n", problem, arm->name, sum.best / sum.runs,
           sum.reached, sum.runs, sum.evaluations / sum.runs);
    fflush(stdout);
}

static void table(const char *const *problems, uint32_t seeds, uint64_t evaluations,
                  double seconds)
{
    printf("| problem | operator | best, mean | target | evaluations, mean |\n"
           "|---|---|---|---|---|\n");
    for (; *problems != NULL; problems++) {
        for (size_t i = 0; i < ELM_COUNT(arms); i++)
            row(*problems, &arms[i], seeds, evaluations, seconds);
    }
    printf("\n");
}

int main(int argc, char **argv)
{
    static const char *const suite[] = {"sort", "regression", "quadratic", "parity", "boolean",
                                        "circles", NULL};
    struct elm_error err = {0};
    if (argc < 5) {
        fprintf(stderr, "operators MODEL EVALUATIONS SECONDS SEEDS [PROBLEM ...]\n");
        return 2;
    }
    model = argv[1];
    uint64_t evaluations = strtoull(argv[2], NULL, 10);
    double seconds = atof(argv[3]);
    uint32_t seeds = (uint32_t)atoi(argv[4]);
    const char *const *problems = argc > 5 ? (const char *const *)&argv[5] : suite;
    check(elm_keeper_open(&keeper, &err), &err);
    printf("Equal evaluations: %llu.\n\n", (unsigned long long)evaluations);
    table(problems, seeds, evaluations, 0);
    printf("Equal time: %g s of all cores.\n\n", seconds);
    table(problems, seeds, 0, seconds);
    elm_keeper_close(keeper);
    return 0;
}
