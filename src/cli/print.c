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
#define STORY_STEPS 8
#define STORY_LINES 3

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
    elm_buf_printf(out, "  %-14s%12s %12s %9s %9s %13s\n", "operator", "attempts", "evaluations",
                   "better", "admitted", "of all better");
    double all_better = 0;
    for (uint32_t i = 0; i < r->operator_count; i++)
        all_better += (double)r->operators[i].better;
    for (uint32_t i = 0; i < r->operator_count; i++) {
        const struct stored_operator *o = &r->operators[i];
        double evaluations = o->evaluations == 0 ? NAN : (double)o->evaluations;
        elm_buf_printf(out, "  %-14.14s%12s %12s %9s %9s %13s\n", o->name,
                       text_count(o->attempts).s, text_count(o->evaluations).s,
                       text_percent((double)o->better / evaluations).s,
                       text_percent((double)o->admitted / evaluations).s,
                       text_percent((double)o->better / all_better).s);
    }
}

void print_call(struct elm_buf *out, const struct elm_call *c)
{
    static const char *const ends[] = {"no answer", "ended by itself", "cut off"};
    elm_buf_printf(out, "\nwhat the model was asked: %u tokens\n\n", c->prompt_tokens);
    print_program(out, c->prompt, 0);
    elm_buf_printf(out, "\nwhat it answered: %u tokens, %s", c->tokens,
                   c->end < ELM_COUNT(ends) ? ends[c->end] : "");
    if (c->money > 0)
        elm_buf_printf(out, ", cost %s", text_number(c->money).s);
    if (c->why.len > 0) {
        elm_buf_printf(out, ": ");
        text_safe(out, c->why);
    }
    elm_buf_printf(out, "\n\n");
    if (c->answer.len > 0)
        print_program(out, c->answer, 0);
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

struct rise {
    uint32_t at;        /* in the lineage */
    double gain;
};

static void add_changed_lines(struct elm_buf *out, const char *mark, const char *paint,
                              const struct elm_str *lines, uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count && i < STORY_LINES; i++) {
        elm_buf_printf(out, "    ");
        add_line(out, mark, lines[first + i], paint);
    }
    if (count > STORY_LINES)
        elm_buf_printf(out, "    %s and %u more\n", mark, count - STORY_LINES);
}

static void add_changes(struct elm_buf *out, struct elm_str a, struct elm_str b, bool colour)
{
    struct elm_hunk *hunks;
    struct elm_str *la, *lb;
    uint32_t count = elm_diff(a, b, &hunks);
    elm_lines(a, &la);
    elm_lines(b, &lb);
    for (uint32_t i = 0; i < count; i++) {
        const struct elm_hunk *h = &hunks[i];
        add_changed_lines(out, "-", colour ? "\x1b[31m" : "", la, h->a_first, h->a_count);
        add_changed_lines(out, "+", colour ? "\x1b[32m" : "", lb, h->b_first, h->b_count);
    }
    free(hunks);
    free(la);
    free(lb);
}

/* Under a comparison judge the fitness is the length of a chain of wins. */
static const char *fitness_word(const struct stored_programs *p)
{
    return p->problem != NULL && p->problem->judge == ELM_JUDGE_COMPARE ? "wins" : "fitness";
}

static void add_rise(struct elm_buf *out, const struct stored_review *r, struct stored_programs *p,
                     const struct elm_attempt *parent, const struct elm_attempt *child, bool colour)
{
    struct stored_program a, b;
    elm_buf_printf(out, "  %s %-12s program %s, by %s\n", fitness_word(p),
                   text_number(child->fitness).s, text_count((uint64_t)child->id).s,
                   stored_operator_name(r, child->operator_index));
    if (stored_program_get(p, parent->id, &a, NULL) != ELM_OK)
        return;
    if (stored_program_get(p, child->id, &b, NULL) == ELM_OK) {
        add_changes(out, elm_buf_str(&a.text), elm_buf_str(&b.text), colour);
        stored_program_release(&b);
    }
    stored_program_release(&a);
}

/* Keeps the STORY_STEPS largest gains, in their order. Returns how many are left. */
static uint32_t keep_largest(struct rise *rises, uint32_t count)
{
    while (count > STORY_STEPS) {
        uint32_t least = 0;
        for (uint32_t i = 1; i < count; i++) {
            if (rises[i].gain < rises[least].gain)
                least = i;
        }
        count--;
        memmove(&rises[least], &rises[least + 1], (count - least) * sizeof(rises[0]));
    }
    return count;
}

void print_story(struct elm_buf *out, const struct stored_review *r, struct stored_programs *p,
                 int64_t id, bool colour)
{
    struct elm_attempt *line;
    uint32_t count = print_lineage_ids(p->store, id, &line), rise_count = 0;
    struct rise *rises = elm_malloc((count + 1) * sizeof(*rises));
    double best = count > 0 ? line[0].fitness : 0;
    for (uint32_t i = 1; i < count; i++) {
        if (line[i].status == ELM_EVAL_OK && line[i].fitness > best) {
            rises[rise_count++] = (struct rise){i, line[i].fitness - best};
            best = line[i].fitness;
        }
    }
    if (count > 0) {
        elm_buf_printf(out, "  %s %-12s the seed\n", fitness_word(p),
                       text_number(line[0].fitness).s);
    }
    uint32_t shown = keep_largest(rises, rise_count);
    for (uint32_t i = 0; i < shown; i++)
        add_rise(out, r, p, &line[rises[i].at - 1], &line[rises[i].at], colour);
    if (rise_count > shown)
        elm_buf_printf(out, "  and %u smaller steps up\n", rise_count - shown);
    if (count > rise_count + 1) {
        elm_buf_printf(out, "  and %u steps sideways between them, which kept or lost fitness and "
                       "opened a way\n", count - rise_count - 1);
    }
    free(rises);
    free(line);
}
