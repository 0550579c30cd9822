/* best: a program of a run in a folder of its own, that builds and scores without elm. */
#include "cli/command.h"
#include "cli/json.h"
#include "cli/print.h"
#include "cli/scorer.h"
#include "cli/text.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define JUDGE_BYTES_MAX (1 << 20)

struct bundle {
    const struct invocation *v;
    struct elm_keeper *keeper;
    char *run, *folder;
    struct elm_problem *problem;
    struct stored_programs programs;
    struct stored_review review;
    struct elm_best_report report;
    struct elm_buf seed;
};

/* RUN-best, or what -o says. A folder that stands there must be an earlier export. */
static enum elm_status choose_folder(struct bundle *b, struct elm_error *err)
{
    struct elm_buf path = {0};
    if (opt_given(b->v, OPT_OUTPUT)) {
        elm_buf_printf(&path, "%s", opt_text(b->v, OPT_OUTPUT));
    } else {
        char *real = realpath(b->run, NULL);
        bool dotted = b->run[strlen(b->run) - 1] == '.';
        elm_buf_printf(&path, "%s", dotted && real != NULL ? real : b->run);
        while (path.len > 1 && path.ptr[path.len - 1] == '/')
            path.ptr[--path.len] = '\0';
        elm_buf_printf(&path, "-best");
        free(real);
    }
    b->folder = path.ptr;
    DIR *dir = opendir(b->folder);
    bool empty = true, ours = false;
    for (struct dirent *e = dir == NULL ? NULL : readdir(dir); e != NULL; e = readdir(dir)) {
        empty &= strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
        ours |= strcmp(e->d_name, "report.json") == 0;
    }
    if (dir != NULL)
        closedir(dir);
    if (!empty && !ours) {
        return elm_fail(err, ELM_USAGE, "the folder '%s' holds other things; --output names "
                        "another", b->folder);
    }
    return ELM_OK;
}

static enum elm_status make_folder(const char *path, struct elm_error *err)
{
    if (mkdir(path, 0777) == 0 || errno == EEXIST)
        return ELM_OK;
    return elm_fail(err, ELM_IO, "cannot make the folder '%s': %s", path, strerror(errno));
}

static enum elm_status write_file(const struct bundle *b, const char *name, struct elm_str bytes,
                                  struct elm_error *err)
{
    struct elm_buf path = {0};
    elm_buf_printf(&path, "%s/%s", b->folder, name);
    enum elm_status status = elm_file_write(path.ptr, bytes, err);
    elm_buf_release(&path);
    return status;
}

static json_t *report_json(const struct bundle *b)
{
    const struct elm_best_report *r = &b->report;
    struct elm_attempt *line;
    uint32_t count = print_lineage_ids(b->programs.store, r->id, &line);
    json_t *lineage = json_array();
    for (uint32_t i = 0; i < count; i++)
        json_array_append_new(lineage, json_integer(line[i].id));
    free(line);
    json_t *out = json_make("{sssosososIso}", "elm", ELM_VERSION, "run", json_text(elm_str(b->run)),
                            "problem", json_text(elm_str(b->problem->name)), "variant",
                            json_text(elm_str(b->problem->variant)), "program", (json_int_t)r->id,
                            "lineage", lineage);
    bool gcc = b->problem->judge != ELM_JUDGE_COMMAND && !b->problem->needs_steps;
    json_object_update_new(out, json_make(
        "{sososososososbsisisosb}", "seed", json_text(elm_str(b->review.about.seed)), "scored",
        print_evaluation_json(&b->programs, &r->scored), "audit",
        print_evaluation_json(&b->programs, &r->audit), "gcc",
        gcc ? print_evaluation_json(&b->programs, &r->scored_gcc) : json_null(), "seed_scored",
        json_number(r->seed_scored), "seed_audit", json_number(r->seed_audit), "agrees",
        (int)r->agrees, "hunks", (int)r->hunks_after, "hunks_removed",
        (int)(r->hunks_before - r->hunks_after), "best_known", json_number(b->problem->best_known),
        "minimised", (int)opt_on(b->v, OPT_MINIMISE)));
    json_object_set_new(out, "folder", json_text(elm_str(b->folder)));
    json_object_set_new(out, "picture", json_boolean(r->picture.len > 0));
    return out;
}

