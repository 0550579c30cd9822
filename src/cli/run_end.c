/*
 * run_end: what `elm run` leaves: the best program, evaluated again, its difference from the seed,
 * how it came about, the curve, the picture, and what to try next.
 */
#include "cli/command.h"
#include "cli/json.h"
#include "cli/plot.h"
#include "cli/print.h"
#include "cli/run.h"
#include "cli/text.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define PROGRAM_LINES 100
/* below this many evaluations a second, minimising would keep people waiting */
#define MINIMISE_RATE 200

struct ending {
    struct running *r;
    struct stored_review review;
    struct stored_programs programs;
    struct elm_best_report best;
    bool evaluated;                /* best is filled by elm_search_best */
    struct elm_error why;          /* else: why not */
    char *program_path, *picture_path;
};

static int exit_status_of(const struct running *r)
{
    if (r->signal != 0)
        return 128 + r->signal;
    bool missed = opt_given(r->v, OPT_TARGET) && !isnan(r->def.target) && r->end != ELM_END_TARGET;
    return missed ? EXIT_SHORT_OF_TARGET : EXIT_DONE;
}

static const char *end_name(const struct running *r)
{
    static const char *const names[] = {
        [ELM_END_BUDGET] = "budget", [ELM_END_TARGET] = "target", [ELM_END_STOPPED] = "stopped",
        [ELM_END_EXHAUSTED] = "exhausted",
    };
    return names[r->end];
}

static enum elm_status write_beside(const struct ending *e, const char *name,
                                    const struct elm_buf *text, char **path,
                                    struct elm_error *err)
{
    struct elm_buf full = {0};
    elm_buf_printf(&full, "%s/%s", e->r->folder, name);
    enum elm_status status = elm_file_write(full.ptr, elm_buf_str(text), err);
    if (status == ELM_OK)
        *path = full.ptr;
    else
        elm_buf_release(&full);
    return status;
}

/* What fails here is said, but nothing of the run is lost by it. */
static void evaluate_best(struct ending *e)
{
    struct running *r = e->r;
    bool minimise = r->problem->judge != ELM_JUDGE_COMMAND && r->progress.rate >= MINIMISE_RATE;
    e->evaluated = elm_search_best(r->keeper, r->folder, opt_text(r->v, OPT_PROBLEMS_PATH), -1,
                                   minimise, r->stats.level, &e->best, &e->why) == ELM_OK;
}

static enum elm_status read_run(struct ending *e, struct elm_error *err)
{
    struct running *r = e->r;
    ELM_TRY(stored_review(r->folder, &e->review, err));
    ELM_TRY(stored_programs_open(r->folder, opt_text(r->v, OPT_PROBLEMS_PATH), &e->programs, err));
    if (e->evaluated)
        return ELM_OK;
    struct stored_program p;
    ELM_TRY(stored_program_get(&e->programs, e->programs.best_id, &p, err));
    e->best = (struct elm_best_report){.id = e->programs.best_id, .text = p.text, .agrees = true};
    return ELM_OK;
}

static void keep_files(struct ending *e)
{
    struct elm_error err = {0};
    enum elm_status status = write_beside(e, "best.c", &e->best.text, &e->program_path, &err);
    if (status == ELM_OK && e->best.picture.len > 0)
        status = write_beside(e, "best.svg", &e->best.picture, &e->picture_path, &err);
    if (status != ELM_OK)
        cmd_fail(&err);
}

static void add_evaluation(struct elm_buf *out, const char *what, const struct elm_evaluation *e,
                           double seed)
{
    elm_buf_printf(out, "  %-22s", what);
    if (e->status != ELM_EVAL_OK) {
        elm_buf_printf(out, "%s ", elm_eval_status_name(e->status));
        text_safe(out, elm_str(e->why));
    } else {
        elm_buf_printf(out, "%-12s", text_number(e->fitness).s);
        if (e->cases > 0)
            elm_buf_printf(out, "%u of %u cases right", e->passed, e->cases);
        elm_buf_printf(out, "%sseed %s", e->cases > 0 ? "   " : "", text_number(seed).s);
    }
    elm_buf_byte(out, '\n');
}

