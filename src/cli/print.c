/* print: programs, differences, curves and tables in text. */
#include "cli/print.h"

#include "cli/plot.h"
#include "cli/text.h"
#include "elm/diff.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CONTEXT 3
#define CURVE_WIDTH 60
#define CURVE_HEIGHT 9
#define LINEAGE_MAX 100000

static void add_line(struct elm_buf *out, const char *mark, struct elm_str line, const char *paint)
{
    elm_buf_printf(out, "%s%s", paint, mark);
    text_safe(out, line);
    elm_buf_printf(out, "%s\n", paint[0] != '\0' ? "\x1b[0m" : "");
}

struct sides {
    struct elm_str *a, *b;
    uint32_t a_count, b_count;
    bool colour;
};

/* Hunks first .. last - 1 lie so near to each other that they share their context. */
static void add_group(struct elm_buf *out, const struct sides *s, const struct elm_hunk *hunks,
                      uint32_t first, uint32_t last)
{
    const struct elm_hunk *h = &hunks[first], *end = &hunks[last - 1];
    uint32_t lead = h->a_first < CONTEXT ? h->a_first : CONTEXT;
    uint32_t a_end = end->a_first + end->a_count, b_end = end->b_first + end->b_count;
    uint32_t trail = s->a_count - a_end < CONTEXT ? s->a_count - a_end : CONTEXT;
    uint32_t a_first = h->a_first - lead, b_first = h->b_first - lead;
    uint32_t a_lines = a_end + trail - a_first, b_lines = b_end + trail - b_first;
    elm_buf_printf(out, "%s@@ -%u,%u +%u,%u @@%s\n", s->colour ? "\x1b[36m" : "",
                   a_first + (a_lines > 0), a_lines, b_first + (b_lines > 0), b_lines,
                   s->colour ? "\x1b[0m" : "");
    uint32_t at = a_first;
    for (; h <= end; h++) {
        for (; at < h->a_first; at++)
            add_line(out, " ", s->a[at], "");
        for (uint32_t i = 0; i < h->a_count; i++)
            add_line(out, "-", s->a[h->a_first + i], s->colour ? "\x1b[31m" : "");
        for (uint32_t i = 0; i < h->b_count; i++)
            add_line(out, "+", s->b[h->b_first + i], s->colour ? "\x1b[32m" : "");
        at = h->a_first + h->a_count;
    }
    for (; at < a_end + trail; at++)
        add_line(out, " ", s->a[at], "");
}

void print_diff(struct elm_buf *out, struct elm_str a, struct elm_str b, bool colour)
{
    struct elm_hunk *hunks;
    struct sides s = {.colour = colour};
    uint32_t count = elm_diff(a, b, &hunks);
    s.a_count = elm_lines(a, &s.a);
    s.b_count = elm_lines(b, &s.b);
    for (uint32_t first = 0, last; first < count; first = last) {
        last = first + 1;
        while (last < count && hunks[last].a_first - hunks[last - 1].a_first -
                                   hunks[last - 1].a_count <= 2 * CONTEXT)
            last++;
        add_group(out, &s, hunks, first, last);
    }
    free(hunks);
    free(s.a);
    free(s.b);
}

void print_program(struct elm_buf *out, struct elm_str text, uint32_t lines)
{
    struct elm_str *all;
    uint32_t count = elm_lines(text, &all);
    uint32_t shown = lines > 0 && count > lines ? lines : count;
    for (uint32_t i = 0; i < shown; i++) {
        if (all[i].len > 0)
            elm_buf_printf(out, "    ");
        text_safe(out, all[i]);
        elm_buf_byte(out, '\n');
    }
    if (shown < count)
        elm_buf_printf(out, "    ... and %u more lines\n", count - shown);
    free(all);
}

