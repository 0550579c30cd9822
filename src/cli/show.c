/* show: a stored run, or one program of it. */
#include "cli/command.h"
#include "cli/json.h"
#include "cli/print.h"
#include "cli/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LINEAGE_ROWS 40
#define ELITE_ROWS 20

static void add_field(struct elm_buf *out, const char *name, const char *value)
{
    if (value == NULL || value[0] == '\0')
        return;
    elm_buf_printf(out, "  %-16s", name);
    text_safe(out, elm_str(value));
    elm_buf_byte(out, '\n');
}

static void add_about(struct elm_buf *out, const struct stored_review *r)
{
    const struct stored_about *a = &r->about;
    elm_buf_printf(out, "run ");
    text_safe(out, elm_str(r->folder));
    elm_buf_printf(out, "\n");
    add_field(out, "problem", a->problem);
    add_field(out, "variant", a->variant);
    add_field(out, "score command", a->command);
    add_field(out, "seed", a->seed);
    add_field(out, "operators", a->operators);
    add_field(out, "archive", a->archive);
    add_field(out, "selector", a->selector);
    add_field(out, "sandbox level", a->level);
    if (a->noisy != NULL && strcmp(a->noisy, "1") == 0)
        add_field(out, "noise", "the seed did not score the same twice");
    elm_buf_printf(out, "  %-16s%s, %s of it attempts\n", "size",
                   text_bytes((uint64_t)r->file_bytes).s, text_bytes((uint64_t)r->packed_bytes).s);
    elm_buf_printf(out, "  %-16s%s\n", "time worked on", text_time((double)r->wall_us / 1e6).s);
    elm_buf_printf(out, "  %-16s%s\n", "state",
                   a->end == NULL ? "at work, or ended without saying so" : "ended cleanly");
}

static int by_fitness(const void *a, const void *b)
{
    double x = ((const struct elm_archive_row *)a)->fitness;
    double y = ((const struct elm_archive_row *)b)->fitness;
    return x < y ? 1 : x > y ? -1 : 0;
}

static void add_elites(struct elm_buf *out, struct stored_review *r,
                       const struct stored_programs *p)
{
    if (r->elite_count == 0)
        return;
    uint32_t measures = p->problem == NULL ? 0 : p->problem->measure_count;
    uint32_t shown = r->elite_count < ELITE_ROWS ? r->elite_count : ELITE_ROWS;
    qsort(r->elites, r->elite_count, sizeof(r->elites[0]), by_fitness);
    elm_buf_printf(out, "\narchive: %u elites", r->elite_count);
    if (!isnan(r->coverage))
        elm_buf_printf(out, ", coverage %s", text_percent(r->coverage).s);
    elm_buf_printf(out, "%s\n\n  %14s  %-12s %5s",
                   shown < r->elite_count ? "; the best of them" : "", "program", "fitness",
                   "niche");
    for (uint32_t i = 0; i < measures; i++) {
        char name[32];
        stored_measure_name(p, i, name);
        elm_buf_printf(out, "  ");
        text_safe(out, elm_str(name));
    }
    elm_buf_byte(out, '\n');
    for (uint32_t i = 0; i < shown; i++) {
        const struct elm_archive_row *e = &r->elites[i];
        elm_buf_printf(out, "  %14s  %-12s %5u", text_count((uint64_t)e->program).s,
                       text_number(e->fitness).s, e->niche);
        for (uint32_t k = 0; k < measures; k++) {
            char name[32];
            stored_measure_name(p, k, name);
            elm_buf_printf(out, "  %-*s", (int)strlen(name), text_number(e->measures[k]).s);
        }
        elm_buf_byte(out, '\n');
    }
}

static void show_run(struct stored_review *r, struct stored_programs *p)
{
    struct elm_buf out = {0};
    add_about(&out, r);
    const struct stored_step *best = r->step_count > 0 ? &r->steps[r->step_count - 1] : NULL;
    elm_buf_printf(&out, "\n%s attempts, %s evaluations, %s admitted", text_count(r->attempts).s,
                   text_count(r->evaluations).s, text_count((uint64_t)r->admitted).s);
    if (best != NULL) {
        elm_buf_printf(&out, "; best fitness %s, program %lld at evaluation %s",
                       text_number(best->fitness).s, (long long)best->id,
                       text_count(best->evaluation).s);
    }
    elm_buf_printf(&out, "\n\n");
    print_curve(&out, r);
    elm_buf_printf(&out, "\n");
    print_operators(&out, r);
    elm_buf_printf(&out, "\nwhat became of the attempts\n\n");
    print_statuses(&out, r);
    add_elites(&out, r, p);
    text_print(stdout, &out);
    elm_buf_release(&out);
}

