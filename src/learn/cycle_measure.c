/* cycle_measure: the operator in use against controls, on a report set that decides nothing. */
#include "learn/cycle.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRY_STEPS 20             /* to see what a step of a control costs */
#define CORRUPTIONS_MAX 6        /* of the report set, whatever the rounds have come to */

/* ---- more inversions for the same CPU time ---- */
static struct elm_train_def inversions_def(const struct elm_cycle *c, uint32_t round)
{
    struct elm_train_def d = {.trainer = "inversions", .optimizer = c->def.train.optimizer,
                              .schedule = c->def.train.schedule, .rate = c->def.train.rate,
                              .warmup = c->def.train.warmup, .batch = c->def.train.batch};
    d.seed = cycle_seed(c, CYCLE_FOR_TRAIN, round) + 1;
    return d;
}

/* What a step costs is measured once, and the number of steps kept: a kill changes nothing of it. */
static enum elm_status plan(struct elm_cycle *c, uint32_t round, struct cycle_making *out,
                            struct elm_error *err)
{
    char *file = cycle_path_of(c, round, "inversions-plan.json");
    char *model = cycle_path_of(c, round, "inversions-try.gguf");
    bool there;
    enum elm_status status = cycle_making_read(file, out, &there, err);
    if (status == ELM_OK && !there) {
        struct elm_train_def def = inversions_def(c, round);
        struct elm_train_stats stats;
        def.out = model;
        def.steps = TRY_STEPS;
        status = cycle_train_into(c, &def, &stats, err);
        if (status == ELM_OK) {
            double cost = fmax(1e-4, (double)stats.cpu_us / 1e6 / TRY_STEPS);
            out->cpu_s = cycle_cpu_s(c, round);
            out->steps = fmax(1, floor(out->cpu_s / cost));
            status = cycle_making_write(file, out, err);
        }
    }
    free(file);
    free(model);
    return status;
}

static enum elm_status more_inversions(struct elm_cycle *c, uint32_t round, const char *model,
                                       double *cpu_s, struct elm_error *err)
{
    struct cycle_making made, planned = {0};
    bool there;
    char *file = cycle_path_of(c, round, "inversions.json");
    enum elm_status status = cycle_making_read(file, &made, &there, err);
    c->progress.what = "train the control inversions";
    if (status == ELM_OK && !there) {
        struct elm_train_def def = inversions_def(c, round);
        struct elm_train_stats stats;
        status = plan(c, round, &planned, err);
        def.out = model;
        def.steps = (uint64_t)planned.steps;
        if (status == ELM_OK)
            status = cycle_train_into(c, &def, &stats, err);
        if (status == ELM_OK) {
            made = (struct cycle_making){(double)stats.step, (double)stats.cpu_us / 1e6};
            status = cycle_making_write(file, &made, err);
        }
    }
    *cpu_s = made.cpu_s;
    free(file);
    return status;
}

/* ---- from the same data ---- */
/* cpu_s: of the training; NaN: there is nothing to learn from. `name`: of the file that keeps it. */
static enum elm_status train_on_same(struct elm_cycle *c, uint32_t round,
                                     const struct elm_train_def *how, const char *name,
                                     const char *model, double *cpu_s, struct elm_error *err)
{
    struct cycle_making made = {0, NAN};
    struct elm_train_stats stats;
    bool there;
    char *file = cycle_path_of(c, round, name);
    enum elm_status status = cycle_making_read(file, &made, &there, err);
    if (status == ELM_OK && !there) {
        status = cycle_train_round(c, round, how, model, &stats, err);
        if (status == ELM_OK && stats.step > 0) {
            made = (struct cycle_making){(double)stats.step, (double)stats.cpu_us / 1e6};
            status = cycle_making_write(file, &made, err);
        }
    }
    *cpu_s = made.cpu_s;
    free(file);
    return status;
}

