/* cycle: solve, train, gate, again. What is asked, then the rounds, then what they gave. */
#include "cli/command.h"
#include "cli/json.h"
#include "cli/progress.h"
#include "cli/run.h"
#include "cli/text.h"

#include "elm/cycle.h"
#include "elm/models.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_US 5000000
#define SCREEN_US 200000
#define GATE_NAMED 32            /* seeds are dearer than generated problems */
#define HELD_OUT_NAMED 5
#define INVERSIONS 0.3           /* share of the lessons, as of train */

struct cycling {
    const struct invocation *v;
    struct elm_cycle_def def;
    struct elm_cycle *cycle;
    struct elm_arena arena;
    struct elm_buf command, machine;
    char date[32];
    enum progress_how how;
    int64_t started_us, drawn_us;
};

static const char *keep(struct cycling *c, const char *text)
{
    char *copy = elm_arena_alloc(&c->arena, strlen(text) + 1);
    return strcpy(copy, text);
}

/* A name of a pulled model, a path, or one of the two words. */
static enum elm_status find_model(struct cycling *c, struct elm_error *err)
{
    const char *model = opt_text(c->v, OPT_MODEL);
    struct elm_buf path = {0};
    if (model == NULL)
        return ELM_OK;
    c->def.train.model = model;
    if (strcmp(model, "builtin") == 0 || strcmp(model, "random") == 0)
        return ELM_OK;
    enum elm_status status = elm_model_find(model, opt_text(c->v, OPT_MODELS_PATH), &path, err);
    if (status == ELM_OK)
        c->def.train.model = keep(c, path.ptr);
    elm_buf_release(&path);
    return status;
}

static enum elm_status read_corruptions(struct cycling *c, struct elm_error *err)
{
    const char *text = opt_text(c->v, OPT_CORRUPTIONS);
    unsigned lo, hi;
    int used = 0;
    if (text == NULL)
        return ELM_OK;
    bool digits = strspn(text, "0123456789-") == strlen(text);
    if (digits && sscanf(text, "%1u-%1u%n", &lo, &hi, &used) == 2 && text[used] == '\0') {
        c->def.corruptions_min = lo;
        c->def.corruptions_max = hi;
        return ELM_OK;
    }
    if (digits && sscanf(text, "%1u%n", &lo, &used) == 1 && text[used] == '\0') {
        c->def.corruptions_min = c->def.corruptions_max = lo;
        return ELM_OK;
    }
    return elm_fail(err, ELM_USAGE, "--corruptions: '%.40s' is not allowed; it takes a number from 1 to "
                    "8, or two such as 1-3", text);
}

static enum elm_status read_training(struct cycling *c, struct elm_error *err)
{
    const struct invocation *v = c->v;
    struct elm_train_def *t = &c->def.train;
    if (opt_given(v, OPT_TRAINER))
        t->trainer = opt_text(v, OPT_TRAINER);
    t->steps = opt_count(v, OPT_STEPS, t->steps);
    t->optimizer = opt_text(v, OPT_OPTIMIZER);
    t->schedule = opt_text(v, OPT_SCHEDULE);
    t->rate = (float)opt_real(v, OPT_RATE, 0);
    t->warmup = (float)opt_real(v, OPT_WARMUP, (double)t->warmup);
    t->batch = (uint32_t)opt_count(v, OPT_BATCH, 0);
    t->labels = opt_text(v, OPT_LABELS);
    t->inversions = (float)opt_real(v, OPT_INVERSIONS, INVERSIONS);
    t->width = (uint32_t)opt_count(v, OPT_WIDTH, 0);
    t->layers = (uint32_t)opt_count(v, OPT_LAYERS, 0);
    return find_model(c, err);
}

static enum elm_status read_def(struct cycling *c, struct elm_error *err)
{
    const struct invocation *v = c->v;
    struct elm_cycle_def *d = &c->def;
    const char *generated = opt_text(v, OPT_GENERATED);
    *d = elm_default_cycle_def();
    d->problems = (const char *const *)v->args;
    d->problem_count = (uint32_t)v->arg_count;
    d->generated = generated != NULL;
    if (d->generated && strcmp(generated, "functions") != 0)
        return elm_fail(err, ELM_USAGE, "--generated: '%.40s' is no family of a cycle; it takes: functions",
                        generated);
    d->folder = opt_text(v, OPT_OUT);
    d->rounds = (uint32_t)opt_count(v, OPT_ROUNDS, d->rounds);
    d->count = (uint32_t)opt_count(v, OPT_COUNT, d->count);
    d->seeds = (uint32_t)opt_count(v, OPT_SEEDS, d->seeds);
    d->evaluations = opt_count(v, OPT_EVALUATIONS, d->evaluations);
    d->gate = (uint32_t)opt_count(v, OPT_GATE, d->generated ? d->gate : GATE_NAMED);
    d->held_out = (uint32_t)opt_count(v, OPT_HELD_OUT, d->generated ? d->held_out : HELD_OUT_NAMED);
    if (opt_given(v, OPT_OPERATORS))
        d->operators = opt_text(v, OPT_OPERATORS);
    d->controls = opt_text(v, OPT_CONTROLS);
    d->seed = opt_count(v, OPT_SEED, d->seed);
    d->workers = (uint32_t)opt_count(v, OPT_WORKERS, 0);
    d->level = (int)opt_count(v, OPT_LEVEL, 0);
    d->unsafe = opt_on(v, OPT_UNSAFE);
    d->problems_path = opt_text(v, OPT_PROBLEMS_PATH);
    ELM_TRY(read_corruptions(c, err));
    return read_training(c, err);
}