static void add_headline(struct elm_buf *out, const struct ending *e)
{
    const struct running *r = e->r;
    const struct elm_search_stats *s = &r->stats;
    text_safe(out, elm_str(r->label));
    if (r->problem->judge == ELM_JUDGE_COMPARE) {
        elm_buf_printf(out, ": a chain of %s wins away from the seed, after %s evaluations",
                       text_number(s->archive.best).s, text_count(s->evaluations).s);
    } else {
        elm_buf_printf(out, ": fitness %s after %s evaluations; the seed has %s",
                       text_number(s->archive.best).s, text_count(s->evaluations).s,
                       text_number(s->seed_fitness).s);
    }
    static const char *const ends[] = {
        [ELM_END_BUDGET] = "", [ELM_END_TARGET] = "; target reached",
        [ELM_END_STOPPED] = "", [ELM_END_EXHAUSTED] = "; nothing new was left to try",
    };
    elm_buf_printf(out, "%s\n", ends[r->end]);
    if (!isnan(r->problem->best_known)) {
        elm_buf_printf(out, "  best known            %s", text_number(r->problem->best_known).s);
        if (r->problem->best_known_source != NULL) {
            elm_buf_printf(out, " (");
            text_safe(out, elm_str(r->problem->best_known_source));
            elm_buf_printf(out, ")");
        }
        elm_buf_printf(out, "\n");
    }
}

static void add_checks(struct elm_buf *out, const struct ending *e)
{
    const struct elm_best_report *b = &e->best;
    if (!e->evaluated) {
        elm_buf_printf(out, "  not evaluated again: ");
        text_safe(out, elm_str(e->why.message));
        elm_buf_printf(out, "\n");
        return;
    }
    if (e->r->problem->judge != ELM_JUDGE_COMPARE) {
        add_evaluation(out, "evaluated again", &b->scored, b->seed_scored);
        if (e->r->problem->judge != ELM_JUDGE_COMMAND)
            add_evaluation(out, "on cases never used", &b->audit, b->seed_audit);
    } else {
        elm_buf_printf(out, "  against the seed      %s, on cases never used %s\n",
                       b->scored.compared > 0 ? "better" : "not better",
                       b->audit.compared > 0 ? "better" : "not better");
    }
    if (!b->agrees)
        elm_buf_printf(out, "  under gcc -O2         it scores otherwise: suspect\n");
}

static void add_programs(struct elm_buf *out, const struct ending *e, bool colour)
{
    const struct elm_best_report *b = &e->best;
    elm_buf_printf(out, "\nthe best program, number %s", text_count((uint64_t)b->id).s);
    if (b->hunks_before > b->hunks_after) {
        elm_buf_printf(out, ", without %u of its %u changes that it does not need",
                       b->hunks_before - b->hunks_after, b->hunks_before);
    }
    elm_buf_printf(out, "\n\n");
    print_program(out, elm_buf_str(&b->text), PROGRAM_LINES);
    elm_buf_printf(out, "\nwhat it changed in the seed\n\n");
    size_t before = out->len;
    print_diff(out, elm_str(e->r->problem->seed_text), elm_buf_str(&b->text), colour);
    if (out->len == before)
        elm_buf_printf(out, "  nothing yet\n");
}

static void add_hint(struct elm_buf *out, const char *command, const char *what)
{
    int pad = 50 - (int)strlen(command);
    elm_buf_printf(out, "  %s%*s %s\n", command, pad > 0 ? pad : 0, "", what);
}

static void add_next(struct elm_buf *out, const struct ending *e)
{
    const struct running *r = e->r;
    struct elm_buf folder = {0}, line = {0};
    text_shell(&folder, r->folder);
    elm_buf_printf(out, "\nwhat to try next\n");
    if (r->end == ELM_END_BUDGET && r->def.minutes > 0)
        elm_buf_printf(&line, "elm run %s --minutes %g", folder.ptr, r->def.minutes * 10);
    else if (r->end == ELM_END_BUDGET)
        elm_buf_printf(&line, "elm run %s --evaluations %llu", folder.ptr,
                       (unsigned long long)r->def.evaluations * 10);
    else
        elm_buf_printf(&line, "elm problems");
    add_hint(out, line.ptr, r->end == ELM_END_BUDGET ? "go on where it stopped" : "harder ones");
    static const struct { const char *command, *options, *what; } hints[] = {
        {"best", "", "a folder that builds and scores without elm"},
        {"show", "", "the archive, the operators, every program"},
    };
    for (size_t i = 0; i < ELM_COUNT(hints); i++) {
        elm_buf_clear(&line);
        elm_buf_printf(&line, "elm %s %s%s", hints[i].command, folder.ptr, hints[i].options);
        add_hint(out, line.ptr, hints[i].what);
    }
    add_hint(out, "elm new mine", "a problem of your own, ready to run");
    elm_buf_release(&folder);
    elm_buf_release(&line);
}

static void add_place(struct elm_buf *out, const char *what, const char *path)
{
    if (path == NULL)
        return;
    elm_buf_printf(out, "  %-10s", what);
    text_safe(out, elm_str(path));
    elm_buf_byte(out, '\n');
}

/* While cages were at work a broken pipe had to be survived; from here on it ends us quietly. */
static void leave_pipes(void)
{
    signal(SIGPIPE, SIG_DFL);
}

