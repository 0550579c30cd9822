/* compare_cell: one run of one arm on one problem, and the curve that is kept of it. */
#include "learn/compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t thread_cpu_us(void)
{
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (int64_t)used.tv_sec * 1000000 + used.tv_nsec / 1000;
}

/* ---- the recorder ---- */
uint64_t compare_arm_evaluations(const struct elm_compare *c, uint32_t arm)
{
    uint64_t own = c->def.arms[arm].evaluations;
    return own > 0 ? own : c->def.evaluations;
}

uint64_t compare_evaluations(const struct elm_compare *c)
{
    uint64_t most = c->def.evaluations;
    for (uint32_t i = 0; i < c->def.arm_count && most > 0; i++)
        most = most > c->def.arms[i].evaluations ? most : c->def.arms[i].evaluations;
    return most;
}

void compare_record_start(struct compare_recorder *r, struct elm_compare *c, uint32_t arm,
                          struct elm_compare_cell *cell, double target, double seed_fitness)
{
    *r = (struct compare_recorder){.c = c, .cell = cell, .target = target,
                                   .evaluations = compare_arm_evaluations(c, arm),
                                   .started_us = thread_cpu_us()};
    *cell = (struct elm_compare_cell){.done = true, .seed_fitness = seed_fitness,
                                      .best = seed_fitness, .audit = NAN};
}

int64_t compare_record_cpu_us(const struct compare_recorder *r)
{
    int64_t taken = r->search != NULL ? elm_search_cpu_us(r->search)
                                      : thread_cpu_us() - r->started_us;
    return taken + (int64_t)((double)r->cell->evaluations * r->c->def.evaluation_s * 1e6);
}

/* Asking the clock costs as much as a small evaluation, and nothing beside a dear one. */
static bool time_to_look(const struct compare_recorder *r, uint64_t evaluations)
{
    bool dear = r->search != NULL || r->c->def.evaluation_s > 0;
    return r->c->def.cpu_s > 0 && (dear || evaluations % 8 == 0);
}

bool compare_record(struct compare_recorder *r, uint64_t evaluations, double fitness)
{
    const struct elm_compare_def *d = &r->c->def;
    struct elm_compare_cell *cell = r->cell;
    r->over |= r->evaluations > 0 && evaluations > r->evaluations;
    if (!r->over && time_to_look(r, evaluations))
        r->over = (double)compare_record_cpu_us(r) >= d->cpu_s * 1e6;
    if (r->over)
        return false;
    bool better = fitness > cell->best;
    cell->evaluations = evaluations;
    cell->best = better ? fitness : cell->best;
    bool reached = cell->solved_at == 0 && cell->best >= r->target &&
                   cell->seed_fitness < r->target;
    bool mark = cell->marks < r->c->mark_count && evaluations == r->c->marks[cell->marks];
    if (!reached && !mark)
        return better;
    int64_t cpu_us = compare_record_cpu_us(r);
    if (reached) {
        cell->solved_at = evaluations;
        cell->solved_cpu_us = cpu_us;
    }
    if (mark) {
        cell->curve[cell->marks] = cell->best;
        cell->curve_cpu_s[cell->marks++] = (float)((double)cpu_us / 1e6);
    }
    return better;
}

/* ---- a search ---- */
static void on_told(void *ctx, const struct elm_told *t)
{
    struct compare_recorder *r = ctx;
    bool ok = t->evaluation->status == ELM_EVAL_OK && isfinite(t->evaluation->fitness);
    if (r->quality.cells > 0) {
        if (ok)
            quality_add(&r->quality, t->evaluation->measures, t->evaluation->fitness);
        compare_record(r, t->evaluations, r->quality.sum);
        return;
    }
    if (!compare_record(r, t->evaluations, ok ? t->evaluation->fitness : -HUGE_VAL))
        return;
    elm_tree_release(&r->tree);
    elm_buf_clear(&r->text);
    if (t->tree != NULL)
        r->tree = elm_tree_copy(t->tree);
    else
        elm_buf_add_str(&r->text, t->text);
}

static bool on_tick(void *ctx, const struct elm_search_stats *stats)
{
    struct compare_recorder *r = ctx;
    r->over |= r->c->def.cpu_s > 0 && (double)compare_record_cpu_us(r) >= r->c->def.cpu_s * 1e6;
    r->cell->tokens = stats->has_model ? stats->model.prompt_tokens + stats->model.tokens : 0;
    return !r->over && !atomic_load(&r->c->stop);
}

static struct elm_search_def search_def(const struct elm_compare *c, struct compare_place at,
                                        const struct elm_problem *p)
{
    const struct elm_compare_arm *a = &c->def.arms[at.arm];
    struct elm_search_def d = elm_default_search_def();
    d.keeper = c->def.keeper;
    d.problem = p;
    d.seed = c->def.seed + at.seed;
    d.operators = a->operators;
    d.archive = a->archive;
    d.selector = a->selector;
    d.workers = 1;
    d.level = c->def.level;
    d.unsafe = c->def.unsafe;
    d.evaluations = compare_arm_evaluations(c, at.arm);
    d.target = c->problems[at.problem].target;
    d.backend = a->backend;
    d.model = a->model;
    d.model.tokens_budget = c->def.tokens;
    d.model_share = a->model_share;
    d.operator_model = a->backend == NULL ? a->model.model : NULL;
    d.cache_folder = c->def.cache_folder;
    return d;
}

