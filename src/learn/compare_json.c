/* compare_json: the whole comparison as one document, for programs. */
#include "learn/compare.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static json_t *real(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

/* Text that is not UTF-8 becomes null. */
static json_t *text(const char *s)
{
    json_t *out = s == NULL ? NULL : json_string(s);
    return out == NULL ? json_null() : out;
}

static void set(json_t *object, const char *key, json_t *value)
{
    ELM_ASSERT(json_object_set_new(object, key, value) == 0);
}

static json_t *value(struct elm_compare_value v)
{
    json_t *out = json_object();
    set(out, "mean", real(v.mean));
    set(out, "lo", real(v.lo));
    set(out, "hi", real(v.hi));
    return out;
}

static json_t *curve(const struct elm_compare_point *points, uint32_t count, const char *x_name)
{
    json_t *out = json_array();
    for (uint32_t i = 0; i < count; i++) {
        json_t *point = json_object();
        set(point, x_name, real(points[i].x));
        set(point, "solved", value(points[i].solved));
        set(point, "gain", value(points[i].gain));
        json_array_append_new(out, point);
    }
    return out;
}

static json_t *arm(const struct elm_compare_result *r, uint32_t index)
{
    const struct elm_compare_arm_result *of = &r->of[index];
    json_t *out = json_object(), *solved = json_array();
    for (uint32_t i = 0; i < r->column_count; i++)
        json_array_append_new(solved, value(of->solved[i]));
    set(out, "name", text(r->arms[index].name));
    set(out, "settings", text(r->arms[index].text));
    set(out, "solved", solved);
    set(out, "gain", value(of->gain));
    set(out, "area", value(of->area));
    set(out, "median_evaluations", real(of->median_evaluations));
    set(out, "evaluations_to_match", real(of->evaluations_to_match));
    set(out, "evaluations", real(of->evaluations));
    set(out, "tokens", real(of->tokens));
    set(out, "abstained", json_integer(of->abstained));
    set(out, "by_evaluations", curve(of->by_evaluations, r->mark_count, "evaluations"));
    set(out, "cpu_s", real(of->cpu_s));
    set(out, "cpu_s_per_solved", real(of->cpu_s_per_solved));
    set(out, "cpu_s_to_match", real(of->cpu_s_to_match));
    set(out, "cpu_curve", curve(of->by_cpu, r->cpu_count, "cpu_s"));
    return out;
}

static json_t *difference(const struct elm_compare_result *r, uint32_t index)
{
    static const char *const names[ELM_COMPARE_METRICS] = {"solved", "gain", "area"};
    const struct elm_compare_break_even *b = &r->break_even[index];
    json_t *out = json_object();
    set(out, "arm", text(r->arms[index].name));
    set(out, "against", text(r->arms[0].name));
    for (int m = 0; m < ELM_COMPARE_METRICS; m++) {
        const struct elm_compare_difference *d = &r->differences[index][m];
        json_t *one = value(d->value);
        set(one, "p", real(d->p));
        set(one, "p_holm", real(d->p_holm));
        set(one, "better", json_integer(d->better));
        set(one, "worse", json_integer(d->worse));
        set(one, "equal", json_integer(d->equal));
        set(one, "p_signs", real(d->p_signs));
        set(out, names[m], one);
    }
    json_t *even = json_object();
    set(even, "training_cpu_s", real(b->training_cpu_s));
    set(even, "problems", real(b->problems));
    set(even, "cpu_s", real(b->cpu_s));
    set(out, "cpu_break_even", even);
    return out;
}

static json_t *cells_of(const struct elm_compare_result *r, const struct elm_compare_problem *p,
                        uint32_t index)
{
    json_t *out = json_object(), *solved = json_array(), *at = json_array(), *best = json_array(),
           *audit = json_array();
    for (uint32_t s = 0; s < r->seeds; s++) {
        const struct elm_compare_cell *cell = &p->cells[(size_t)index * r->seeds + s];
        json_array_append_new(solved, json_boolean(cell->solved));
        json_array_append_new(at, cell->solved || cell->solved_at > 0
                                      ? json_integer((json_int_t)cell->solved_at) : json_null());
        json_array_append_new(best, real(cell->best));
        json_array_append_new(audit, real(cell->audit));
    }
    set(out, "arm", text(r->arms[index].name));
    set(out, "abstains", text(p->why[index]));
    set(out, "solved", solved);
    set(out, "reached_at", at);
    set(out, "best", best);
    set(out, "audit", audit);
    return out;
}

static json_t *problem(const struct elm_compare_result *r, uint32_t index)
{
    const struct elm_compare_problem *p = &r->problems[index];
    json_t *out = json_object(), *arms = json_array();
    for (uint32_t i = 0; i < r->arm_count; i++)
        json_array_append_new(arms, cells_of(r, p, i));
    set(out, "name", text(p->name));
    set(out, "engine", json_string(p->trial ? "trial" : "search"));
    set(out, "target", real(p->target));
    set(out, "top", real(p->top));
    set(out, "arms", arms);
    return out;
}

static json_t *budget(const struct elm_compare *c)
{
    json_t *out = json_object();
    const struct elm_compare_def *d = &c->def;
    set(out, "evaluations", d->evaluations > 0 ? json_integer((json_int_t)d->evaluations)
                                               : json_null());
    set(out, "cpu_s", d->cpu_s > 0 ? json_real(d->cpu_s) : json_null());
    set(out, "evaluation_cpu_s", json_real(d->evaluation_s));
    set(out, "tokens", d->tokens > 0 ? json_integer((json_int_t)d->tokens) : json_null());
    return out;
}

void elm_compare_json(struct elm_compare *c, const struct elm_compare_about *about,
                      struct elm_buf *out)
{
    const struct elm_compare_result *r = elm_compare_result(c);
    json_t *all = json_object(), *columns = json_array(), *arms = json_array(),
           *differences = json_array(), *problems = json_array();
    for (uint32_t i = 0; i < r->column_count; i++)
        json_array_append_new(columns, real(r->columns[i]));
    for (uint32_t i = 0; i < r->arm_count; i++)
        json_array_append_new(arms, arm(r, i));
    for (uint32_t i = 1; i < r->arm_count; i++)
        json_array_append_new(differences, difference(r, i));
    for (uint32_t i = 0; i < r->problem_count; i++)
        json_array_append_new(problems, problem(r, i));
    set(all, "version", json_string(ELM_VERSION));
    set(all, "command", text(about->command));
    set(all, "date", text(about->date));
    set(all, "machine", text(about->machine));
    set(all, "budget", budget(c));
    set(all, "seeds", json_integer(r->seeds));
    set(all, "seed", json_integer((json_int_t)c->def.seed));
    set(all, "quality", json_boolean(c->def.quality));
    set(all, "problems_with_target", json_integer(r->solvable));
    set(all, "columns_are", json_string(r->columns_cpu ? "cpu_s" : "evaluations"));
    set(all, "columns", columns);
    set(all, "arms", arms);
    set(all, "pairs_are", json_string(r->problem_count > 1 ? "problems" : "seeds"));
    set(all, "differences", differences);
    set(all, "problems", problems);
    char *dump = json_dumps(all, JSON_INDENT(2) | JSON_REAL_PRECISION(17) | JSON_ENSURE_ASCII);
    json_decref(all);
    ELM_ASSERT(dump != NULL);
    elm_buf_add_str(out, elm_str(dump));
    elm_buf_byte(out, '\n');
    free(dump);
}
