/* coevolve: a world of problems and programs goes on, and what has become of it. */
#include "cli/command.h"
#include "cli/json.h"
#include "cli/openness.h"
#include "cli/progress.h"
#include "cli/run.h"
#include "cli/text.h"

#include "elm/coevolve.h"

#include <stdio.h>
#include <string.h>

#define LINE_US 5000000
#define SCREEN_US 200000
#define ROWS 8                   /* of the table */
#define SHOWN 3                  /* solved problems whose texts are printed */

static const char *const news[ELM_COEVOLVE_NEWS] = {"mutated", "generated", "none", "mastered"};

struct evolving {
    const struct invocation *v;
    struct elm_coevolve_def def;
    struct elm_coevolve *world;
    struct elm_arena arena;
    enum progress_how how;
    uint64_t first;              /* evaluations at the start */
    int64_t started_us, drawn_us;
};

/* Without settings a world that is there goes on with its own. */
static enum elm_status read_def(struct evolving *e, struct elm_error *err)
{
    const struct invocation *v = e->v;
    struct elm_coevolve_def *d = &e->def;
    bool given = opt_given(v, OPT_SEED) || opt_given(v, OPT_COUNT) || opt_given(v, OPT_TARGETS) ||
                 opt_given(v, OPT_NEW_PROBLEMS);
    *d = elm_default_coevolve_def();
    if (!given) {
        struct elm_error why = {0};
        enum elm_status status = elm_coevolve_settings(v->args[0], &e->arena, d, &why);
        if (status != ELM_OK && status != ELM_NOT_FOUND)
            return elm_fail(err, status, "%s", why.message);
    }
    d->folder = v->args[0];
    d->evaluations = opt_count(v, OPT_EVALUATIONS, d->evaluations);
    if (!given)
        return ELM_OK;
    uint64_t count = opt_count(v, OPT_COUNT, d->problems);
    d->seed = opt_count(v, OPT_SEED, d->seed);
    d->problems = count > UINT32_MAX ? UINT32_MAX : (uint32_t)count;
    d->targets = opt_text(v, OPT_TARGETS);
    for (uint32_t i = 0; i < ELM_COUNT(news); i++) {
        if (opt_given(v, OPT_NEW_PROBLEMS) && strcmp(opt_text(v, OPT_NEW_PROBLEMS), news[i]) == 0)
            d->new_problems = (enum elm_coevolve_new)i;
    }
    return ELM_OK;
}

/* ---- progress ---- */
static void draw(struct evolving *e, const struct elm_coevolve_point *p)
{
    if (e->how == PROGRESS_JSON) {
        json_print(json_make("{sIsIsIsIsososo}", "evaluations", (json_int_t)p->evaluations, "made",
                             (json_int_t)p->made, "solved", (json_int_t)p->solved, "annecs",
                             (json_int_t)p->annecs, "best", json_number(p->best), "coverage",
                             json_number(p->coverage), "qd_score", json_number(p->qd)), stderr, true);
        return;
    }
    double seconds = (double)(elm_clock_us() - e->started_us) / 1e6;
    fprintf(stderr, "%selm: %s  %s evaluations, %s/s  %u problems made, %u solved, ANNECS %u, best %s%s",
            e->how == PROGRESS_SCREEN ? "\r" : "", text_time(seconds).s,
            text_count(p->evaluations).s,
            text_count((uint64_t)((double)(p->evaluations - e->first) / seconds)).s, p->made,
            p->solved, p->annecs, text_number(p->best).s,
            e->how == PROGRESS_SCREEN ? "\033[K" : "\n");
    fflush(stderr);
}

static bool tick(void *ctx, const struct elm_coevolve_point *now)
{
    struct evolving *e = ctx;
    int64_t at = elm_clock_us(), every = e->how == PROGRESS_SCREEN ? SCREEN_US : LINE_US;
    if (e->how != PROGRESS_NONE && at - e->drawn_us >= every) {
        e->drawn_us = at;
        draw(e, now);
    }
    return run_stopped() == 0;
}

