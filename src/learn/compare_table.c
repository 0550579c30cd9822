/* compare_table: the tables, in Markdown that reads well in a terminal too. */
#include "learn/compare_table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- a table, its columns as wide as they need to be ---- */
void table_cell(struct table_text *t, const char *format, ...)
{
    va_list args;
    char text[1024];
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (t->count == t->cap) {
        t->cap = t->cap == 0 ? 64 : 2 * t->cap;
        t->cells = elm_realloc(t->cells, t->cap * sizeof(*t->cells));
    }
    /* a bar would end the cell */
    for (char *at = text; (at = strchr(at, '|')) != NULL;)
        *at = '/';
    t->cells[t->count++] = elm_strdup(text);
}

static void add_row(const struct table_text *t, uint32_t row, const size_t *widths,
                    struct elm_buf *out)
{
    for (uint32_t k = 0; k < t->columns; k++) {
        const char *cell = t->cells[row * t->columns + k];
        elm_buf_printf(out, "| %-*s ", (int)widths[k], cell);
    }
    elm_buf_printf(out, "|\n");
}

void table_end(struct table_text *t, struct elm_buf *out)
{
    size_t widths[TABLE_COLUMNS_MAX] = {0};
    ELM_ASSERT(t->columns <= TABLE_COLUMNS_MAX && t->count % t->columns == 0);
    for (uint32_t i = 0; i < t->count; i++) {
        size_t len = strlen(t->cells[i]), *width = &widths[i % t->columns];
        *width = len > *width ? len : *width;
    }
    for (uint32_t row = 0; row * t->columns < t->count; row++) {
        add_row(t, row, widths, out);
        for (uint32_t k = 0; row == 0 && k < t->columns; k++) {
            elm_buf_printf(out, "|-");
            for (size_t i = 0; i < widths[k]; i++)
                elm_buf_byte(out, '-');
            elm_buf_printf(out, k + 1 == t->columns ? "-|\n" : "-");
        }
    }
    for (uint32_t i = 0; i < t->count; i++)
        free(t->cells[i]);
    free(t->cells);
    *t = (struct table_text){0};
}

/* ---- numbers ---- */
struct short_number {
    char s[48];
};

static struct short_number number(double x)
{
    struct short_number out = {"-"};
    if (isinf(x))
        snprintf(out.s, sizeof(out.s), "never");
    else if (!isnan(x))
        snprintf(out.s, sizeof(out.s), x == floor(x) && x < 1e15 ? "%.0f" : "%.4g", x);
    return out;
}

static struct short_number p_value(double p)
{
    struct short_number out = {"-"};
    if (!isnan(p))
        snprintf(out.s, sizeof(out.s), p < 0.0001 ? "<0.0001" : "%.4f", p);
    return out;
}

static void percent_cell(struct table_text *t, struct elm_compare_value v)
{
    if (isnan(v.mean))
        table_cell(t, "-");
    else if (isnan(v.lo))
        table_cell(t, "%.1f", 100 * v.mean);
    else
        table_cell(t, "%.1f [%.1f, %.1f]", 100 * v.mean, 100 * v.lo, 100 * v.hi);
}

static void difference_cell(struct table_text *t, struct elm_compare_value v)
{
    if (isnan(v.mean))
        table_cell(t, "-");
    else if (isnan(v.lo))
        table_cell(t, "%+.1f", 100 * v.mean);
    else
        table_cell(t, "%+.1f [%+.1f, %+.1f]", 100 * v.mean, 100 * v.lo, 100 * v.hi);
}

/* "2,000" and so on would need care in a terminal's columns: plain digits, seconds with a unit. */
static void column_name(struct table_text *t, const struct elm_compare_result *r, uint32_t i)
{
    if (r->columns_cpu)
        table_cell(t, "solved %% @%.3g s", r->columns[i]);
    else
        table_cell(t, "solved %% @%.0f", r->columns[i]);
}

