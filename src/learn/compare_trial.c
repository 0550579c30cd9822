/* compare_trial: a cell that runs in this process: generated problems, and those with a reference. */
#include "learn/compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool on_told(void *ctx, uint32_t evaluations, double best)
{
    struct compare_recorder *r = ctx;
    compare_record(r, evaluations, best);
    return !r->over && !atomic_load(&r->c->stop);
}

/* Operators that make no children of trees, and those for which the problem has nothing, are left
 * out, as in a search; NULL lists all there are. */
static bool wanted(const struct elm_compare_arm *a, const struct elm_operator_kind *kind,
                   double *share)
{
    size_t len = strlen(kind->name);
    uint32_t i = 0;
    *share = 1;
    if (a->operators == NULL)
        return true;
    for (const char *at = a->operators; *at != '\0'; i++) {
        size_t span = strcspn(at, ",");
        if (span == len && memcmp(at, kind->name, len) == 0) {
            *share = a->shares[i] > 0 ? a->shares[i] : 1;
            return true;
        }
        at += span + (at[span] == ',');
    }
    return false;
}

static void choose(const struct elm_compare_arm *a, const struct elm_task *task,
                   struct elm_trial_def *d, const char **why)
{
    for (size_t i = 0; elm_operator_kinds[i] != NULL; i++) {
        const struct elm_operator_kind *kind = elm_operator_kinds[i];
        const char *reason = NULL;
        double share;
        if (kind->mutate == NULL || d->arm_count == ELM_TRIAL_ARMS_MAX || !wanted(a, kind, &share))
            continue;
        if (a->opaque && kind->traces)
            *why = "its operators need traces";
        else if (elm_operator_applies(kind, &task->problem, &task->evidence, a->model.model, &reason))
            d->arms[d->arm_count++] = (struct elm_trial_arm){kind->name, share};
        else
            *why = reason;
    }
}

static enum elm_status trial_on(struct elm_compare *c, struct compare_place at,
                                const struct elm_task *task, struct elm_compare_cell *cell,
                                char **why, struct elm_error *err)
{
    const struct elm_compare_arm *a = &c->def.arms[at.arm];
    struct compare_recorder r;
    struct elm_trial trial = {0};
    const char *reason = "none of its operators applies";
    struct elm_vm_memory *vm = elm_vm_memory_new();
    double seed_fitness = elm_task_score(task, &task->problem.seed, ELM_SET_SCORED, vm, NULL);
    elm_vm_memory_free(vm);
    compare_record_start(&r, c, at.arm, cell, NAN, seed_fitness);
    uint64_t most = r.evaluations > 0 && r.evaluations < UINT32_MAX ? r.evaluations : UINT32_MAX;
    struct elm_trial_def def = {
        .task = task, .archive = a->archive, .selector = a->selector, .model = a->model.model,
        .opaque = a->opaque, .seed = c->def.seed + at.seed,
        .evaluations = (uint32_t)most,
        .told = on_told, .told_ctx = &r,
    };
    choose(a, task, &def, &reason);
    if (def.arm_count == 0) {
        cell->abstained = true;
        *why = elm_strdup(reason);
        return ELM_OK;
    }
    struct elm_error refused = {0};
    enum elm_status status = elm_trial_run(&def, &trial, &refused);
    if (status == ELM_USAGE) {
        /* an archive that needs measures, say: the arm and the problem don't go together */
        cell->abstained = true;
        *why = elm_strdup(refused.message);
        return ELM_OK;
    }
    if (status != ELM_OK)
        return elm_fail(err, status, "arm '%s' on '%s': %s", a->name, c->problems[at.problem].label,
                        refused.message);
    elm_tree_release(&trial.program);
    if (atomic_load(&c->stop))
        return elm_fail(err, ELM_STOPPED, "stopped");
    cell->cpu_us = compare_record_cpu_us(&r);
    /* whatever was found after the budget of CPU time was spent does not count */
    cell->solved = trial.solved && !r.over;
    cell->solved_at = r.over ? 0 : trial.solved_at;
    cell->solved_cpu_us = cell->solved_at > 0 ? cell->cpu_us : 0;
    cell->best = fmax(cell->best, r.over ? cell->best : trial.best);
    return ELM_OK;
}

/* A generator of its own: operators add to its names, and what a cell gives may not depend on which
 * cells ran before it. */
static enum elm_status generated(struct elm_compare *c, struct compare_place at,
                                 struct elm_compare_cell *cell, char **why, struct elm_error *err)
{
    const struct elm_compare_generated *g = &c->def.generated;
    struct elm_generator_def def = {.stream = g->stream, .seed = g->seed,
                                    .corruptions_min = g->corruptions_min,
                                    .corruptions_max = g->corruptions_max};
    struct elm_generator *generator;
    ELM_TRY(elm_generator_open(&def, &generator, err));
    enum elm_status status = trial_on(c, at, elm_generator_task(generator,
                                                                c->problems[at.problem].number),
                                      cell, why, err);
    elm_generator_close(generator);
    return status;
}

enum elm_status compare_trial_run(struct elm_compare *c, struct compare_place at,
                                  struct elm_compare_cell *cell, char **why, struct elm_error *err)
{
    const struct compare_problem *of = &c->problems[at.problem];
    if (of->load == NULL)
        return generated(c, at, cell, why, err);
    struct elm_problem *p;
    struct elm_task task;
    ELM_TRY(elm_problem_load(of->load, c->def.problems_path, &p, err));
    enum elm_status status = elm_task_open(p, &task, err);
    if (status == ELM_OK) {
        status = trial_on(c, at, &task, cell, why, err);
        elm_task_release(&task);
    }
    elm_problem_free(p);
    return status;
}
