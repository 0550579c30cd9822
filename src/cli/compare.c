/* compare: configurations of the search against each other. */
#include "cli/command.h"
#include "cli/run.h"
#include "cli/text.h"
#include "elm/compare.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define EVALUATIONS_DEFAULT 2000
#define SEEDS_DEFAULT 3
#define LINE_US 5000000
#define SCREEN_US 200000

struct comparing {
    const struct invocation *v;
    struct elm_arena arena;
    struct elm_compare_arm arms[ELM_COMPARE_ARMS_MAX];
    struct elm_compare_def def;
    struct elm_compare *compare;
    struct elm_buf command;
    bool quiet, screen;
    int64_t started_us, shown_us;
    struct elm_compare_progress last;
};

static enum elm_status read_arms(struct comparing *c, struct elm_error *err)
{
    const char *at = opt_text(c->v, OPT_ARM);
    const char *models = opt_text(c->v, OPT_MODELS_PATH);
    if (at == NULL)
        return elm_fail(err, ELM_USAGE, "what is to be compared? give --arm for each, such as --arm "
                        "tree --arm semantic,tree");
    while (*at != '\0') {
        size_t len = strcspn(at, "\n");
        char *one = elm_arena_alloc(&c->arena, len + 1);
        memcpy(one, at, len);
        one[len] = '\0';
        if (c->def.arm_count == ELM_COMPARE_ARMS_MAX)
            return elm_fail(err, ELM_USAGE, "--arm: more than %d arms", ELM_COMPARE_ARMS_MAX);
        struct elm_compare_arm *a = &c->arms[c->def.arm_count++];
        ELM_TRY(elm_compare_arm_parse(one, &c->arena, a, err));
        a->model.models_path = models;
        at += len + (at[len] == '\n');
    }
    return ELM_OK;
}

static enum elm_status read_def(struct comparing *c, struct elm_error *err)
{
    const struct invocation *v = c->v;
    struct elm_compare_def *d = &c->def;
    *d = elm_default_compare_def();
    d->arms = c->arms;
    ELM_TRY(read_arms(c, err));
    d->problems = (const char *const *)v->args;
    d->problem_count = (uint32_t)v->arg_count;
    d->folder_of_problems = opt_text(v, OPT_PROBLEMS);
    if (opt_given(v, OPT_GENERATED))
        ELM_TRY(elm_compare_generated_parse(opt_text(v, OPT_GENERATED), &d->generated, err));
    d->problems_path = opt_text(v, OPT_PROBLEMS_PATH);
    d->quality = opt_on(v, OPT_QD);
    d->cpu_s = opt_real(v, OPT_CPU_SECONDS, 0);
    d->evaluation_s = opt_real(v, OPT_EVALUATION_MS, 0) / 1e3;
    d->tokens = opt_count(v, OPT_TOKENS, 0);
    bool other = d->cpu_s > 0 || d->tokens > 0;
    d->evaluations = opt_count(v, OPT_EVALUATIONS, other ? 0 : EVALUATIONS_DEFAULT);
    d->seeds = (uint32_t)opt_count(v, OPT_SEEDS, SEEDS_DEFAULT);
    d->seed = opt_count(v, OPT_SEED, 1);
    d->workers = (uint32_t)opt_count(v, OPT_WORKERS, 0);
    d->level = (int)opt_count(v, OPT_LEVEL, 0);
    d->unsafe = opt_on(v, OPT_UNSAFE);
    d->folder = opt_text(v, OPT_REPORT);
    return ELM_OK;
}

/* ---- progress ---- */
static void add_progress(const struct comparing *c, struct elm_buf *out)
{
    const struct elm_compare_progress *p = &c->last;
    double seconds = (double)(elm_clock_us() - c->started_us) / 1e6;
    uint32_t fresh = p->done - p->resumed;
    elm_buf_printf(out, "elm: %u of %u runs, %s", p->done, p->cells, text_time(seconds).s);
    if (fresh > 0 && p->done < p->cells)
        elm_buf_printf(out, ", about %s left", text_time(seconds / fresh * (p->cells - p->done)).s);
    if (p->arm != NULL)
        elm_buf_printf(out, ", last %s on %s", p->arm, p->problem);
}

