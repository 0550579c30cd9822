/* show_openness: `elm show RUN --open-ended`, and what runs and reports have in common of it. */
#include "cli/command.h"
#include "cli/json.h"
#include "cli/openness.h"
#include "cli/plot.h"
#include "cli/stored.h"
#include "cli/text.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

#define CURVE_WIDTH 60
#define CURVE_HEIGHT 9
#define SPARK_WIDTH 32

struct showing {
    struct elm_openness *openness;
    struct elm_openness_report report;
    struct elm_progress_row *progress;
    uint32_t progress_count;
};

const char *openness_class(enum elm_openness_class class)
{
    static const char *const words[] = {
        [ELM_OPENNESS_SHORT] = "none yet: the run is too short",
        [ELM_OPENNESS_NONE] = "1: no more new activity than drift gives",
        [ELM_OPENNESS_BOUNDED] = "2: new activity above drift, which levels off",
        [ELM_OPENNESS_UNBOUNDED] = "3: new activity above drift, rising as far as the run goes",
    };
    return words[class];
}

static const struct {
    const char *key, *name;
    size_t at;
} sides[] = {
    {"diversity", "diversity", offsetof(struct elm_openness_side, diversity)},
    {"activity", "total activity", offsetof(struct elm_openness_side, activity)},
    {"mean", "mean activity", offsetof(struct elm_openness_side, mean)},
    {"median", "median activity", offsetof(struct elm_openness_side, median)},
    {"adopted", "adopted", offsetof(struct elm_openness_side, adopted)},
    {"new_activity", "new activity", offsetof(struct elm_openness_side, new_activity)},
    {"change", "MODES change", offsetof(struct elm_openness_side, change)},
    {"novelty", "MODES novelty", offsetof(struct elm_openness_side, novelty)},
    {"ecology", "MODES ecology", offsetof(struct elm_openness_side, ecology)},
};

static double value_of(const struct elm_openness_side *side, size_t i)
{
    return *(const double *)(const void *)((const char *)side + sides[i].at);
}

static json_t *class_json(enum elm_openness_class class)
{
    return class == ELM_OPENNESS_SHORT ? json_null()
                                       : json_integer(class - ELM_OPENNESS_NONE + 1);
}

json_t *openness_json(const struct elm_openness_report *r)
{
    return json_make("{sososososososo}", "class", class_json(r->class), "adopted",
                     json_number(r->adopted), "shadow_adopted", json_number(r->shadow_adopted),
                     "excess", json_number(r->excess), "exponent", json_number(r->exponent),
                     "power_left", json_number(r->power_left), "bounded_left",
                     json_number(r->bounded_left));
}

static json_t *side_json(const struct elm_openness_side *side)
{
    json_t *out = json_object();
    for (size_t i = 0; i < ELM_COUNT(sides); i++)
        json_object_set_new(out, sides[i].key, json_number(value_of(side, i)));
    return out;
}

json_t *openness_points_json(const struct elm_openness_report *r)
{
    json_t *points = json_array();
    for (uint32_t i = 0; i < r->count; i++) {
        const struct elm_openness_point *p = &r->points[i];
        json_array_append_new(points, json_make("{sIsIsosososo}", "evaluations",
                                                (json_int_t)p->evaluations, "elites",
                                                (json_int_t)p->elites, "threshold",
                                                json_number(p->threshold), "complexity",
                                                json_number(p->complexity), "run",
                                                side_json(&p->run), "shadow",
                                                side_json(&p->shadow)));
    }
    return points;
}

static void print_json(const struct showing *s, const char *folder)
{
    json_t *progress = json_array();
    for (uint32_t i = 0; i < s->progress_count; i++) {
        const struct elm_progress_row *p = &s->progress[i];
        json_array_append_new(progress, json_make("{sIsoso}", "evaluations",
                                                  (json_int_t)p->evaluations, "coverage",
                                                  json_number(p->coverage), "qd_score",
                                                  json_number(p->qd_score)));
    }
    json_t *out = openness_json(&s->report);
    json_object_set_new(out, "folder", json_text(elm_str(folder)));
    json_object_set_new(out, "points", openness_points_json(&s->report));
    json_object_set_new(out, "progress", progress);
    json_print(out, stdout, false);
}

static void add_curve(struct elm_buf *out, const struct elm_openness_report *r)
{
    double *x = elm_malloc((r->count + 1) * sizeof(*x));
    double *y = elm_malloc((r->count + 1) * sizeof(*y)), sum = 0;
    for (uint32_t i = 0; i < r->count; i++) {
        sum += r->points[i].run.adopted;
        x[i] = (double)r->points[i].evaluations;
        y[i] = sum;
    }
    if (r->count > 0) {
        struct plot_steps steps = {.x = x, .y = y, .count = r->count, .x_end = x[r->count - 1],
                                   .x_name = "evaluations", .width = CURVE_WIDTH,
                                   .height = CURVE_HEIGHT};
        elm_buf_printf(out, "\ninnovations adopted, summed\n\n");
        plot_curve(out, &steps, plot_utf8());
    }
    free(x);
    free(y);
}

/* The mean of the second half's numbers, and all of them as a line. Not every point has one. */
static double squeeze(const double *values, uint32_t count, double *kept, uint32_t *kept_count)
{
    double sum = 0, n = 0;
    *kept_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!isfinite(values[i]))
            continue;
        kept[(*kept_count)++] = values[i];
        sum += i >= count / 2 ? values[i] : 0;
        n += i >= count / 2;
    }
    return n > 0 ? sum / n : NAN;
}