static void add_row(struct elm_buf *out, const char *what, const struct elm_evaluation *e,
                    double seed, bool compare)
{
    elm_buf_printf(out, "| %s | ", what);
    if (e->status != ELM_EVAL_OK)
        elm_buf_printf(out, "%s | - | - |\n", elm_eval_status_name(e->status));
    else if (compare)
        elm_buf_printf(out, "%s the seed | - | %u of %u |\n",
                       e->compared > 0 ? "better than" : "not better than", e->passed, e->cases);
    else
        elm_buf_printf(out, "%.9g | %.9g | %u of %u |\n", e->fitness, seed, e->passed, e->cases);
}

static void fill_readme(struct elm_buf *out, const struct bundle *b)
{
    const struct elm_problem *p = b->problem;
    const struct elm_best_report *r = &b->report;
    bool compare = p->judge == ELM_JUDGE_COMPARE;
    elm_buf_printf(out, "# %s: a program found by elm %s\n\n%s\n\n"
                   "Program %lld of the run `%s`.%s\n\n"
                   "| cases | fitness | the seed's | cases right |\n|---|---|---|---|\n", p->name,
                   ELM_VERSION, p->summary, (long long)r->id, b->run,
                   opt_on(b->v, OPT_MINIMISE)
                       ? " Changes that the fitness does not need were taken out." : "");
    add_row(out, "scored", &r->scored, r->seed_scored, compare);
    if (p->judge != ELM_JUDGE_COMMAND)
        add_row(out, "audit (never used in the search)", &r->audit, r->seed_audit, compare);
    if (!r->agrees)
        elm_buf_printf(out, "\nUnder gcc -O2 it scores otherwise: treat it as suspect.\n");
    elm_buf_printf(out, "\n## Build and score\n\n");
    if (p->judge == ELM_JUDGE_COMMAND) {
        elm_buf_printf(out, "It was scored by the command `%s`, larger is better: put `program.c` "
                       "in the place of\n`%s/%s` and run that command there.\n", p->score_command,
                       p->folder, p->name);
    } else if (scorer_possible(p)) {
        elm_buf_printf(out, "    make\n\nneeds gcc and make, and nothing of elm. `main.c` makes "
                       "the same cases, calls the program and lets\n`judge.c` score it.%s\n",
                       p->needs_steps ? " The steps that the judge weighs were counted by elm's "
                                        "virtual\nmachine; they stand in `main.c` as numbers."
                                      : "");
    } else {
        elm_buf_printf(out, "The judge %s: `elm best` scores it again.\n",
                       p->rounds > 0 ? "has two programs play each other"
                                     : "compares steps that only elm's virtual machine counts");
    }
    elm_buf_printf(out, "\n## Files\n\n- `program.c` the program, `seed.c` what it came from, "
                   "`changes.diff` the difference\n- `report.json` the figures above and more\n");
    if (scorer_possible(p))
        elm_buf_printf(out, "- `judge.c`, `elm/judge.h`, `main.c`, `Makefile` the scorer\n");
    if (r->picture.len > 0)
        elm_buf_printf(out, "- `picture.svg` as the judge draws it\n");
}

/* The headers beside judge.c that it may include. */
static enum elm_status write_headers(const struct bundle *b, struct elm_error *err)
{
    struct elm_buf path = {0}, text = {0};
    struct dirent **entries = NULL;
    enum elm_status status = ELM_OK;
    int count = scandir(b->problem->folder, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        size_t len = strlen(entries[i]->d_name);
        if (status == ELM_OK && len > 2 && strcmp(entries[i]->d_name + len - 2, ".h") == 0) {
            elm_buf_clear(&path);
            elm_buf_clear(&text);
            elm_buf_printf(&path, "%s/%s", b->problem->folder, entries[i]->d_name);
            status = elm_file_read(path.ptr, JUDGE_BYTES_MAX, &text, err);
            if (status == ELM_OK)
                status = write_file(b, entries[i]->d_name, elm_buf_str(&text), err);
        }
        free(entries[i]);
    }
    free(entries);
    elm_buf_release(&path);
    elm_buf_release(&text);
    return status;
}