static void fill_about(struct cycling *c)
{
    time_t now = time(NULL);
    struct tm utc;
    strftime(c->date, sizeof(c->date), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    text_machine(&c->machine);
    c->def.about = (struct elm_compare_about){c->command.ptr, c->date, c->machine.ptr};
}

/* ---- progress ---- */
static void add_ended(const struct elm_cycle_progress *p, struct elm_buf *out)
{
    const struct elm_cycle_round *r = p->ended;
    elm_buf_printf(out, "elm: round %u of %u: solved %s, better %s, ", p->round, p->rounds,
                   isnan(r->solved) ? "-" : text_percent(r->solved).s,
                   isnan(r->better) ? "-" : text_percent(r->better).s);
    if (!(r->trained > 0))
        elm_buf_printf(out, "nothing to learn from");
    else
        elm_buf_printf(out, "%s after %.0f pairs (%.0f better, %.0f worse)",
                       r->adopted > 0 ? "adopted" : "not adopted", r->pairs, r->wins, r->losses);
    if (r->arms > 0 && !isnan(r->arm[0].solved.mean))
        elm_buf_printf(out, ", report set %s", text_percent(r->arm[0].solved.mean).s);
    elm_buf_printf(out, ", CPU %.1f s", r->cpu_solve_s + r->cpu_train_s + r->cpu_gate_s);
}

static void add_line(const struct cycling *c, const struct elm_cycle_progress *p,
                     struct elm_buf *out)
{
    if (p->ended != NULL) {
        add_ended(p, out);
        return;
    }
    elm_buf_printf(out, "elm: %s  round %u of %u, %s: %s of %s",
                   text_time((double)(elm_clock_us() - c->started_us) / 1e6).s, p->round, p->rounds,
                   p->what, text_count((uint64_t)p->done).s, text_count((uint64_t)p->all).s);
    if (!isnan(p->loss))
        elm_buf_printf(out, ", loss %.4g", p->loss);
}

static void draw_json(const struct elm_cycle_progress *p)
{
    static const char *const steps[] = {"solve", "train", "gate", "measure", "end"};
    json_print(json_make("{sIsIsssssososo}", "round", (json_int_t)p->round, "rounds",
                         (json_int_t)p->rounds, "step", steps[p->step], "what", p->what, "done",
                         json_number(p->done), "all", json_number(p->all), "loss",
                         json_number(p->loss)), stderr, true);
}

static bool tick(void *ctx, const struct elm_cycle_progress *p)
{
    struct cycling *c = ctx;
    int64_t now = elm_clock_us(), every = c->how == PROGRESS_SCREEN ? SCREEN_US : LINE_US;
    if (c->how == PROGRESS_NONE || (p->ended == NULL && now - c->drawn_us < every))
        return run_stopped() == 0;
    c->drawn_us = now;
    if (c->how == PROGRESS_JSON) {
        draw_json(p);
        return run_stopped() == 0;
    }
    struct elm_buf line = {0};
    add_line(c, p, &line);
    if (c->how == PROGRESS_SCREEN)
        fprintf(stderr, "\r%s\033[K%s", line.ptr, p->ended != NULL ? "\n" : "");
    else
        fprintf(stderr, "%s\n", line.ptr);
    fflush(stderr);
    elm_buf_release(&line);
    return run_stopped() == 0;
}

/* ---- the end ---- */
static int finish(const struct cycling *c)
{
    struct elm_buf out = {0};
    if (opt_on(c->v, OPT_JSON))
        elm_cycle_json(c->cycle, &out);
    else
        elm_cycle_table(c->cycle, &out);
    text_print(stdout, &out);
    elm_buf_release(&out);
    if (c->how != PROGRESS_NONE && c->how != PROGRESS_JSON) {
        fputs("elm: the report is ", stderr);
        text_put(stderr, elm_str(c->def.folder));
        fputs("/report.md\n", stderr);
    }
    return EXIT_DONE;
}

static int stopped(const struct cycling *c)
{
    uint32_t rounds = 0;
    if (c->cycle != NULL)
        elm_cycle_rounds(c->cycle, &rounds);
    fprintf(stderr, "elm: stopped after %u of %u rounds; what is finished is kept, go on with: ",
            rounds, c->def.rounds);
    text_print(stderr, &c->command);
    fputc('\n', stderr);
    return 128 + run_stopped();
}

static int work(struct cycling *c)
{
    struct elm_error err = {0};
    struct elm_keeper *keeper = NULL;
    enum elm_status status = elm_keeper_open(&keeper, &err);
    if (status == ELM_OK) {
        run_catch_signals();
        status = read_def(c, &err);
        c->def.keeper = keeper;
        fill_about(c);
    }
    if (status == ELM_OK)
        status = elm_cycle_open(&c->def, &c->cycle, &err);
    if (status == ELM_OK) {
        c->started_us = c->drawn_us = elm_clock_us();
        status = elm_cycle_run(c->cycle, tick, c, &err);
    }
    if (c->how == PROGRESS_SCREEN)
        fputs("\r\033[K", stderr);
    if (status == ELM_STOPPED)
        return stopped(c);
    return status == ELM_OK ? finish(c) : cmd_fail(&err);
}

int cmd_cycle(const struct invocation *v)
{
    struct cycling c = {.v = v};
    c.how = progress_choose(opt_text(v, OPT_PROGRESS), opt_on(v, OPT_QUIET));
    elm_buf_printf(&c.command, "elm");
    for (int i = 0; i < v->argc; i++) {
        elm_buf_byte(&c.command, ' ');
        text_shell(&c.command, v->argv[i]);
    }
    int exit_status = work(&c);
    elm_cycle_close(c.cycle);
    if (c.def.keeper != NULL)
        elm_keeper_close(c.def.keeper);
    elm_buf_release(&c.command);
    elm_buf_release(&c.machine);
    elm_arena_release(&c.arena);
    return exit_status;
}