static void add_evaluation(struct elm_buf *out, const struct stored_review *r,
                           const struct stored_programs *p, const struct elm_attempt *a)
{
    elm_buf_printf(out, "program %lld of ", (long long)a->id);
    text_safe(out, elm_str(r->folder));
    elm_buf_printf(out, "\n");
    add_field(out, "status", elm_eval_status_name((enum elm_eval_status)a->status));
    char why[sizeof(a->why) + 1] = {0};
    memcpy(why, a->why, sizeof(a->why));
    add_field(out, "because", why);
    add_field(out, "outcome", elm_outcome_name((enum elm_outcome)a->outcome));
    if (a->status == ELM_EVAL_OK) {
        add_field(out, "fitness", text_number(a->fitness).s);
        for (uint32_t i = 0; i < a->measure_count && i < ELM_MEASURES_MAX; i++) {
            char name[32];
            stored_measure_name(p, i, name);
            add_field(out, name, text_number(a->measures[i]).s);
        }
        if (a->steps > 0)
            add_field(out, "steps", text_count(a->steps).s);
    }
    if (a->id > 0) {
        add_field(out, "made by", stored_operator_name(r, a->operator_index));
        static const char *const better[] = {"undecided", "no", "yes"};
        add_field(out, "better", a->better < ELM_COUNT(better) ? better[a->better] : "undecided");
    }
    if (a->flags & ELM_ATTEMPT_REINTRODUCED)
        add_field(out, "note", "brings back lines that an ancestor deleted");
}

static enum elm_status show_program(struct stored_review *r, struct stored_programs *p,
                                    const char *word, bool json, struct elm_error *err)
{
    int64_t id;
    struct stored_program program;
    ELM_TRY(stored_program_id(p, word, &id, err));
    ELM_TRY(stored_program_get(p, id, &program, err));
    if (json) {
        json_t *out = print_attempt_json(p, &program.attempt,
                                         stored_operator_name(r, program.attempt.operator_index));
        struct elm_attempt *line;
        uint32_t count = print_lineage_ids(p->store, id, &line);
        json_t *lineage = json_array();
        for (uint32_t i = 0; i < count; i++)
            json_array_append_new(lineage, json_integer(line[i].id));
        free(line);
        json_object_set_new(out, "lineage", lineage);
        json_object_set_new(out, "text", json_text(elm_buf_str(&program.text)));
        json_print(out, stdout, false);
    } else {
        struct elm_buf out = {0};
        add_evaluation(&out, r, p, &program.attempt);
        elm_buf_printf(&out, "\n");
        if (program.text.len > 0)
            print_program(&out, elm_buf_str(&program.text), 0);
        else
            elm_buf_printf(&out, "  its text is not kept\n");
        elm_buf_printf(&out, "\nwhere it came from\n\n");
        print_lineage(&out, r, p->store, id, LINEAGE_ROWS);
        struct elm_arena arena = {0};
        struct elm_call call;
        if (elm_store_call(p->store, id, &arena, &call, NULL) == ELM_OK)
            print_call(&out, &call);
        elm_arena_release(&arena);
        text_print(stdout, &out);
        elm_buf_release(&out);
    }
    stored_program_release(&program);
    return ELM_OK;
}

static enum elm_status show(const struct invocation *v, struct stored_review *r,
                            struct stored_programs *p, struct elm_error *err)
{
    char *folder;
    if (v->arg_count > 2)
        return elm_fail(err, ELM_USAGE, "'%.80s' is too much: elm show RUN PROGRAM", v->args[2]);
    ELM_TRY(stored_find(v->args[0], &folder, err));
    enum elm_status status = stored_review(folder, r, err);
    if (status == ELM_OK)
        status = stored_programs_open(folder, opt_text(v, OPT_PROBLEMS_PATH), p, err);
    free(folder);
    ELM_TRY(status);
    if (v->arg_count > 1)
        return show_program(r, p, v->args[1], opt_on(v, OPT_JSON), err);
    if (opt_on(v, OPT_JSON))
        json_print(print_review_json(r), stdout, false);
    else
        show_run(r, p);
    return ELM_OK;
}

int cmd_show(const struct invocation *v)
{
    if (v->arg_count > 0 && strcmp(v->args[0], "prompt") == 0)
        return show_prompt(v);
    if (opt_on(v, OPT_OPEN_ENDED))
        return show_openness(v);
    struct stored_review review = {0};
    struct stored_programs programs = {0};
    struct elm_error err = {0};
    enum elm_status status = show(v, &review, &programs, &err);
    stored_programs_close(&programs);
    stored_review_release(&review);
    return status == ELM_OK ? EXIT_DONE : cmd_fail(&err);
}
