/* print_json: the same pieces as JSON. docs/commands.md and `elm export --help` name the keys. */
#include "cli/json.h"
#include "cli/print.h"

#include <stdlib.h>
#include <string.h>

static json_t *parents_json(const struct elm_attempt *a)
{
    json_t *parents = json_array();
    for (size_t i = 0; i < ELM_COUNT(a->parents); i++) {
        if (a->parents[i] >= 0)
            json_array_append_new(parents, json_integer(a->parents[i]));
    }
    return parents;
}

static json_t *measures_json(const struct stored_programs *p, const double *measures,
                             uint32_t count)
{
    json_t *out = json_object();
    for (uint32_t i = 0; i < count && i < ELM_MEASURES_MAX; i++) {
        char name[32];
        stored_measure_name(p, i, name);
        json_object_set_new(out, name, json_number(measures[i]));
    }
    return out;
}

json_t *print_attempt_json(const struct stored_programs *p, const struct elm_attempt *a,
                           const char *operator_name)
{
    bool ok = a->status == ELM_EVAL_OK;
    json_t *better = a->better == ELM_BETTER_UNDECIDED ? json_null()
                                                       : json_boolean(a->better == ELM_BETTER_YES);
    if (a->id == 0)
        operator_name = NULL;
    return json_make("{sIsIsosssssosososososo sIsIsbso}", "id", (json_int_t)a->id, "batch",
                     (json_int_t)a->batch, "operator", json_text(elm_str(operator_name)), "status",
                     elm_eval_status_name((enum elm_eval_status)a->status), "outcome",
                     elm_outcome_name((enum elm_outcome)a->outcome), "better", better, "parents",
                     parents_json(a), "opponent",
                     a->opponent < 0 ? json_null() : json_integer(a->opponent), "hash",
                     json_hash(a->hash), "fitness", ok ? json_number(a->fitness) : json_null(),
                     "measures", measures_json(p, a->measures, ok ? a->measure_count : 0), "steps",
                     (json_int_t)a->steps, "arrival_us", (json_int_t)a->arrival_us, "reintroduced",
                     (a->flags & ELM_ATTEMPT_REINTRODUCED) != 0, "why",
                     json_text((struct elm_str){a->why, strnlen(a->why, sizeof(a->why))}));
}

json_t *print_evaluation_json(const struct stored_programs *p, const struct elm_evaluation *e)
{
    bool ok = e->status == ELM_EVAL_OK;
    uint32_t measures = p->problem == NULL ? 0 : p->problem->measure_count;
    json_t *out = json_make("{sssosisisIso}", "status", elm_eval_status_name(e->status), "fitness",
                            ok ? json_number(e->fitness) : json_null(), "passed", (int)e->passed,
                            "cases", (int)e->cases, "steps", (json_int_t)e->steps, "measures",
                            measures_json(p, e->measures, ok ? measures : 0));
    json_object_set_new(out, "why", json_text(elm_str(e->why)));
    return out;
}

static json_t *operators_json(const struct stored_review *r)
{
    json_t *out = json_array();
    for (uint32_t i = 0; i < r->operator_count; i++) {
        const struct stored_operator *o = &r->operators[i];
        json_array_append_new(out, json_make("{sssIsIsIsI}", "name", o->name, "attempts",
                                             (json_int_t)o->attempts, "evaluations",
                                             (json_int_t)o->evaluations, "better",
                                             (json_int_t)o->better, "admitted",
                                             (json_int_t)o->admitted));
    }
    return out;
}

static json_t *curve_json(const struct stored_review *r)
{
    json_t *out = json_array();
    for (uint32_t i = 0; i < r->step_count; i++) {
        const struct stored_step *s = &r->steps[i];
        const char *by = stored_operator_name(r, s->operator_index);
        json_array_append_new(out, json_make("{sIsIsoso}", "program", (json_int_t)s->id,
                                             "evaluation", (json_int_t)s->evaluation, "fitness",
                                             json_number(s->fitness), "operator",
                                             json_text(elm_str(by))));
    }
    return out;
}

json_t *print_review_json(const struct stored_review *r)
{
    json_t *statuses = json_object(), *elites = json_array();
    for (uint32_t i = 0; i < ELM_EVAL_STATUSES; i++) {
        json_object_set_new(statuses, elm_eval_status_name((enum elm_eval_status)i),
                            json_integer((json_int_t)r->by_status[i]));
    }
    for (uint32_t i = 0; i < r->elite_count; i++) {
        json_array_append_new(elites, json_make("{sisIso}", "niche", (int)r->elites[i].niche,
                                                "program", (json_int_t)r->elites[i].program,
                                                "fitness", json_number(r->elites[i].fitness)));
    }
    const struct stored_about *a = &r->about;
    json_int_t seed = a->seed == NULL ? 0 : strtoll(a->seed, NULL, 10);
    json_int_t level = a->level == NULL ? 0 : strtoll(a->level, NULL, 10);
    json_t *out = json_make("{sososIsosososI}", "folder", json_text(elm_str(r->folder)), "problem",
                            json_text(elm_str(a->problem)), "seed", seed, "variant",
                            json_text(elm_str(a->variant)), "archive",
                            json_text(elm_str(a->archive)), "selector",
                            json_text(elm_str(a->selector)), "level", level);
    json_object_update_new(out, json_make("{sIsIsIsIsIsosososososo}", "attempts",
                                          (json_int_t)r->attempts, "evaluations",
                                          (json_int_t)r->evaluations, "ok", (json_int_t)r->ok,
                                          "admitted", (json_int_t)r->admitted, "bytes",
                                          (json_int_t)r->file_bytes, "seconds",
                                          json_number((double)r->wall_us / 1e6), "coverage",
                                          json_number(r->coverage), "statuses", statuses,
                                          "operators", operators_json(r), "curve", curve_json(r),
                                          "elites", elites));
    return out;
}