/* ---- tables ---- */
static void add_arms(const struct elm_compare_result *r, struct elm_buf *out)
{
    struct table_text t = {.columns = r->column_count + 6};
    table_cell(&t, "arm");
    for (uint32_t i = 0; i < r->column_count; i++)
        column_name(&t, r, i);
    table_cell(&t, "gain %%");
    table_cell(&t, "area %%");
    table_cell(&t, "median to solve");
    table_cell(&t, "CPU s a run");
    table_cell(&t, "abstains");
    for (uint32_t a = 0; a < r->arm_count; a++) {
        const struct elm_compare_arm_result *of = &r->of[a];
        table_cell(&t, "%s", r->arms[a].name);
        for (uint32_t i = 0; i < r->column_count; i++)
            percent_cell(&t, of->solved[i]);
        percent_cell(&t, of->gain);
        percent_cell(&t, of->area);
        if (isinf(of->median_evaluations))
            table_cell(&t, "beyond the budget");
        else
            table_cell(&t, "%s", number(of->median_evaluations).s);
        table_cell(&t, "%s", number(of->cpu_s).s);
        table_cell(&t, "%u of %u", of->abstained, r->problem_count);
    }
    table_end(&t, out);
}

static void add_differences(const struct elm_compare_result *r, struct elm_buf *out)
{
    static const char *const names[ELM_COMPARE_METRICS] = {"solved", "gain", "area"};
    struct table_text t = {.columns = 7};
    static const char *const head[] = {"against the first arm", "measure", "points [95 %]",
                                       "better/worse/equal", "p rank", "p Holm", "p signs"};
    for (size_t i = 0; i < ELM_COUNT(head); i++)
        table_cell(&t, "%s", head[i]);
    for (uint32_t a = 1; a < r->arm_count; a++) {
        for (int m = r->solvable > 0 ? 0 : 1; m < ELM_COMPARE_METRICS; m++) {
            const struct elm_compare_difference *d = &r->differences[a][m];
            table_cell(&t, "%s - %s", r->arms[a].name, r->arms[0].name);
            table_cell(&t, "%s", names[m]);
            difference_cell(&t, d->value);
            table_cell(&t, "%u/%u/%u", d->better, d->worse, d->equal);
            table_cell(&t, "%s", p_value(d->p).s);
            table_cell(&t, "%s", p_value(d->p_holm).s);
            table_cell(&t, "%s", p_value(d->p_signs).s);
        }
    }
    table_end(&t, out);
}

static void add_matches(const struct elm_compare_result *r, struct elm_buf *out)
{
    for (uint32_t a = 1; a < r->arm_count; a++) {
        const struct elm_compare_arm_result *of = &r->of[a];
        if (isfinite(of->evaluations_to_match))
            elm_buf_printf(out, "%s solves as many as %s in all after %s evaluations a run (%s), %s s of "
                           "CPU (%s).\n", r->arms[a].name, r->arms[0].name,
                           number(of->evaluations_to_match).s,
                           number(r->of[0].evaluations_to_match).s, number(of->cpu_s_to_match).s,
                           number(r->of[0].cpu_s_to_match).s);
    }
}

static void add_break_even(const struct elm_compare_result *r, struct elm_buf *out)
{
    for (uint32_t a = 1; a < r->arm_count; a++) {
        const struct elm_compare_break_even *b = &r->break_even[a];
        if (!(b->training_cpu_s > 0))
            continue;
        elm_buf_printf(out, "%s cost %.4g s of CPU more to make than %s: ", r->arms[a].name,
                       b->training_cpu_s, r->arms[0].name);
        if (isinf(b->problems))
            elm_buf_printf(out, "it never pays, for a problem solved takes %s s against %s s.\n",
                           number(r->of[a].cpu_s_per_solved).s,
                           number(r->of[0].cpu_s_per_solved).s);
        else
            elm_buf_printf(out, "paid after %.0f problems solved, %.4g s of CPU in all (%s s against "
                           "%s s for a problem solved).\n", ceil(b->problems), b->cpu_s,
                           number(r->of[a].cpu_s_per_solved).s,
                           number(r->of[0].cpu_s_per_solved).s);
    }
}

