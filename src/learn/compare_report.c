/* compare_report: report.md with its curves, and comparison.json. */
#include "learn/compare_table.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- curves ---- */
enum curve { SOLVED_BY_EVALUATIONS, GAIN_BY_EVALUATIONS, SOLVED_BY_CPU, GAIN_BY_CPU, CURVES };
static const struct {
    const char *file, *title, *x_name, *y_name;
    bool gain, cpu;
} curves[CURVES] = {
    {"solved.svg", "Problems solved", "evaluations", "solved", false, false},
    {"gain.svg", "Way from the seed to the target", "evaluations", "gain", true, false},
    {"solved-cpu.svg", "Problems solved by CPU time", "CPU time of a run", "solved", false, true},
    {"gain-cpu.svg", "Way from the seed to the target by CPU time", "CPU time of a run", "gain", true,
     true},
};

static bool shown(const struct elm_compare_result *r, int which)
{
    return (curves[which].gain || r->solvable > 0) && (!curves[which].cpu || r->cpu_count > 1);
}

static enum elm_status write_file(const struct elm_compare *c, const char *name,
                                  const struct elm_buf *text, struct elm_error *err)
{
    struct elm_buf path = {0};
    elm_buf_printf(&path, "%s/%s", c->def.folder, name);
    enum elm_status status = elm_file_write(path.ptr, elm_buf_str(text), err);
    elm_buf_release(&path);
    return status;
}

struct drawing {
    struct compare_series series[ELM_COMPARE_ARMS_MAX];
    double x[ELM_COMPARE_ARMS_MAX][ELM_COMPARE_MARKS], y[ELM_COMPARE_ARMS_MAX][ELM_COMPARE_MARKS],
        lo[ELM_COMPARE_ARMS_MAX][ELM_COMPARE_MARKS], hi[ELM_COMPARE_ARMS_MAX][ELM_COMPARE_MARKS];
};

static enum elm_status draw(const struct elm_compare *c, const struct elm_compare_result *r,
                            int which, struct elm_error *err)
{
    struct drawing *d = elm_calloc(1, sizeof(*d));
    for (uint32_t a = 0; a < r->arm_count; a++) {
        const struct elm_compare_point *points = curves[which].cpu ? r->of[a].by_cpu
                                                                   : r->of[a].by_evaluations;
        uint32_t count = curves[which].cpu ? r->cpu_count : r->mark_count;
        for (uint32_t i = 0; i < count; i++) {
            const struct elm_compare_value *v = curves[which].gain ? &points[i].gain
                                                                   : &points[i].solved;
            d->x[a][i] = points[i].x;
            d->y[a][i] = isnan(v->mean) ? 0 : v->mean;
            d->lo[a][i] = v->lo;
            d->hi[a][i] = v->hi;
        }
        d->series[a] = (struct compare_series){r->arms[a].name, d->x[a], d->y[a], d->lo[a],
                                               d->hi[a], count};
    }
    struct compare_chart chart = {curves[which].title, curves[which].x_name, curves[which].y_name,
                                  curves[which].cpu, d->series, r->arm_count};
    struct elm_buf svg = {0};
    compare_svg(&chart, &svg);
    enum elm_status status = write_file(c, curves[which].file, &svg, err);
    elm_buf_release(&svg);
    free(d);
    return status;
}

/* ---- text ---- */
static void add_settings(const struct elm_compare_result *r, struct elm_buf *out)
{
    struct table_text t = {.columns = 3};
    table_cell(&t, "arm");
    table_cell(&t, "settings");
    table_cell(&t, "CPU s to make it");
    for (uint32_t a = 0; a < r->arm_count; a++) {
        table_cell(&t, "%s", r->arms[a].name);
        table_cell(&t, "`%s`", r->arms[a].text);
        table_cell(&t, "%.4g", r->arms[a].training_cpu_s);
    }
    table_end(&t, out);
}

static void cell_of(struct table_text *t, const struct elm_compare_result *r,
                    const struct elm_compare_problem *p, uint32_t arm)
{
    uint32_t solved = 0;
    double best = 0;
    for (uint32_t s = 0; s < r->seeds; s++) {
        const struct elm_compare_cell *cell = &p->cells[(size_t)arm * r->seeds + s];
        solved += cell->solved;
        best += cell->best / r->seeds;
    }
    if (p->why[arm] != NULL)
        table_cell(t, "abstains");
    else if (isnan(p->target))
        table_cell(t, "%.5g", best);
    else
        table_cell(t, "%u/%u, %.5g", solved, r->seeds, best);
}