/* ---- the end ---- */
static json_t *points_json(const struct evolving *e)
{
    uint32_t count;
    const struct elm_coevolve_point *p = elm_coevolve_points(e->world, &count);
    json_t *out = json_array();
    for (uint32_t i = 0; i < count; i++) {
        json_array_append_new(out, json_make("{sIsIsIsIsososo}", "evaluations",
                                             (json_int_t)p[i].evaluations, "made",
                                             (json_int_t)p[i].made, "solved",
                                             (json_int_t)p[i].solved, "annecs",
                                             (json_int_t)p[i].annecs, "best",
                                             json_number(p[i].best), "coverage",
                                             json_number(p[i].coverage), "qd_score",
                                             json_number(p[i].qd)));
    }
    return out;
}

static json_t *count_or_null(uint64_t n)
{
    return n > 0 ? json_integer((json_int_t)n) : json_null();
}

static json_t *problems_json(const struct evolving *e)
{
    json_t *out = json_array();
    for (uint32_t i = 0; i < elm_coevolve_problem_count(e->world); i++) {
        struct elm_coevolve_problem p = elm_coevolve_problem(e->world, i);
        bool has_parent = p.parent != ELM_COEVOLVE_PROBLEM_NONE;
        json_array_append_new(out, json_make("{sIsosIsIsososIsoso}", "number", (json_int_t)i,
                                             "parent", has_parent ? json_integer(p.parent)
                                                                  : json_null(),
                                             "depth", (json_int_t)p.depth, "made",
                                             (json_int_t)p.made, "solved", count_or_null(p.solved),
                                             "left", count_or_null(p.left), "nodes",
                                             (json_int_t)p.nodes, "target", json_text(p.target),
                                             "solver", p.solver.len > 0 ? json_text(p.solver)
                                                                        : json_null()));
    }
    return out;
}

static json_t *open_json(const struct elm_openness_report *r)
{
    json_t *out = openness_json(r);
    json_object_set_new(out, "points", openness_points_json(r));
    return out;
}

static void print_json(const struct evolving *e, const struct elm_openness_report *same,
                       const struct elm_openness_report *any)
{
    const struct elm_coevolve_def *d = &e->def;
    json_t *out = json_make("{sosIsIssso}", "folder", json_text(elm_str(d->folder)), "seed",
                            (json_int_t)d->seed, "count", (json_int_t)d->problems, "new_problems",
                            news[d->new_problems], "targets", json_text(elm_str(d->targets)));
    json_object_set_new(out, "hash", json_hash(elm_coevolve_hash(e->world)));
    json_object_set_new(out, "points", points_json(e));
    json_object_set_new(out, "problems", problems_json(e));
    json_object_set_new(out, "same_niches", open_json(same));
    json_object_set_new(out, "any_niches", open_json(any));
    json_print(out, stdout, false);
}

static void add_class(struct elm_buf *out, const char *name, const struct elm_openness_report *r)
{
    elm_buf_printf(out, "  %-16s%s\n  %-16s%s innovations adopted in the second half, %s in the shadows: "
                   "%s standard deviations\n", name, openness_class(r->class), "",
                   text_number(r->adopted).s, text_number(r->shadow_adopted).s,
                   text_number(r->excess).s);
}

static void add_table(struct elm_buf *out, const struct evolving *e)
{
    uint32_t count;
    const struct elm_coevolve_point *p = elm_coevolve_points(e->world, &count);
    uint32_t rows = count < ROWS ? count : ROWS;
    elm_buf_printf(out, "\n  %14s %8s %8s %8s %10s %10s %10s\n", "evaluations", "made", "solved",
                   "ANNECS", "best", "coverage", "QD score");
    for (uint32_t i = 0; i < rows; i++) {
        const struct elm_coevolve_point *at = &p[rows > 1 ? i * (count - 1) / (rows - 1) : 0];
        elm_buf_printf(out, "  %14s %8u %8u %8u %10s %10s %10s\n", text_count(at->evaluations).s,
                       at->made, at->solved, at->annecs, text_number(at->best).s,
                       text_percent(at->coverage).s, text_number(at->qd).s);
    }
}