void print_curve(struct elm_buf *out, const struct stored_review *r)
{
    if (r->step_count == 0)
        return;
    double *x = elm_malloc(r->step_count * sizeof(*x)), *y = elm_malloc(r->step_count * sizeof(*y));
    for (uint32_t i = 0; i < r->step_count; i++) {
        x[i] = (double)r->steps[i].evaluation;
        y[i] = r->steps[i].fitness;
    }
    struct plot_steps steps = {.x = x, .y = y, .count = r->step_count,
                               .x_end = (double)r->evaluations, .x_name = "evaluations",
                               .width = CURVE_WIDTH, .height = CURVE_HEIGHT};
    plot_curve(out, &steps, plot_utf8());
    free(x);
    free(y);
}

void print_operators(struct elm_buf *out, const struct stored_review *r)
{
    elm_buf_printf(out, "  %-14s%12s %12s %9s %9s\n", "operator", "attempts", "evaluations",
                   "better", "admitted");
    for (uint32_t i = 0; i < r->operator_count; i++) {
        const struct stored_operator *o = &r->operators[i];
        double evaluations = o->evaluations == 0 ? NAN : (double)o->evaluations;
        elm_buf_printf(out, "  %-14.14s%12s %12s %9s %9s\n", o->name, text_count(o->attempts).s,
                       text_count(o->evaluations).s,
                       text_percent((double)o->better / evaluations).s,
                       text_percent((double)o->admitted / evaluations).s);
    }
}

void print_statuses(struct elm_buf *out, const struct stored_review *r)
{
    for (uint32_t i = 0; i < ELM_EVAL_STATUSES; i++) {
        if (r->by_status[i] == 0)
            continue;
        elm_buf_printf(out, "  %-16s%14s %9s\n", elm_eval_status_name((enum elm_eval_status)i),
                       text_count(r->by_status[i]).s,
                       text_percent((double)r->by_status[i] / (double)r->attempts).s);
    }
}

static bool copy_attempt(void *ctx, const struct elm_attempt *a)
{
    struct elm_attempt *out = ctx;
    *out = *a;
    out->edit = out->text = (struct elm_str){0};
    return false;
}

uint32_t print_lineage_ids(struct elm_store *store, int64_t id, struct elm_attempt **out)
{
    uint32_t count = 0;
    *out = NULL;
    while (id >= 0 && count < LINEAGE_MAX) {
        struct elm_attempt a = {.id = -1};
        if (elm_store_attempt(store, id, copy_attempt, &a, NULL) != ELM_OK || a.id != id)
            break;
        if ((count & (count - 1)) == 0)
            *out = elm_realloc(*out, (count == 0 ? 1 : count * 2u) * sizeof(**out));
        (*out)[count++] = a;
        if (a.parents[0] >= id)
            break;
        id = a.id == 0 ? -1 : a.parents[0];
    }
    for (uint32_t i = 0; i < count / 2; i++) {
        struct elm_attempt swapped = (*out)[i];
        (*out)[i] = (*out)[count - 1 - i];
        (*out)[count - 1 - i] = swapped;
    }
    return count;
}

void print_lineage(struct elm_buf *out, const struct stored_review *r, struct elm_store *store,
                   int64_t id, uint32_t rows_max)
{
    struct elm_attempt *line;
    uint32_t count = print_lineage_ids(store, id, &line);
    elm_buf_printf(out, "  %14s  %-12s %s\n", "program", "fitness", "made by");
    for (uint32_t i = 0; i < count; i++) {
        if (count > rows_max && i == rows_max / 2) {
            uint32_t skipped = count - rows_max;
            elm_buf_printf(out, "  %14s  %u more\n", "...", skipped);
            i += skipped - 1;
            continue;
        }
        const char *by = i == 0 ? "seed" : stored_operator_name(r, line[i].operator_index);
        if (line[i].flags & ELM_ATTEMPT_REMATCH)
            by = "rematch";
        elm_buf_printf(out, "  %14s  %-12s %s\n", text_count((uint64_t)line[i].id).s,
                       text_number(line[i].status == ELM_EVAL_OK ? line[i].fitness : NAN).s, by);
    }
    free(line);
}