/* `shadow` is NULL where there is none. */
static void add_row(struct elm_buf *out, const char *name, const double *run, const double *shadow,
                    uint32_t count)
{
    double *kept = elm_malloc((count + 1) * sizeof(*kept)), of_shadow = NAN;
    uint32_t kept_count;
    if (shadow != NULL)
        of_shadow = squeeze(shadow, count, kept, &kept_count);
    double of_run = squeeze(run, count, kept, &kept_count);
    elm_buf_printf(out, "  %-18s%12s %12s  ", name, text_number(of_run).s,
                   text_number(of_shadow).s);
    plot_spark(out, kept, kept_count, SPARK_WIDTH, plot_utf8());
    elm_buf_byte(out, '\n');
    free(kept);
}

static void add_table(struct elm_buf *out, const struct showing *s)
{
    const struct elm_openness_report *r = &s->report;
    uint32_t most = r->count > s->progress_count ? r->count : s->progress_count;
    double *run = elm_malloc((most + 1) * sizeof(*run));
    double *shadow = elm_malloc((most + 1) * sizeof(*shadow));
    elm_buf_printf(out, "\n  %-18s%12s %12s  %s\n", "mean, second half", "run", "shadow",
                   "over the run");
    for (size_t k = 0; k < ELM_COUNT(sides); k++) {
        for (uint32_t i = 0; i < r->count; i++) {
            run[i] = value_of(&r->points[i].run, k);
            shadow[i] = value_of(&r->points[i].shadow, k);
        }
        add_row(out, sides[k].name, run, shadow, r->count);
    }
    for (uint32_t i = 0; i < r->count; i++)
        run[i] = r->points[i].complexity;
    add_row(out, "MODES complexity", run, NULL, r->count);
    for (uint32_t i = 0; i < s->progress_count; i++) {
        run[i] = s->progress[i].coverage;
        shadow[i] = s->progress[i].qd_score;
    }
    add_row(out, "coverage", run, NULL, s->progress_count);
    add_row(out, "QD score", shadow, NULL, s->progress_count);
    free(run);
    free(shadow);
}

static void print_text(const struct showing *s, const char *folder)
{
    const struct elm_openness_report *r = &s->report;
    struct elm_buf out = {0};
    elm_buf_printf(&out, "run ");
    text_safe(&out, elm_str(folder));
    elm_buf_printf(&out, "\n  %-16s%s\n", "class", openness_class(r->class));
    elm_buf_printf(&out, "  %-16s%s innovations in the second half, %s in its shadows: %s standard "
                   "deviations\n", "adopted", text_number(r->adopted).s,
                   text_number(r->shadow_adopted).s, text_number(r->excess).s);
    if (r->class >= ELM_OPENNESS_BOUNDED) {
        elm_buf_printf(&out, "  %-16sits sum above the shadows rises with exponent %s, which leaves "
                       "%s\n  %-16sof the variance; levelling off leaves %s\n", "",
                       text_number(r->exponent).s, text_percent(r->power_left).s, "",
                       text_percent(r->bounded_left).s);
    }
    double last = r->count > 0 ? r->points[r->count - 1].threshold : NAN;
    elm_buf_printf(&out, "  %-16s%u censuses; at the last, innovations were adopted that came to "
                   "activity %s in %d\n", "counted", r->count, text_number(last).s,
                   ELM_OPENNESS_AGE);
    add_curve(&out, r);
    add_table(&out, s);
    text_print(stdout, &out);
    elm_buf_release(&out);
}

static bool keep_progress(void *ctx, const struct elm_progress_row *row)
{
    struct showing *s = ctx;
    if ((s->progress_count & (s->progress_count - 1)) == 0) {
        size_t cap = s->progress_count == 0 ? 1 : s->progress_count * 2u;
        s->progress = elm_realloc(s->progress, cap * sizeof(s->progress[0]));
    }
    s->progress[s->progress_count++] = *row;
    return true;
}

static enum elm_status read_progress(const char *folder, struct showing *s, struct elm_error *err)
{
    struct elm_store *store;
    ELM_TRY(elm_store_open(folder, ELM_STORE_READ, &store, err));
    enum elm_status status = elm_store_each_progress(store, keep_progress, s, err);
    elm_store_close(store, NULL);
    return status;
}

static enum elm_status show(const struct invocation *v, struct showing *s, struct elm_error *err)
{
    char *folder;
    if (v->arg_count > 1) {
        return elm_fail(err, ELM_USAGE, "'%.80s' is too much: elm show RUN --open-ended",
                        v->args[1]);
    }
    ELM_TRY(stored_find(v->args[0], &folder, err));
    struct elm_openness_def def = elm_default_openness_def();
    def.interval = 0;
    enum elm_status status = elm_openness_read(folder, opt_text(v, OPT_PROBLEMS_PATH), &def,
                                               &s->openness, err);
    if (status == ELM_OK)
        status = read_progress(folder, s, err);
    if (status == ELM_OK) {
        elm_openness_report(s->openness, &s->report);
        if (opt_on(v, OPT_JSON))
            print_json(s, folder);
        else
            print_text(s, folder);
    }
    free(folder);
    return status;
}

int show_openness(const struct invocation *v)
{
    struct showing s = {0};
    struct elm_error err = {0};
    enum elm_status status = show(v, &s, &err);
    elm_openness_report_release(&s.report);
    elm_openness_free(s.openness);
    free(s.progress);
    return status == ELM_OK ? EXIT_DONE : cmd_fail(&err);
}
