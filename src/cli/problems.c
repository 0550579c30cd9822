/* problems: what can be run, in a list or one in full. */
#include "cli/command.h"
#include "cli/json.h"
#include "cli/text.h"

#include "elm/problem.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void list_text(void *ctx, const char *name, const char *summary, const char *folder)
{
    (void)folder;
    struct elm_buf *out = ctx;
    size_t start = out->len;
    text_safe(out, elm_str(name));
    size_t used = out->len - start;
    elm_buf_printf(out, "%*s ", used < 16 ? (int)(16 - used) : 0, "");
    text_safe(out, elm_str(summary));
    elm_buf_byte(out, '\n');
}

static void list_json(void *ctx, const char *name, const char *summary, const char *folder)
{
    json_array_append_new(ctx, json_make("{sososo}", "name", json_text(elm_str(name)), "summary",
                                         json_text(elm_str(summary)), "folder",
                                         json_text(elm_str(folder))));
}

static enum elm_status list(const struct invocation *v, struct elm_error *err)
{
    const char *path = opt_text(v, OPT_PROBLEMS_PATH);
    if (opt_on(v, OPT_JSON)) {
        json_t *all = json_array();
        enum elm_status status = elm_problem_list(path, list_json, all, err);
        if (status == ELM_OK)
            json_print(json_incref(all), stdout, false);
        json_decref(all);
        return status;
    }
    struct elm_buf out = {0};
    enum elm_status status = elm_problem_list(path, list_text, &out, err);
    if (status == ELM_OK && out.len == 0) {
        fprintf(stderr, "elm: no problems found; `elm new NAME` makes one, --problems-path names "
                "folders that hold some\n");
    }
    text_print(stdout, &out);
    elm_buf_release(&out);
    return status;
}

static const char *judge_name(const struct elm_problem *p)
{
    static const char *const names[] = {
        [ELM_JUDGE_SCORE] = "score", [ELM_JUDGE_COMPARE] = "compare",
        [ELM_JUDGE_COMMAND] = "command",
    };
    return p->by_reference ? "reference" : names[p->judge];
}

static void one_json(const struct elm_problem *p)
{
    json_t *measures = json_array();
    for (uint32_t i = 0; i < p->measure_count; i++) {
        const struct elm_measure *m = &p->measures[i];
        json_array_append_new(measures, json_make("{sosososi}", "name", json_text(elm_str(m->name)),
                                                  "lo", json_number(m->lo), "hi",
                                                  json_number(m->hi), "bins", (int)m->bins));
    }
    json_t *out = json_make("{sososososssoso}", "name", json_text(elm_str(p->name)), "summary",
                            json_text(elm_str(p->summary)), "folder",
                            json_text(elm_str(p->folder)), "variant",
                            json_text(elm_str(p->variant)), "judge", judge_name(p), "entry",
                            json_text(elm_str(p->io.entry)), "measures", measures);
    json_object_update_new(out, json_make(
        "{sosososososososI}", "target", json_number(p->target), "best_known",
        json_number(p->best_known), "best_known_source", json_text(elm_str(p->best_known_source)),
        "description", json_text(elm_str(p->description)), "seed", json_text(elm_str(p->seed_text)),
        "archive", json_text(elm_str(p->archive)), "selector", json_text(elm_str(p->selector)),
        "evaluations", (json_int_t)p->budget_evaluations));
    json_t *variants = json_array();
    for (uint32_t i = 0; i < p->variant_count; i++)
        json_array_append_new(variants, json_text(elm_str(p->variants[i])));
    json_object_set_new(out, "variants", variants);
    json_object_set_new(out, "hardness", json_number(p->hardness));
    json_object_set_new(out, "hardness_search", json_number(p->hardness_search));
    json_object_set_new(out, "solve_rate", json_number(p->solve_rate));
    json_print(out, stdout, false);
}

static void one_text(const struct elm_problem *p)
{
    struct elm_buf out = {0};
    text_safe(&out, elm_str(p->name));
    elm_buf_printf(&out, ": ");
    text_safe(&out, elm_str(p->summary));
    elm_buf_printf(&out, "\n\n  folder       ");
    text_safe(&out, elm_str(p->folder));
    elm_buf_printf(&out, "\n  judge        %s, %u shown, %u scored and %u audit cases\n",
                   judge_name(p), p->case_count[ELM_SET_SHOWN], p->case_count[ELM_SET_SCORED],
                   p->case_count[ELM_SET_AUDIT]);
    elm_buf_printf(&out, "  archive      %s, parents by %s\n", p->archive, p->selector);
    for (uint32_t i = 0; i < p->measure_count; i++) {
        const struct elm_measure *m = &p->measures[i];
        elm_buf_printf(&out, "  %-13s%s, %s to %s in %u bins\n", i == 0 ? "measures" : "", m->name,
                       text_number(m->lo).s, text_number(m->hi).s, m->bins);
    }
    if (!isnan(p->target))
        elm_buf_printf(&out, "  target       %s\n", text_number(p->target).s);
    if (!isnan(p->best_known)) {
        elm_buf_printf(&out, "  best known   %s  ", text_number(p->best_known).s);
        text_safe(&out, elm_str(p->best_known_source));
        elm_buf_printf(&out, "\n");
    }
    if (!isnan(p->hardness)) {
        elm_buf_printf(&out, "  hardness     one of 10^%s random programs solves it\n",
                       text_number(p->hardness).s);
    }
    if (!isnan(p->hardness_search)) {
        elm_buf_printf(&out, "  searched     %s evaluations by the reference search, the median\n",
                       text_number(p->hardness_search).s);
    }
    if (!isnan(p->solve_rate))
        elm_buf_printf(&out, "  solve rate   %s by the default operators\n",
                       text_number(p->solve_rate).s);
    for (uint32_t i = 0; i < p->variant_count; i++) {
        const char *lead = i == 0 ? "  variants     " : i % 8 == 0 ? "\n               " : " ";
        elm_buf_printf(&out, "%s", lead);
        text_safe(&out, elm_str(p->variants[i]));
    }
    if (p->variant_count > 0)
        elm_buf_printf(&out, "   (elm run %s:%s)\n", p->name, p->variants[0]);
    elm_buf_printf(&out, "  evaluations  %s unless a budget is given\n",
                   text_count(p->budget_evaluations).s);
    if (p->description != NULL && p->description[0] != '\0') {
        elm_buf_printf(&out, "\n");
        text_safe(&out, elm_str(p->description));
    }
    elm_buf_printf(&out, "\nthe seed\n\n");
    text_safe(&out, elm_str(p->seed_text));
    text_print(stdout, &out);
    elm_buf_release(&out);
}

int cmd_problems(const struct invocation *v)
{
    struct elm_error err = {0};
    enum elm_status status;
    if (v->arg_count == 0) {
        status = list(v, &err);
    } else {
        struct elm_problem *p;
        status = elm_problem_load(v->args[0], opt_text(v, OPT_PROBLEMS_PATH), &p, &err);
        if (status == ELM_OK) {
            if (opt_on(v, OPT_JSON))
                one_json(p);
            else
                one_text(p);
            elm_problem_free(p);
        }
        if (status == ELM_NOT_FOUND)
            err.status = ELM_USAGE;
    }
    return status == ELM_OK ? EXIT_DONE : cmd_fail(&err);
}
