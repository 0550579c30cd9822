/* compare_result: what the cells say: means with intervals, curves with bands, differences with tests. */
#include "learn/compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "learn/statistics.h"

#define RESAMPLES 10000
#define RESAMPLES_MIN 1000
#define RESAMPLES_BAND 1000
#define WORK_MAX 4e9              /* of a bootstrap: with very many cells fewer resamples are made */
#define BOOTSTRAP_SEED 1
#define RANGE 0.95

/* ---- what a cell was worth ---- */
/* Which problems count: for `solved` those with a target, for the rest those with a way to go. */
enum { OF_SOLVED, OF_GAIN, KINDS };

static const struct elm_compare_cell *cell_at(const struct elm_compare *c, uint32_t problem,
                                              uint32_t arm, uint32_t seed)
{
    return &c->cells[((size_t)problem * c->def.arm_count + arm) * c->def.seeds + seed];
}

static double gain_of(const struct elm_compare_cell *cell, double fitness, double top)
{
    if (cell->abstained || !(top > cell->seed_fitness))
        return 0;
    double gain = (fitness - cell->seed_fitness) / (top - cell->seed_fitness);
    return gain > 1 ? 1 : gain;
}

/* The best fitness by x, of evaluations or of seconds of CPU time. */
static double fitness_at(const struct elm_compare *c, const struct elm_compare_cell *cell, double x,
                         bool cpu)
{
    double last = cell->seed_fitness;
    for (uint32_t i = 0; i < cell->marks; i++) {
        double mark = cpu ? (double)cell->curve_cpu_s[i] : (double)c->marks[i];
        if (mark > x)
            return last;
        last = cell->curve[i];
    }
    double end = cpu ? (double)cell->cpu_us / 1e6 : (double)cell->evaluations;
    return x >= end ? cell->best : last;
}

static double solved_by(const struct elm_compare_cell *cell, double x, bool cpu)
{
    double at = cpu ? (double)cell->solved_cpu_us / 1e6 : (double)cell->solved_at;
    return cell->solved && at <= x ? 1 : 0;
}

/* Mean gain over the logarithm of the grid. */
static double area_of(const struct elm_compare *c, const struct elm_compare_cell *cell, double top,
                      const double *grid, uint32_t count, bool cpu)
{
    double sum = 0, whole = 0;
    for (uint32_t i = 0; i + 1 < count; i++) {
        double width = log(grid[i + 1] / grid[i]);
        sum += width * gain_of(cell, fitness_at(c, cell, grid[i], cpu), top);
        whole += width;
    }
    return whole > 0 ? sum / whole : gain_of(cell, cell->best, top);
}

/* ---- the bootstrap ---- */
struct table {
    uint32_t problems, seeds, rows;
    float *x;                  /* [problems * seeds][rows] */
    const uint8_t *kind;       /* [rows] */
    const bool *counts[KINDS];    /* [problems] */
};

static void weigh(const struct table *t, const float *weights, double *sums)
{
    double total[KINDS] = {0};
    memset(sums, 0, t->rows * sizeof(*sums));
    for (uint32_t i = 0; i < t->problems * t->seeds; i++) {
        if (weights[i] == 0)
            continue;
        const float *x = t->x + (size_t)i * t->rows;
        for (int k = 0; k < KINDS; k++)
            total[k] += t->counts[k][i / t->seeds] ? (double)weights[i] : 0;
        /* of problems that don't count, x is zero */
        for (uint32_t r = 0; r < t->rows; r++)
            sums[r] += (double)(weights[i] * x[r]);
    }
    for (uint32_t r = 0; r < t->rows; r++)
        sums[r] = total[t->kind[r]] > 0 ? sums[r] / total[t->kind[r]] : NAN;
}

/* [resamples][rows], then the means themselves. */
static double *bootstrap(const struct table *t, uint32_t resamples)
{
    size_t cells = (size_t)t->problems * t->seeds;
    double *out = elm_malloc((size_t)(resamples + 1) * t->rows * sizeof(*out));
    float *weights = elm_malloc((cells + 1) * sizeof(*weights));
    for (uint32_t r = 0; r < resamples; r++) {
        statistics_resample(BOOTSTRAP_SEED, r, t->problems, t->seeds, weights);
        weigh(t, weights, out + (size_t)r * t->rows);
    }
    for (size_t i = 0; i < cells; i++)
        weights[i] = 1;
    weigh(t, weights, out + (size_t)resamples * t->rows);
    free(weights);
    return out;
}