static void print_text(struct ending *e)
{
    const struct running *r = e->r;
    struct elm_buf out = {0};
    bool colour = progress_colour(stdout);
    elm_buf_printf(&out, "\n");
    add_headline(&out, e);
    add_checks(&out, e);
    add_programs(&out, e, colour);
    elm_buf_printf(&out, "\nhow it came about\n\n");
    print_story(&out, &e->review, &e->programs, e->best.id, colour);
    elm_buf_printf(&out, "\n%s over evaluations\n\n",
                   r->problem->judge == ELM_JUDGE_COMPARE ? "longest chain of wins"
                                                          : "best fitness");
    print_curve(&out, &e->review);
    elm_buf_printf(&out, "\n");
    print_operators(&out, &e->review);
    elm_buf_printf(&out, "\n");
    add_place(&out, "picture", e->picture_path);
    add_place(&out, "program", e->program_path);
    add_place(&out, "run", r->folder);
    elm_buf_printf(&out, "            %s, archive hash %016llx\n",
                   text_bytes((uint64_t)e->review.file_bytes).s, (unsigned long long)r->hash);
    add_next(&out, e);
    text_print(stdout, &out);
    elm_buf_release(&out);
}

static int print_json_document(const struct ending *e)
{
    const struct running *r = e->r;
    const struct elm_best_report *b = &e->best;
    json_t *out = print_review_json(&e->review);
    json_t *best = json_make("{sIsosososo}", "program", (json_int_t)b->id, "fitness",
                             json_number(r->stats.archive.best), "text",
                             json_text(elm_buf_str(&b->text)), "file",
                             json_text(elm_str(e->program_path)), "picture",
                             json_text(elm_str(e->picture_path)));
    if (e->evaluated) {
        json_object_update_new(best, json_make(
            "{sososososbsisi}", "scored", print_evaluation_json(&e->programs, &b->scored), "audit",
            print_evaluation_json(&e->programs, &b->audit), "seed_scored",
            json_number(b->seed_scored), "seed_audit", json_number(b->seed_audit), "agrees",
            (int)b->agrees, "hunks", (int)b->hunks_after, "hunks_removed",
            (int)(b->hunks_before - b->hunks_after)));
    }
    struct elm_buf again = {0};
    run_again(r, &again);
    json_object_update_new(out, json_make(
        "{sssosososo sIsb}", "end", end_name(r), "hash", json_hash(r->hash), "seed_fitness",
        json_number(r->stats.seed_fitness), "again", json_text(elm_buf_str(&again)), "best", best,
        "first_candidate_us", (json_int_t)r->stats.first_candidate_us, "resumed",
        (int)r->def.resume));
    elm_buf_release(&again);
    return json_print(out, stdout, false);
}

/* After Ctrl-C nothing slow: what was reached, and how to go on. */
static int print_stopped(const struct running *r)
{
    struct elm_buf again = {0};
    run_again(r, &again);
    if (opt_on(r->v, OPT_JSON)) {
        json_print(json_make("{sssosIsosososo}", "end", end_name(r), "folder",
                             json_text(elm_str(r->folder)), "evaluations",
                             (json_int_t)r->stats.evaluations, "fitness",
                             json_number(r->stats.archive.best), "seed_fitness",
                             json_number(r->stats.seed_fitness), "hash", json_hash(r->hash),
                             "again", json_text(elm_buf_str(&again))), stdout, false);
    } else {
        printf("stopped and saved: %s %s after %s evaluations, in ",
               r->problem->judge == ELM_JUDGE_COMPARE ? "wins in a row" : "fitness",
               text_number(r->stats.archive.best).s, text_count(r->stats.evaluations).s);
        text_put(stdout, elm_str(r->folder));
        printf("\ngo on with: %s\n", again.ptr);
    }
    elm_buf_release(&again);
    return exit_status_of(r);
}

int run_end(struct running *r)
{
    if (r->signal != 0) {
        leave_pipes();
        return print_stopped(r);
    }
    struct ending e = {.r = r};
    struct elm_error err = {0};
    evaluate_best(&e);
    int exit_status = exit_status_of(r);
    if (read_run(&e, &err) == ELM_OK) {
        keep_files(&e);
        leave_pipes();
        if (opt_on(r->v, OPT_JSON))
            print_json_document(&e);
        else
            print_text(&e);
    } else {
        exit_status = cmd_fail(&err);
    }
    elm_buf_release(&e.best.text);
    elm_buf_release(&e.best.picture);
    free(e.program_path);
    free(e.picture_path);
    stored_programs_close(&e.programs);
    stored_review_release(&e.review);
    return exit_status;
}