/* Problems with nothing to do, which count as solved. */
static void add_solved_seeds(const struct elm_compare_result *r, struct elm_buf *out)
{
    const char *first = NULL;
    uint32_t more = 0;
    for (uint32_t p = 0; p < r->problem_count; p++) {
        const struct elm_compare_problem *of = &r->problems[p];
        bool solved = false;
        for (uint32_t i = 0; i < r->arm_count * r->seeds; i++)
            solved |= of->cells[i].seed_fitness >= of->target;
        more += solved && first != NULL;
        first = solved && first == NULL ? of->name : first;
    }
    if (first == NULL)
        return;
    elm_buf_printf(out, "The seed of %s", first);
    if (more > 0)
        elm_buf_printf(out, " and of %u more", more);
    elm_buf_printf(out, " meets the target: solved at evaluation 0 by every arm that does not abstain, "
                        "if it holds on the audit cases.\n");
}

static void add_notes(const struct elm_compare *c, const struct elm_compare_result *r,
                      struct elm_buf *out)
{
    elm_buf_printf(out, "%u problem%s, %u with a target; %u seed%s an arm", r->problem_count,
                   r->problem_count == 1 ? "" : "s", r->solvable, r->seeds, r->seeds == 1 ? "" : "s");
    if (c->def.evaluations > 0)
        elm_buf_printf(out, "; %llu evaluations a run", (unsigned long long)c->def.evaluations);
    for (uint32_t a = 0; a < r->arm_count; a++) {
        if (r->arms[a].evaluations > 0)
            elm_buf_printf(out, "; %llu of %s", (unsigned long long)r->arms[a].evaluations,
                           r->arms[a].name);
    }
    if (c->def.cpu_s > 0)
        elm_buf_printf(out, "; %g s of CPU a run, which depends on the machine", c->def.cpu_s);
    if (c->def.tokens > 0)
        elm_buf_printf(out, "; %llu tokens a run", (unsigned long long)c->def.tokens);
    if (c->def.evaluation_s > 0)
        elm_buf_printf(out, "; %g ms of CPU added for each evaluation", c->def.evaluation_s * 1e3);
    elm_buf_printf(out, ".\n");
    if (r->seeds == 1 && r->problem_count == 1)
        elm_buf_printf(out, "One problem and one seed: no interval and no test can say anything.\n");
    else if (r->seeds == 1)
        elm_buf_printf(out, "One seed: the intervals are over problems only.\n");
    else if (r->problem_count == 1)
        elm_buf_printf(out, "One problem: intervals and tests are over its seeds, and say nothing of "
                       "other problems.\n");
    if (c->def.quality)
        elm_buf_printf(out, "Compared by QD: the sum over niches of the best fitness in each, above 0 or, "
                       "where that is lower, above the seed's.\n");
    add_solved_seeds(r, out);
    for (uint32_t a = 0; a < r->arm_count; a++) {
        for (uint32_t p = 0; p < r->problem_count && r->of[a].abstained > 0; p++) {
            const char *why = r->problems[p].why[a];
            if (why == NULL)
                continue;
            elm_buf_printf(out, "%s abstains on %s", r->arms[a].name, r->problems[p].name);
            if (r->of[a].abstained > 1)
                elm_buf_printf(out, " and %u more", r->of[a].abstained - 1);
            elm_buf_printf(out, ", which counts as not solved: %s.\n", why);
            break;
        }
    }
}

void elm_compare_table(struct elm_compare *c, struct elm_buf *out)
{
    const struct elm_compare_result *r = elm_compare_result(c);
    add_arms(r, out);
    elm_buf_byte(out, '\n');
    if (r->arm_count > 1) {
        add_differences(r, out);
        elm_buf_byte(out, '\n');
    }
    add_matches(r, out);
    add_break_even(r, out);
    add_notes(c, r, out);
}