static bool tick(void *ctx, const struct elm_compare_progress *p)
{
    struct comparing *c = ctx;
    int64_t now = elm_clock_us();
    c->last = *p;
    if (!c->quiet && now - c->shown_us >= (c->screen ? SCREEN_US : LINE_US)) {
        struct elm_buf line = {0};
        add_progress(c, &line);
        fprintf(stderr, c->screen ? "\r%s\033[K" : "%s\n", line.ptr);
        elm_buf_release(&line);
        c->shown_us = now;
    }
    return run_stopped() == 0;
}

/* ---- the end ---- */
static enum elm_status finish(struct comparing *c, struct elm_error *err)
{
    struct elm_buf out = {0}, where = {0};
    char date[32];
    time_t now = time(NULL);
    struct tm utc;
    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    text_machine(&where);
    struct elm_compare_about about = {c->command.ptr, date, where.ptr};
    if (opt_on(c->v, OPT_JSON))
        elm_compare_json(c->compare, &about, &out);
    else
        elm_compare_table(c->compare, &out);
    enum elm_status status = ELM_OK;
    if (c->def.folder != NULL)
        status = elm_compare_report(c->compare, &about, err);
    text_print(stdout, &out);
    if (status == ELM_OK && c->def.folder != NULL && !c->quiet) {
        fputs("elm: the report is ", stderr);
        text_put(stderr, elm_str(c->def.folder));
        fputs("/report.md\n", stderr);
    }
    elm_buf_release(&out);
    elm_buf_release(&where);
    return status;
}

static int stopped(const struct comparing *c)
{
    fprintf(stderr, "elm: stopped with %u of %u runs done", c->last.done, c->last.cells);
    if (c->def.folder != NULL) {
        fputs(", which are kept; go on with: ", stderr);
        text_print(stderr, &c->command);
        fputc('\n', stderr);
    } else {
        fputs("; without --report nothing is kept\n", stderr);
    }
    return 128 + run_stopped();
}

static int work(struct comparing *c)
{
    struct elm_error err = {0};
    enum elm_status status = elm_keeper_open(&c->def.keeper, &err);
    struct elm_keeper *keeper = c->def.keeper;
    if (status == ELM_OK) {
        run_catch_signals();
        status = read_def(c, &err);
        c->def.keeper = keeper;
    }
    if (status == ELM_OK)
        status = elm_compare_open(&c->def, &c->compare, &err);
    if (status == ELM_OK) {
        c->started_us = c->shown_us = elm_clock_us();
        status = elm_compare_run(c->compare, tick, c, &err);
        if (c->screen)
            fputs("\r\033[K", stderr);
    }
    if (status == ELM_STOPPED)
        return stopped(c);
    if (status == ELM_OK)
        status = finish(c, &err);
    return status == ELM_OK ? EXIT_DONE : cmd_fail(&err);
}

int cmd_compare(const struct invocation *v)
{
    struct comparing c = {.v = v, .quiet = opt_on(v, OPT_QUIET)};
    const char *term = getenv("TERM");
    c.screen = !c.quiet && isatty(STDERR_FILENO) && term != NULL && strcmp(term, "dumb") != 0;
    elm_buf_printf(&c.command, "elm");
    for (int i = 0; i < v->argc; i++) {
        elm_buf_byte(&c.command, ' ');
        text_shell(&c.command, v->argv[i]);
    }
    int exit_status = work(&c);
    elm_compare_close(c.compare);
    if (c.def.keeper != NULL)
        elm_keeper_close(c.def.keeper);
    elm_buf_release(&c.command);
    elm_arena_release(&c.arena);
    return exit_status;
}