static void add_problems(const struct elm_compare_result *r, struct elm_buf *out)
{
    struct table_text t = {.columns = r->arm_count + 4};
    table_cell(&t, "problem");
    table_cell(&t, "run as");
    table_cell(&t, "seed's fitness");
    table_cell(&t, "target");
    for (uint32_t a = 0; a < r->arm_count; a++)
        table_cell(&t, "%s", r->arms[a].name);
    for (uint32_t i = 0; i < r->problem_count; i++) {
        const struct elm_compare_problem *p = &r->problems[i];
        double seed = NAN;
        for (uint32_t k = 0; k < r->arm_count * r->seeds && isnan(seed); k++)
            seed = p->cells[k].seed_fitness;
        table_cell(&t, "%s", p->name);
        table_cell(&t, p->trial ? "trial" : "search");
        if (isnan(seed))
            table_cell(&t, "-");
        else
            table_cell(&t, "%.5g", seed);
        if (isnan(p->target))
            table_cell(&t, "-");
        else
            table_cell(&t, "%.5g", p->target);
        for (uint32_t a = 0; a < r->arm_count; a++)
            cell_of(&t, r, p, a);
    }
    table_end(&t, out);
}

static const char how_to_read[] =
    "**Solved**: the target is reached on the scored cases within the budget, and the program holds on "
    "the audit cases, which no search sees; a share of the problems that have a target. **Gain**: the "
    "share of the way from the seed's fitness to the target, the best known value, or else the best "
    "value that any run here came to. **Area**: the mean gain over the logarithm of the evaluations (of "
    "CPU time where that is the budget): how early, and how far. A run ends when it reaches the target. "
    "**Median to solve**: evaluations, runs that solve nothing counted as endless.\n\n"
    "Intervals are percentiles of 10,000 bootstrap resamples (fewer, at least 1,000, where there are "
    "very many runs) of problems and, within them, seeds; bands in the curves of 1,000. Differences are "
    "paired: of each problem the means over seeds, or of a single problem its seeds. p rank: Wilcoxon's "
    "signed-rank test, two-sided, exact up to 50 pairs that differ; p Holm: corrected for the number of "
    "arms, in each measure; p signs: sign test. A trial runs in one process with operators drawn by "
    "shares, a search is what `elm run` does; one problem is run one way for all arms. CPU time is what "
    "this machine took, of all threads and cages of a run.\n";

static void add_text(struct elm_compare *c, const struct elm_compare_about *about,
                     struct elm_buf *out)
{
    const struct elm_compare_result *r = elm_compare_result(c);
    elm_buf_printf(out, "# Comparison\n\n");
    elm_compare_table(c, out);
    elm_buf_printf(out, "\n## Curves\n\n");
    for (int i = 0; i < CURVES; i++) {
        if (shown(r, i))
            elm_buf_printf(out, "![%s](%s)\n\n", curves[i].title, curves[i].file);
    }
    elm_buf_printf(out, "## Arms\n\n");
    add_settings(r, out);
    elm_buf_printf(out, "\n## Problems\n\n%s\n\n",
                   r->solvable > 0 ? "Seeds that solve it, and the mean of the best fitness."
                   : c->def.quality  ? "The mean of the QD scores."
                                     : "The mean of the best fitness.");
    add_problems(r, out);
    elm_buf_printf(out, "\n## How\n\n    %s\n\nelm %s, %s, first seed %llu. %s.\n\n%s",
                   about->command, ELM_VERSION, about->date, (unsigned long long)c->def.seed,
                   about->machine, how_to_read);
}

enum elm_status elm_compare_report(struct elm_compare *c, const struct elm_compare_about *about,
                                   struct elm_error *err)
{
    const struct elm_compare_result *r = elm_compare_result(c);
    ELM_ASSERT(c->def.folder != NULL);
    for (int i = 0; i < CURVES; i++) {
        if (shown(r, i))
            ELM_TRY(draw(c, r, i, err));
    }
    struct elm_buf text = {0};
    elm_compare_json(c, about, &text);
    enum elm_status status = write_file(c, "comparison.json", &text, err);
    elm_buf_clear(&text);
    if (status == ELM_OK) {
        add_text(c, about, &text);
        status = write_file(c, "report.md", &text, err);
    }
    elm_buf_release(&text);
    return status;
}