/* Of row `a`, minus row `b` where there is one. */
static struct elm_compare_value value_of(const struct table *t, const double *means,
                                         uint32_t resamples, uint32_t a, int64_t b)
{
    double *x = elm_malloc((resamples + 1) * sizeof(*x));
    const double *whole = means + (size_t)resamples * t->rows;
    struct elm_compare_value v = {whole[a] - (b < 0 ? 0 : whole[b]), NAN, NAN};
    uint32_t count = 0;
    for (uint32_t r = 0; r < resamples; r++) {
        const double *row = means + (size_t)r * t->rows;
        double d = row[a] - (b < 0 ? 0 : row[b]);
        if (!isnan(d))
            x[count++] = d;
    }
    if (count > 0 && t->problems * t->seeds > 1) {
        v.lo = statistics_quantile(x, count, (1 - RANGE) / 2);
        v.hi = statistics_quantile(x, count, (1 + RANGE) / 2);
    }
    free(x);
    return v;
}

/* ---- problems, columns, grids ---- */
static void show_problems(struct elm_compare *c)
{
    struct elm_compare_result *r = &c->result;
    c->shown = elm_calloc(c->problem_count, sizeof(*c->shown));
    r->problems = c->shown;
    for (uint32_t p = 0; p < c->problem_count; p++) {
        struct compare_problem *from = &c->problems[p];
        double top = from->top;
        for (uint32_t i = 0; isnan(from->top) && i < c->def.arm_count * c->def.seeds; i++) {
            const struct elm_compare_cell *cell = &c->cells[p * c->def.arm_count * c->def.seeds + i];
            if (!cell->abstained && !(top >= cell->best))
                top = cell->best;
        }
        c->shown[p] = (struct elm_compare_problem){
            .name = from->label, .trial = from->trial, .target = from->target, .top = top,
            .why = (const char *const *)from->why, .cells = cell_at(c, p, 0, 0)};
        r->solvable += !isnan(from->target);
    }
}

static double most(const struct elm_compare *c, bool cpu)
{
    double x = 0;
    for (uint32_t i = 0; i < c->cell_count; i++) {
        const struct elm_compare_cell *cell = &c->cells[i];
        x = fmax(x, cpu ? (double)cell->cpu_us / 1e6 : (double)cell->evaluations);
    }
    return x;
}