/* Outcomes shuffled; nothing where they don't count. */
static enum elm_status shuffle(struct elm_cycle *c, uint32_t round, const char *model,
                               double *cpu_s, struct elm_error *err)
{
    struct elm_train_def how = c->def.train;
    how.shuffled = true;
    *cpu_s = NAN;
    c->progress.what = "train the control shuffled";
    return c->trainer->needs_data
               ? train_on_same(c, round, &how, "shuffled.json", model, cpu_s, err) : ELM_OK;
}

/* The table of which node became which in good edits. */
static enum elm_status count_edits(struct elm_cycle *c, uint32_t round, const char *model,
                                   double *cpu_s, struct elm_error *err)
{
    /* the counts are made at the start; steps would change nothing that matters */
    struct elm_train_def how = {.trainer = "frequencies", .steps = 1};
    c->progress.what = "train the control frequencies";
    return train_on_same(c, round, &how, "frequencies.json", model, cpu_s, err);
}

/* The cycle's operators, those with a model taken out and `frequent` in their place. */
static void replace_operators(const char *list, struct elm_buf *out)
{
    elm_buf_printf(out, "frequent");
    for (const char *at = list; *at != '\0';) {
        size_t len = strcspn(at, ",");
        char name[64];
        snprintf(name, sizeof(name), "%.*s", (int)(len < 63 ? len : 63), at);
        const struct elm_operator_kind *kind = elm_operator_find(name);
        if (kind != NULL && kind->model == NULL)
            elm_buf_printf(out, ",%s", name);
        at += len + (at[len] == ',');
    }
}

/* ---- arms ---- */
struct paths {
    char *inversions, *shuffled, *frequencies;
    struct elm_buf operators;        /* of the control frequencies */
};

static enum elm_status fill_arms(struct elm_cycle *c, uint32_t round, const struct paths *models,
                                 struct elm_compare_arm arms[ELM_CYCLE_ARMS_MAX], uint32_t *count,
                                 struct elm_error *err)
{
    const char *mine = c->def.operators;
    double spent = c->current == c->base ? 0 : cycle_cpu_s(c, round);
    uint32_t n = 0;
    double cpu_s = 0;
    cycle_arm("cycle", mine, NULL, c->current, &arms[n]);
    arms[n++].training_cpu_s = spent;
    if (cycle_controls(c, "best-of")) {
        cycle_arm("best-of", mine, "best_of", c->current, &arms[n]);
        arms[n++].training_cpu_s = spent;
    }
    if (cycle_controls(c, "base"))
        cycle_arm("base", mine, NULL, c->base, &arms[n++]);
    if (cycle_controls(c, "inversions") && c->base != NULL) {
        ELM_TRY(more_inversions(c, round, models->inversions, &cpu_s, err));
        cycle_arm("inversions", mine, NULL, models->inversions, &arms[n]);
        arms[n++].training_cpu_s = cpu_s;
    }
    if (cycle_controls(c, "shuffled")) {
        ELM_TRY(shuffle(c, round, models->shuffled, &cpu_s, err));
        cycle_arm("shuffled", mine, NULL, models->shuffled, &arms[n]);
        arms[n].training_cpu_s = cpu_s;
        n += !isnan(cpu_s);
    }
    if (cycle_controls(c, "frequencies") && c->trainer != elm_trainer_find("frequencies")) {
        ELM_TRY(count_edits(c, round, models->frequencies, &cpu_s, err));
        cycle_arm("frequencies", models->operators.ptr, NULL, models->frequencies, &arms[n]);
        arms[n].training_cpu_s = cpu_s;
        n += !isnan(cpu_s);
    }
    if (cycle_controls(c, "semantic"))
        cycle_arm("semantic", "semantic,tree,constants", NULL, NULL, &arms[n++]);
    if (cycle_controls(c, "gp"))
        cycle_arm("gp", "tree", NULL, NULL, &arms[n++]);
    *count = n;
    return ELM_OK;
}

static struct elm_compare_value turned(struct elm_compare_value v)
{
    /* from 0, not negated: there is a zero that prints as -0 */
    return (struct elm_compare_value){0 - v.mean, 0 - v.hi, 0 - v.lo};
}