static void add_solved(struct elm_buf *out, const struct evolving *e)
{
    uint32_t count = elm_coevolve_problem_count(e->world);
    uint64_t before = UINT64_MAX;
    for (int shown = 0; shown < SHOWN; shown++) {
        struct elm_coevolve_problem last = {0};
        uint32_t number = 0;
        for (uint32_t i = 0; i < count; i++) {
            struct elm_coevolve_problem p = elm_coevolve_problem(e->world, i);
            if (p.solved > last.solved && p.solved < before) {
                last = p;
                number = i;
            }
        }
        if (last.solved == 0)
            return;
        before = last.solved;
        elm_buf_printf(out, "\nproblem %u, %u mutations of targets deep, solved at %s: what is wanted, and "
                       "what was found\n\n", number, last.depth, text_count(last.solved).s);
        text_safe(out, last.target);
        elm_buf_byte(out, '\n');
        text_safe(out, last.solver);
    }
}

static void print_text(const struct evolving *e, const struct elm_openness_report *same,
                       const struct elm_openness_report *any)
{
    const struct elm_coevolve_def *d = &e->def;
    struct elm_buf out = {0};
    elm_buf_printf(&out, "world ");
    text_safe(&out, elm_str(d->folder));
    elm_buf_printf(&out, "\n  %-16s%u at a time, new ones: %s; seed %llu\n", "problems", d->problems,
                   news[d->new_problems], (unsigned long long)d->seed);
    add_class(&out, "class", same);
    add_class(&out, "by any deaths", any);
    add_table(&out, e);
    add_solved(&out, e);
    text_print(stdout, &out);
    elm_buf_release(&out);
}

static enum elm_status finish(const struct evolving *e, struct elm_error *err)
{
    struct elm_openness_report same = {0}, any = {0};
    enum elm_status status = elm_coevolve_openness(e->world, true, &same, err);
    if (status == ELM_OK)
        status = elm_coevolve_openness(e->world, false, &any, err);
    if (status == ELM_OK && opt_on(e->v, OPT_JSON))
        print_json(e, &same, &any);
    else if (status == ELM_OK)
        print_text(e, &same, &any);
    elm_openness_report_release(&same);
    elm_openness_report_release(&any);
    return status;
}

static int stopped(const struct evolving *e)
{
    fputs("elm: stopped; everything is kept, go on with: elm", stderr);
    struct elm_buf words = {0};
    for (int i = 0; i < e->v->argc; i++) {
        elm_buf_byte(&words, ' ');
        text_shell(&words, e->v->argv[i]);
    }
    text_print(stderr, &words);
    fputc('\n', stderr);
    elm_buf_release(&words);
    return 128 + run_stopped();
}

static int work(struct evolving *e)
{
    struct elm_error err = {0};
    run_catch_signals();
    enum elm_status status = read_def(e, &err);
    if (status == ELM_OK)
        status = elm_coevolve_open(&e->def, &e->world, &err);
    if (status == ELM_OK) {
        uint32_t count;
        const struct elm_coevolve_point *points = elm_coevolve_points(e->world, &count);
        e->first = points[count - 1].evaluations;
        e->started_us = e->drawn_us = elm_clock_us();
        status = elm_coevolve_run(e->world, tick, e, &err);
    }
    if (e->how == PROGRESS_SCREEN)
        fputs("\r\033[K", stderr);
    if (status == ELM_STOPPED)
        return stopped(e);
    if (status == ELM_OK)
        status = finish(e, &err);
    return status == ELM_OK ? EXIT_DONE : cmd_fail(&err);
}

int cmd_coevolve(const struct invocation *v)
{
    struct evolving e = {.v = v,
                         .how = progress_choose(opt_text(v, OPT_PROGRESS), opt_on(v, OPT_QUIET))};
    int exit_status = work(&e);
    elm_coevolve_close(e.world);
    elm_arena_release(&e.arena);
    return exit_status;
}