static void set_columns(struct elm_compare *c)
{
    static const double usual[] = {10, 100, 500, 2000, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
    struct elm_compare_result *r = &c->result;
    double all[ELM_COUNT(usual) + 1], budget = (double)compare_evaluations(c);
    uint32_t count = 0;
    r->columns_cpu = c->def.evaluations == 0 && c->def.cpu_s > 0;
    if (budget == 0)
        budget = r->columns_cpu ? c->def.cpu_s : fmax(1, most(c, false));
    for (int k = 3; r->columns_cpu && k > 0; k--)
        all[count++] = budget / pow(10, k);
    for (size_t i = 0; !r->columns_cpu && i < ELM_COUNT(usual) && usual[i] < budget; i++)
        all[count++] = usual[i];
    all[count++] = budget;
    uint32_t first = count > ELM_COMPARE_COLUMNS ? count - ELM_COMPARE_COLUMNS : 0;
    for (uint32_t i = first; i < count; i++)
        r->columns[r->column_count++] = all[i];
}

static uint32_t evaluation_grid(struct elm_compare *c, double grid[ELM_COMPARE_MARKS])
{
    double end = fmax(1, most(c, false));
    struct elm_compare_result *r = &c->result;
    for (uint32_t i = 0; i < c->mark_count; i++) {
        if (c->def.evaluations == 0 && (double)c->marks[i] > end)
            break;
        r->marks[r->mark_count] = c->marks[i];
        grid[r->mark_count++] = (double)c->marks[i];
    }
    return r->mark_count;
}

/* Four points a decade of CPU time, from the first evaluation on. */
static uint32_t cpu_grid(const struct elm_compare *c, double grid[ELM_COMPARE_MARKS])
{
    double first = HUGE_VAL, end = c->def.cpu_s > 0 ? c->def.cpu_s : most(c, true);
    uint32_t count = 0;
    for (uint32_t i = 0; i < c->cell_count; i++) {
        if (c->cells[i].marks > 0)
            first = fmin(first, (double)c->cells[i].curve_cpu_s[0]);
    }
    if (end <= 0)
        return 0;
    double points = ceil(4 * log10(end / fmax(first, end * 1e-8)));
    points = fmin(fmax(points, 1), ELM_COMPARE_MARKS - 1);
    for (uint32_t i = 0; i <= (uint32_t)points; i++)
        grid[count++] = end * pow(10, (i - points) / 4);
    return count;
}

/* ---- arms ---- */
static void fill_curve(const struct elm_compare *c, uint32_t arm, const bool *const counts[KINDS],
                       const double *grid, uint32_t count, bool cpu, struct elm_compare_point *out)
{
    uint32_t seeds = c->def.seeds, rows = 2 * count;
    uint8_t kind[2 * ELM_COMPARE_MARKS];
    struct table t = {.problems = c->problem_count, .seeds = seeds, .rows = rows, .kind = kind,
                      .counts = {counts[0], counts[1]}};
    t.x = elm_calloc((size_t)c->problem_count * seeds * rows + 1, sizeof(*t.x));
    for (uint32_t i = 0; i < rows; i++)
        kind[i] = i < count ? OF_SOLVED : OF_GAIN;
    for (uint32_t p = 0; p < c->problem_count; p++) {
        for (uint32_t s = 0; s < seeds; s++) {
            const struct elm_compare_cell *cell = cell_at(c, p, arm, s);
            float *x = t.x + ((size_t)p * seeds + s) * rows;
            for (uint32_t i = 0; i < count; i++) {
                if (counts[OF_SOLVED][p])
                    x[i] = (float)solved_by(cell, grid[i], cpu);
                if (counts[OF_GAIN][p])
                    x[count + i] = (float)gain_of(cell, fitness_at(c, cell, grid[i], cpu),
                                                  c->shown[p].top);
            }
        }
    }
    double *means = bootstrap(&t, RESAMPLES_BAND);
    for (uint32_t i = 0; i < count; i++) {
        out[i] = (struct elm_compare_point){grid[i], value_of(&t, means, RESAMPLES_BAND, i, -1),
                                            value_of(&t, means, RESAMPLES_BAND, count + i, -1)};
    }
    free(means);
    free(t.x);
}

static void count_cells(const struct elm_compare *c, uint32_t arm, struct elm_compare_arm_result *out)
{
    uint32_t runs = c->problem_count * c->def.seeds, solved = 0;
    double cpu_s = 0;
    for (uint32_t p = 0; p < c->problem_count; p++) {
        for (uint32_t s = 0; s < c->def.seeds; s++) {
            const struct elm_compare_cell *cell = cell_at(c, p, arm, s);
            out->evaluations += (double)cell->evaluations / runs;
            out->tokens += (double)cell->tokens / runs;
            out->cpu_s += (double)cell->cpu_us / 1e6 / runs;
            if (isnan(c->problems[p].target))
                continue;
            solved += cell->solved;
            cpu_s += (double)cell->cpu_us / 1e6;
        }
        out->abstained += cell_at(c, p, arm, 0)->abstained;
    }
    out->cpu_s_per_solved = solved > 0 ? cpu_s / solved : HUGE_VAL;
}

/* When each run of an arm solved its problem, sorted, those that never do at the end. Returns how many
 * runs there are on problems with a target. */
static uint32_t solved_at(const struct elm_compare *c, uint32_t arm, bool cpu, double *at)
{
    uint32_t count = 0;
    for (uint32_t p = 0; p < c->problem_count; p++) {
        for (uint32_t s = 0; s < c->def.seeds && !isnan(c->problems[p].target); s++) {
            const struct elm_compare_cell *cell = cell_at(c, p, arm, s);
            double x = cpu ? (double)cell->solved_cpu_us / 1e6 : (double)cell->solved_at;
            at[count++] = cell->solved ? x : HUGE_VAL;
        }
    }
    if (count > 0)
        statistics_quantile(at, count, 0);
    return count;
}

static void time_arms(struct elm_compare *c)
{
    double *at = elm_malloc(((size_t)c->problem_count * c->def.seeds + 1) * sizeof(*at));
    uint32_t first = 0, count = solved_at(c, 0, false, at);
    while (first < count && isfinite(at[first]))
        first++;
    for (uint32_t arm = 0; arm < c->def.arm_count; arm++) {
        struct elm_compare_arm_result *of = &c->result.of[arm];
        solved_at(c, arm, true, at);
        of->cpu_s_to_match = first > 0 ? at[first - 1] : NAN;
        solved_at(c, arm, false, at);
        of->evaluations_to_match = first > 0 ? at[first - 1] : NAN;
        /* the lower of two middle ones: between a number and never there is no middle */
        of->median_evaluations = count > 0 ? at[(count - 1) / 2] : NAN;
    }
    free(at);
}

/* Rows of the main table: of each arm its columns, gain, area. */
static uint32_t row_of(const struct elm_compare *c, uint32_t arm, enum elm_compare_metric metric,
                       uint32_t column)
{
    uint32_t columns = c->result.column_count, first = arm * (columns + 2);
    return first + (metric == ELM_COMPARE_SOLVED ? column
                                                 : columns + (metric == ELM_COMPARE_AREA));
}

static void fill_table(const struct elm_compare *c, struct table *t, const double *grid,
                       uint32_t count)
{
    const struct elm_compare_result *r = &c->result;
    for (uint32_t p = 0; p < t->problems; p++) {
        for (uint32_t i = 0; i < c->def.arm_count * t->seeds; i++) {
            uint32_t arm = i / t->seeds, s = i % t->seeds;
            const struct elm_compare_cell *cell = cell_at(c, p, arm, s);
            float *x = t->x + ((size_t)p * t->seeds + s) * t->rows;
            for (uint32_t k = 0; k < r->column_count && t->counts[OF_SOLVED][p]; k++)
                x[row_of(c, arm, ELM_COMPARE_SOLVED, k)] =
                    (float)solved_by(cell, r->columns[k], r->columns_cpu);
            if (!t->counts[OF_GAIN][p])
                continue;
            double top = r->problems[p].top;
            x[row_of(c, arm, ELM_COMPARE_GAIN, 0)] = (float)gain_of(cell, cell->best, top);
            x[row_of(c, arm, ELM_COMPARE_AREA, 0)] =
                (float)area_of(c, cell, top, grid, count, r->columns_cpu);
        }
    }
}

/* ---- differences ---- */
/* Pairs: means over the seeds of each problem that counts; of one problem, its seeds. */
static uint32_t pair_up(const struct elm_compare *c, const struct table *t, uint32_t a, uint32_t b,
                        double *pairs)
{
    uint32_t count = 0;
    for (uint32_t p = 0; p < t->problems; p++) {
        double sum = 0;
        if (!t->counts[t->kind[a]][p])
            continue;
        for (uint32_t s = 0; s < t->seeds; s++) {
            const float *x = t->x + ((size_t)p * t->seeds + s) * t->rows;
            if (c->problem_count == 1)
                pairs[count++] = (double)(x[a] - x[b]);
            else
                sum += (double)(x[a] - x[b]);
        }
        if (c->problem_count > 1)
            pairs[count++] = sum / t->seeds;
    }
    return count;
}

static void fill_differences(struct elm_compare *c, const struct table *t, const double *means,
                             uint32_t resamples)
{
    struct elm_compare_result *r = &c->result;
    double *pairs = elm_malloc(((size_t)t->problems * t->seeds + 1) * sizeof(*pairs));
    for (int m = 0; m < ELM_COMPARE_METRICS; m++) {
        double p[ELM_COMPARE_ARMS_MAX];
        for (uint32_t arm = 1; arm < r->arm_count; arm++) {
            uint32_t a = row_of(c, arm, (enum elm_compare_metric)m, r->column_count - 1);
            uint32_t b = row_of(c, 0, (enum elm_compare_metric)m, r->column_count - 1);
            uint32_t count = pair_up(c, t, a, b, pairs);
            struct statistics_signs signs = statistics_signs(pairs, count);
            p[arm - 1] = statistics_wilcoxon(pairs, count);
            r->differences[arm][m] = (struct elm_compare_difference){
                .value = value_of(t, means, resamples, a, b), .p = p[arm - 1],
                .better = signs.above, .worse = signs.below, .equal = signs.equal,
                .p_signs = signs.p};
        }
        statistics_holm(p, r->arm_count - 1);
        for (uint32_t arm = 1; arm < r->arm_count; arm++)
            r->differences[arm][m].p_holm = p[arm - 1];
    }
    free(pairs);
}

static void fill_break_even(struct elm_compare *c)
{
    struct elm_compare_result *r = &c->result;
    for (uint32_t arm = 1; arm < r->arm_count; arm++) {
        double cost = r->of[arm].cpu_s_per_solved, first = r->of[0].cpu_s_per_solved;
        struct elm_compare_break_even b = {.training_cpu_s = r->arms[arm].training_cpu_s -
                                                             r->arms[0].training_cpu_s,
                                           .problems = HUGE_VAL, .cpu_s = HUGE_VAL};
        if (b.training_cpu_s > 0 && cost < first) {
            b.problems = b.training_cpu_s / (first - cost);
            b.cpu_s = b.training_cpu_s + b.problems * cost;
        }
        r->break_even[arm] = b;
    }
}

static void fill_arms(struct elm_compare *c, const bool *const counts[KINDS])
{
    struct elm_compare_result *r = &c->result;
    double grid[ELM_COMPARE_MARKS], cpu[ELM_COMPARE_MARKS];
    uint32_t points = evaluation_grid(c, grid), rows = r->arm_count * (r->column_count + 2);
    uint8_t kind[ELM_COMPARE_ARMS_MAX * (ELM_COMPARE_COLUMNS + 2)];
    r->cpu_count = cpu_grid(c, cpu);
    struct table t = {.problems = c->problem_count, .seeds = c->def.seeds, .rows = rows,
                      .kind = kind, .counts = {counts[0], counts[1]}};
    for (uint32_t i = 0; i < rows; i++)
        kind[i] = i % (r->column_count + 2) < r->column_count ? OF_SOLVED : OF_GAIN;
    size_t numbers = (size_t)t.problems * t.seeds * rows;
    t.x = elm_calloc(numbers + 1, sizeof(*t.x));
    fill_table(c, &t, r->columns_cpu ? cpu : grid, r->columns_cpu ? r->cpu_count : points);
    double afford = WORK_MAX / (double)(numbers + 1);
    uint32_t resamples = afford > RESAMPLES ? RESAMPLES
                         : afford < RESAMPLES_MIN ? RESAMPLES_MIN : (uint32_t)afford;
    double *means = bootstrap(&t, resamples);
    for (uint32_t arm = 0; arm < r->arm_count; arm++) {
        struct elm_compare_arm_result *of = &r->of[arm];
        count_cells(c, arm, of);
        for (uint32_t k = 0; k < r->column_count; k++)
            of->solved[k] = value_of(&t, means, resamples, row_of(c, arm, ELM_COMPARE_SOLVED, k), -1);
        of->gain = value_of(&t, means, resamples, row_of(c, arm, ELM_COMPARE_GAIN, 0), -1);
        of->area = value_of(&t, means, resamples, row_of(c, arm, ELM_COMPARE_AREA, 0), -1);
        fill_curve(c, arm, counts, grid, points, false, of->by_evaluations);
        fill_curve(c, arm, counts, cpu, r->cpu_count, true, of->by_cpu);
    }
    fill_differences(c, &t, means, resamples);
    free(means);
    free(t.x);
}

const struct elm_compare_result *elm_compare_result(struct elm_compare *c)
{
    struct elm_compare_result *r = &c->result;
    ELM_ASSERT(c->done == c->cell_count);
    if (c->has_result)
        return r;
    c->has_result = true;
    *r = (struct elm_compare_result){.arm_count = c->def.arm_count, .seeds = c->def.seeds,
                                     .problem_count = c->problem_count, .arms = c->def.arms};
    r->of = elm_calloc(r->arm_count, sizeof(*r->of));
    r->differences = elm_calloc(r->arm_count, sizeof(*r->differences));
    r->break_even = elm_calloc(r->arm_count, sizeof(*r->break_even));
    r->pairs = c->problem_count > 1 ? c->problem_count : c->def.seeds;
    show_problems(c);
    set_columns(c);
    bool *counts[KINDS];
    for (int k = 0; k < KINDS; k++)
        counts[k] = elm_calloc(c->problem_count + 1, sizeof(*counts[k]));
    for (uint32_t p = 0; p < c->problem_count; p++) {
        counts[OF_SOLVED][p] = !isnan(c->problems[p].target);
        for (uint32_t i = 0; i < r->arm_count * r->seeds; i++) {
            const struct elm_compare_cell *cell = &c->shown[p].cells[i];
            counts[OF_GAIN][p] |= !cell->abstained && c->shown[p].top > cell->seed_fitness;
        }
    }
    fill_arms(c, (const bool *const *)counts);
    time_arms(c);
    fill_break_even(c);
    for (int k = 0; k < KINDS; k++)
        free(counts[k]);
    return r;
}

void compare_result_release(struct elm_compare *c)
{
    free(c->shown);
    free(c->result.of);
    free(c->result.differences);
    free(c->result.break_even);
}