static enum elm_status write_scorer(const struct bundle *b, struct elm_error *err)
{
    if (!scorer_possible(b->problem))
        return ELM_OK;
    ELM_TRY(write_headers(b, err));
    struct elm_buf path = {0}, judge = {0}, text = {0};
    elm_buf_printf(&path, "%s/judge.c", b->problem->folder);
    enum elm_status status = ELM_OK;
    if (b->problem->by_reference)
        elm_judge_text(b->problem, &judge);
    else
        status = elm_file_read(path.ptr, JUDGE_BYTES_MAX, &judge, err);
    if (status == ELM_OK)
        status = write_file(b, "judge.c", elm_buf_str(&judge), err);
    elm_buf_clear(&path);
    elm_buf_printf(&path, "%s/elm", b->folder);
    if (status == ELM_OK)
        status = make_folder(path.ptr, err);
    if (status == ELM_OK)
        status = write_file(b, "elm/judge.h", scorer_judge_header(), err);
    scorer_main(&text, b->problem, &b->report);
    if (status == ELM_OK)
        status = write_file(b, "main.c", elm_buf_str(&text), err);
    elm_buf_clear(&text);
    scorer_makefile(&text, b->problem);
    if (status == ELM_OK)
        status = write_file(b, "Makefile", elm_buf_str(&text), err);
    elm_buf_release(&path);
    elm_buf_release(&judge);
    elm_buf_release(&text);
    return status;
}

/* `-o -` and `-o FILE.c`: the program alone, such as `elm train --optimizer` takes. */
static bool is_alone(const struct invocation *v)
{
    const char *to = opt_given(v, OPT_OUTPUT) ? opt_text(v, OPT_OUTPUT) : "";
    const size_t len = strlen(to);
    return strcmp(to, "-") == 0 || (len > 2 && strcmp(to + len - 2, ".c") == 0);
}

static enum elm_status write_alone(const struct bundle *b, struct elm_error *err)
{
    const char *to = opt_text(b->v, OPT_OUTPUT);
    if (strcmp(to, "-") != 0)
        return elm_file_write(to, elm_buf_str(&b->report.text), err);
    if (fwrite(b->report.text.ptr, 1, b->report.text.len, stdout) != b->report.text.len ||
        fflush(stdout) != 0)
        return elm_fail(err, ELM_IO, "cannot write the program: %s", strerror(errno));
    return ELM_OK;
}

/* report.json comes last: a folder without it was not finished. */
static enum elm_status write_bundle(const struct bundle *b, struct elm_error *err)
{
    const struct elm_best_report *r = &b->report;
    ELM_TRY(make_folder(b->folder, err));
    ELM_TRY(write_file(b, "program.c", elm_buf_str(&r->text), err));
    ELM_TRY(write_file(b, "seed.c", elm_buf_str(&b->seed), err));
    struct elm_buf text = {0};
    print_diff(&text, elm_buf_str(&b->seed), elm_buf_str(&r->text), false);
    struct elm_buf diff = {0};
    elm_buf_printf(&diff, "--- seed.c\n+++ program.c\n%s", text.ptr == NULL ? "" : text.ptr);
    enum elm_status status = write_file(b, "changes.diff", elm_buf_str(&diff), err);
    elm_buf_release(&diff);
    if (status == ELM_OK && r->picture.len > 0)
        status = write_file(b, "picture.svg", elm_buf_str(&r->picture), err);
    if (status == ELM_OK)
        status = write_scorer(b, err);
    elm_buf_clear(&text);
    fill_readme(&text, b);
    if (status == ELM_OK)
        status = write_file(b, "README.md", elm_buf_str(&text), err);
    json_t *json = report_json(b);
    char *dump = json_dumps(json, JSON_INDENT(2) | JSON_REAL_PRECISION(17) | JSON_ENSURE_ASCII);
    json_decref(json);
    if (status == ELM_OK)
        status = write_file(b, "report.json", elm_str(dump), err);
    free(dump);
    elm_buf_release(&text);
    return status;
}