/* What the best program is worth on cases that no search has seen. */
static enum elm_status audit(const struct elm_search_def *d, int level, struct compare_recorder *r,
                             struct elm_error *err)
{
    char *judge;
    struct elm_evaluator *e;
    ELM_TRY(elm_judge_build(d->problem, d->cache_folder, &judge, err));
    struct elm_evaluator_def def = {.keeper = d->keeper, .problem = d->problem,
                                    .judge_path = judge, .level = level};
    enum elm_status status = elm_evaluator_open(&def, &e, err);
    free(judge);
    ELM_TRY(status);
    struct elm_job job = {.tree = r->tree.count > 0 ? &r->tree : NULL};
    if (job.tree == NULL)
        job.text = elm_buf_str(&r->text);
    status = elm_evaluator_run(e, &job, 1, ELM_SET_AUDIT, ELM_TIER_FAST, err);
    if (status == ELM_OK && job.evaluation.status == ELM_EVAL_OK)
        r->cell->audit = job.evaluation.fitness;
    elm_evaluator_close(e);
    return status;
}

static enum elm_status run_search(struct elm_search *s, struct compare_recorder *r,
                                  struct elm_error *err)
{
    enum elm_search_end end;
    r->search = s;
    enum elm_status status = elm_search_run(s, on_tick, r, &end, err);
    if (status == ELM_OK && atomic_load(&r->c->stop))
        status = elm_fail(err, ELM_STOPPED, "stopped");
    r->cell->cpu_us = compare_record_cpu_us(r);
    r->search = NULL;
    return status;
}

/* The program that is the best must hold where it was not chosen. */
static enum elm_status settle(const struct elm_search_def *d, int level, struct compare_recorder *r,
                              struct elm_error *err)
{
    struct elm_compare_cell *cell = r->cell;
    const bool by_seed = cell->seed_fitness >= r->target;
    if (by_seed && r->tree.count == 0 && r->text.len == 0) {
        if (d->problem->seed.count > 0)
            r->tree = elm_tree_copy(&d->problem->seed);
        else
            elm_buf_add_str(&r->text, elm_str(d->problem->seed_text));
    }
    if (r->tree.count > 0 || r->text.len > 0)
        ELM_TRY(audit(d, level, r, err));
    cell->solved = (by_seed || cell->solved_at > 0) &&
                   cell->audit >= r->target - d->problem->tolerance;
    return ELM_OK;
}

static void add_elite(void *ctx, const struct elm_elite *e)
{
    quality_add(ctx, e->measures, e->fitness);
}

static enum elm_status search_on(struct elm_compare *c, struct compare_place at,
                                 const struct elm_problem *p, struct elm_compare_cell *cell,
                                 char **why, struct elm_error *err)
{
    struct compare_recorder r;
    struct elm_search_def def = search_def(c, at, p);
    struct elm_search *s;
    struct elm_search_stats stats;
    struct elm_error refused = {0};
    def.told = on_told;
    def.told_ctx = &r;
    enum elm_status status = elm_search_open(&def, &s, &refused);
    if (status == ELM_USAGE) {
        /* the problem is sound (compare_problems.c) and so is the arm: they don't go together */
        *cell = (struct elm_compare_cell){.done = true, .abstained = true, .seed_fitness = NAN,
                                          .best = NAN, .audit = NAN};
        *why = elm_strdup(refused.message);
        return ELM_OK;
    }
    if (status != ELM_OK)
        return elm_fail(err, status, "arm '%s' on '%s': %s", c->def.arms[at.arm].name,
                        c->problems[at.problem].label, refused.message);
    elm_search_stats(s, &stats);
    compare_record_start(&r, c, at.arm, cell, c->problems[at.problem].target, stats.seed_fitness);
    if (c->def.quality) {
        quality_init(&r.quality, p, stats.seed_fitness);
        elm_search_elites(s, add_elite, &r.quality);
        cell->seed_fitness = cell->best = r.quality.sum;
    }
    status = run_search(s, &r, err);
    elm_search_close(s, NULL);
    quality_release(&r.quality);
    if (status == ELM_OK && !c->def.quality)
        status = settle(&def, stats.level, &r, err);
    elm_tree_release(&r.tree);
    elm_buf_release(&r.text);
    return status;
}

enum elm_status compare_cell_run(struct elm_compare *c, uint32_t index,
                                 struct elm_compare_cell *cell, char **why, struct elm_error *err)
{
    struct compare_place at = compare_place(c, index);
    const struct compare_problem *of = &c->problems[at.problem];
    if (of->trial)
        return compare_trial_run(c, at, cell, why, err);
    struct elm_problem *p;
    ELM_TRY(elm_problem_load(of->load, c->def.problems_path, &p, err));
    enum elm_status status = search_on(c, at, p, cell, why, err);
    elm_problem_free(p);
    return status;
}