static void fill_round(struct elm_cycle_round *r, const struct elm_compare_result *of)
{
    enum elm_compare_metric metric = of->solvable > 0 ? ELM_COMPARE_SOLVED : ELM_COMPARE_GAIN;
    struct elm_compare_value none = {NAN, NAN, NAN};
    r->arms = of->arm_count;
    r->cpu_measure_s = 0;
    for (uint32_t i = 0; i < of->arm_count; i++) {
        const struct elm_compare_arm_result *from = &of->of[i];
        struct elm_cycle_arm *a = &r->arm[i];
        *a = (struct elm_cycle_arm){
            .solved = of->solvable > 0 ? from->solved[of->column_count - 1] : none,
            .gain = from->gain, .area = from->area, .cpu_run_s = from->cpu_s,
            .cpu_made_s = of->arms[i].training_cpu_s, .abstained = from->abstained,
            .ahead = i > 0 ? turned(of->differences[i][metric].value) : none,
            .p = i > 0 ? of->differences[i][metric].p_holm : NAN};
        strcpy(a->name, of->arms[i].name);
        r->cpu_measure_s += from->cpu_s * of->problem_count * of->seeds;
        if (strcmp(a->name, "best-of") == 0) {
            bool solved = metric == ELM_COMPARE_SOLVED;
            double single = solved ? a->solved.mean : a->gain.mean;
            double search = solved ? r->arm[0].solved.mean : r->arm[0].gain.mean;
            r->amplification = single > 0 ? search / single : NAN;
        }
    }
}

/* What earlier rounds have run of this report set need not be run again. */
static enum elm_status take_cells(struct elm_cycle *c, uint32_t round, struct elm_error *err)
{
    char *folder = cycle_path_of(c, round, "report");
    char *to = cycle_path_of(c, round, "report/cells.jsonl");
    char *from = round > 1 ? cycle_path_of(c, round - 1, "report/cells.jsonl") : NULL;
    enum elm_status status = cycle_folder(folder, err);
    if (status == ELM_OK && from != NULL && !cycle_there(to) && cycle_there(from))
        status = cycle_copy(from, to, err);
    free(folder);
    free(from);
    free(to);
    return status;
}

static enum elm_status measure(struct elm_cycle *c, uint32_t round, const struct paths *models,
                               const char *folder, struct elm_error *err)
{
    struct elm_compare_arm arms[ELM_CYCLE_ARMS_MAX];
    struct elm_compare *compare;
    struct cycle_comparison what = {
        .arms = arms, .stream = ELM_STREAM_REPORT, .seed = cycle_seed(c, CYCLE_FOR_REPORT, 0),
        .corruptions_min = 1, .corruptions_max = CORRUPTIONS_MAX, .pairs = c->def.held_out,
        .folder = folder};
    ELM_TRY(fill_arms(c, round, models, arms, &what.arm_count, err));
    ELM_TRY(take_cells(c, round, err));
    c->progress.what = "measure";
    ELM_TRY(cycle_compare(c, &what, &compare, err));
    fill_round(&c->rounds[round - 1], elm_compare_result(compare));
    enum elm_status status = elm_compare_report(compare, &c->def.about, err);
    elm_compare_close(compare);
    return status;
}

enum elm_status cycle_measure(struct elm_cycle *c, uint32_t round, struct elm_error *err)
{
    struct elm_cycle_round *r = &c->rounds[round - 1];
    r->arms = r->cpu_measure_s = 0;
    if (c->def.held_out == 0)
        return ELM_OK;
    struct paths models = {cycle_path_of(c, round, "inversions.gguf"),
                           cycle_path_of(c, round, "shuffled.gguf"),
                           cycle_path_of(c, round, "frequencies.gguf"), {0}};
    replace_operators(c->def.operators, &models.operators);
    char *folder = cycle_path_of(c, round, "report");
    enum elm_status status = measure(c, round, &models, folder, err);
    free(models.inversions);
    free(models.shuffled);
    free(models.frequencies);
    elm_buf_release(&models.operators);
    free(folder);
    return status;
}