static enum elm_status evaluate(struct bundle *b, struct elm_error *err)
{
    const char *path = opt_text(b->v, OPT_PROBLEMS_PATH);
    const char *word = b->v->arg_count > 1 ? b->v->args[1] : "best";
    int64_t id = -1;
    ELM_TRY(stored_find(b->v->args[0], &b->run, err));
    if (!is_alone(b->v))
        ELM_TRY(choose_folder(b, err));
    ELM_TRY(elm_search_problem(b->run, path, &b->problem, err));
    if (strcmp(word, "best") != 0) {
        ELM_TRY(stored_programs_open(b->run, path, &b->programs, err));
        ELM_TRY(stored_program_id(&b->programs, word, &id, err));
        stored_programs_close(&b->programs);
    }
    enum elm_status status = elm_search_best(b->keeper, b->run, path, id,
                                             opt_on(b->v, OPT_MINIMISE),
                                             (int)opt_count(b->v, OPT_LEVEL, 0), &b->report, err);
    if (status == ELM_NOT_FOUND && id >= 0)
        err->status = ELM_USAGE;
    ELM_TRY(status);
    ELM_TRY(stored_review(b->run, &b->review, err));
    ELM_TRY(stored_programs_open(b->run, path, &b->programs, err));
    return elm_store_text(b->programs.store, 0, &b->seed, err);
}

static void print_summary(const struct bundle *b)
{
    const struct elm_best_report *r = &b->report;
    bool compare = b->problem->judge == ELM_JUDGE_COMPARE;
    struct elm_buf out = {0};
    elm_buf_printf(&out, "program %lld of ", (long long)r->id);
    text_safe(&out, elm_str(b->run));
    elm_buf_printf(&out, "\n  scored   ");
    const struct elm_evaluation *sets[] = {&r->scored, &r->audit};
    double seeds[] = {r->seed_scored, r->seed_audit};
    for (int i = 0; i < (b->problem->judge == ELM_JUDGE_COMMAND ? 1 : 2); i++) {
        if (i > 0)
            elm_buf_printf(&out, "  audit    ");
        if (sets[i]->status != ELM_EVAL_OK)
            elm_buf_printf(&out, "%s\n", elm_eval_status_name(sets[i]->status));
        else if (compare)
            elm_buf_printf(&out, "%s the seed\n",
                           sets[i]->compared > 0 ? "better than" : "not better than");
        else
            elm_buf_printf(&out, "%s (seed %s)\n", text_number(sets[i]->fitness).s,
                           text_number(seeds[i]).s);
    }
    if (!r->agrees)
        elm_buf_printf(&out, "  under gcc -O2 it scores otherwise: suspect\n");
    if (opt_on(b->v, OPT_MINIMISE)) {
        elm_buf_printf(&out, "  changes  %u, %u taken out\n", r->hunks_after,
                       r->hunks_before - r->hunks_after);
    }
    elm_buf_printf(&out, "  folder   ");
    text_safe(&out, elm_str(b->folder));
    elm_buf_printf(&out, "\n");
    if (scorer_possible(b->problem)) {
        elm_buf_printf(&out, "  score it without elm: make -C ");
        text_shell(&out, b->folder);
        elm_buf_printf(&out, "\n");
    }
    text_print(stdout, &out);
    elm_buf_release(&out);
}

int cmd_best(const struct invocation *v)
{
    struct bundle b = {.v = v};
    struct elm_error err = {0};
    enum elm_status status = elm_keeper_open(&b.keeper, &err);
    if (status == ELM_OK)
        status = evaluate(&b, &err);
    const bool alone = is_alone(v);
    if (status == ELM_OK)
        status = alone ? write_alone(&b, &err) : write_bundle(&b, &err);
    if (status == ELM_OK && !alone && opt_on(v, OPT_JSON))
        json_print(report_json(&b), stdout, false);
    else if (status == ELM_OK && !alone)
        print_summary(&b);
    stored_programs_close(&b.programs);
    stored_review_release(&b.review);
    elm_buf_release(&b.report.text);
    elm_buf_release(&b.report.picture);
    elm_buf_release(&b.seed);
    if (b.problem != NULL)
        elm_problem_free(b.problem);
    if (b.keeper != NULL)
        elm_keeper_close(b.keeper);
    free(b.run);
    free(b.folder);
    return status == ELM_OK ? EXIT_DONE : cmd_fail(&err);
}
