/* cycle_report: all rounds as tables, curves and one document. */
#include "learn/compare_table.h"
#include "learn/cycle.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- tables ---- */
static void percent(struct table_text *t, double share)
{
    if (isnan(share))
        table_cell(t, "-");
    else
        table_cell(t, "%.1f", 100 * share);
}

static void value(struct table_text *t, struct elm_compare_value v, bool sign)
{
    if (isnan(v.mean))
        table_cell(t, "-");
    else if (isnan(v.lo))
        table_cell(t, sign ? "%+.1f" : "%.1f", 100 * v.mean);
    else
        table_cell(t, sign ? "%+.1f [%+.1f, %+.1f]" : "%.1f [%.1f, %.1f]", 100 * v.mean, 100 * v.lo,
                   100 * v.hi);
}

static void number(struct table_text *t, const char *format, double x)
{
    char text[48];
    snprintf(text, sizeof(text), format, x);
    table_cell(t, "%s", isnan(x) ? "-" : text);
}

static void head(struct table_text *t, const char *const *names, uint32_t count)
{
    t->columns = count;
    for (uint32_t i = 0; i < count; i++)
        table_cell(t, "%s", names[i]);
}

static const char *verdict(const struct elm_cycle_round *r)
{
    return !(r->trained > 0) ? "nothing to learn from" : r->adopted > 0 ? "adopted" : "kept, not used";
}

static void add_rounds(const struct elm_cycle *c, struct elm_buf *out)
{
    static const char *const names[] = {"round", "corruptions", "solved %", "valid %", "better %",
                                        "QD", "problems learnt", "ANNECS", "loss", "gate: pairs",
                                        "better/worse", "area, points", "evidence", "verdict", "amplification"};
    struct table_text t = {0};
    head(&t, names, ELM_COUNT(names));
    for (uint32_t i = 0; i < c->done; i++) {
        const struct elm_cycle_round *r = &c->rounds[i];
        table_cell(&t, "%u", i + 1);
        if (isnan(r->corruptions_min))
            table_cell(&t, "-");
        else
            table_cell(&t, "%.0f-%.0f", r->corruptions_min, r->corruptions_max);
        percent(&t, r->solved);
        percent(&t, r->valid);
        percent(&t, r->better);
        number(&t, "%.4g", r->qd);
        table_cell(&t, "%.0f", r->taught);
        number(&t, "%.0f", r->annecs);
        number(&t, "%.3f", r->loss);
        table_cell(&t, "%.0f", r->pairs);
        table_cell(&t, "%.0f/%.0f", r->wins, r->losses);
        number(&t, "%+.1f", 100 * r->difference);
        if (isnan(r->log_e))
            table_cell(&t, "-");
        else
            table_cell(&t, "%.1f of %.1f", r->log_e, r->log_e_wanted);
        table_cell(&t, "%s", verdict(r));
        number(&t, "%.2f", r->amplification);
    }
    table_end(&t, out);
}

static void add_times(const struct elm_cycle *c, struct elm_buf *out)
{
    static const char *const names[] = {"CPU s", "solve", "train", "gate", "report and controls"};
    struct table_text t = {0};
    head(&t, names, ELM_COUNT(names));
    for (uint32_t i = 0; i < c->done; i++) {
        const struct elm_cycle_round *r = &c->rounds[i];
        table_cell(&t, "round %u", i + 1);
        number(&t, "%.1f", r->cpu_solve_s);
        number(&t, "%.1f", r->cpu_train_s);
        number(&t, "%.1f", r->cpu_gate_s);
        number(&t, "%.1f", r->cpu_measure_s);
    }
    table_end(&t, out);
}

static void add_arms(const struct elm_cycle_round *r, uint32_t round, struct elm_buf *out)
{
    static const char *const names[] = {"report set", "solved %", "gain %", "area %",
                                        "cycle ahead by", "p Holm", "CPU s a run",
                                        "CPU s to make it", "abstains"};
    struct table_text t = {0};
    if (!(r->arms > 0))
        return;
    elm_buf_printf(out, "\nAfter round %u, on problems that decide nothing:\n\n", round);
    head(&t, names, ELM_COUNT(names));
    for (uint32_t i = 0; i < (uint32_t)r->arms; i++) {
        const struct elm_cycle_arm *a = &r->arm[i];
        table_cell(&t, "%s", a->name);
        value(&t, a->solved, false);
        value(&t, a->gain, false);
        value(&t, a->area, false);
        value(&t, a->ahead, true);
        number(&t, "%.4f", a->p);
        number(&t, "%.3f", a->cpu_run_s);
        number(&t, "%.1f", a->cpu_made_s);
        table_cell(&t, "%.0f", a->abstained);
    }
    table_end(&t, out);
}

void elm_cycle_table(const struct elm_cycle *c, struct elm_buf *out)
{
    if (c->done == 0)
        return;
    add_rounds(c, out);
    elm_buf_byte(out, '\n');
    add_times(c, out);
    add_arms(&c->rounds[c->done - 1], c->done, out);
}

void elm_cycle_json(const struct elm_cycle *c, struct elm_buf *out)
{
    elm_buf_printf(out, "{\n\"version\": \"%s\",\n\"rounds\": [", ELM_VERSION);
    for (uint32_t i = 0; i < c->done; i++) {
        char *text = cycle_round_json(&c->rounds[i], i + 1);
        elm_buf_printf(out, "%s\n%s", i > 0 ? "," : "", text);
        free(text);
    }
    elm_buf_printf(out, "\n]\n}\n");
}

/* ---- the curve of the rounds ---- */
struct drawing {
    struct compare_series series[ELM_CYCLE_ARMS_MAX];
    char names[ELM_CYCLE_ARMS_MAX][ELM_COMPARE_NAME_BYTES];
    double x[ELM_CYCLE_ARMS_MAX][ELM_CYCLE_ROUNDS_MAX], y[ELM_CYCLE_ARMS_MAX][ELM_CYCLE_ROUNDS_MAX],
        lo[ELM_CYCLE_ARMS_MAX][ELM_CYCLE_ROUNDS_MAX], hi[ELM_CYCLE_ARMS_MAX][ELM_CYCLE_ROUNDS_MAX];
};

/* What had been spent by the end of the round on making the arm; of one that cost nothing, on the
 * cycle's, so that it is a level to compare with. */
static void draw_arm(const struct elm_cycle *c, struct drawing *d, uint32_t arm, bool solved)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < c->done; i++) {
        const struct elm_cycle_arm *a = &c->rounds[i].arm[arm];
        const struct elm_compare_value *v = solved ? &a->solved : &a->gain;
        if (!(c->rounds[i].arms > arm) || isnan(v->mean))
            continue;
        double spent = a->cpu_made_s > 0 ? a->cpu_made_s : cycle_cpu_s(c, i + 1);
        d->x[arm][count] = fmax(1e-3, spent);
        d->y[arm][count] = v->mean;
        d->lo[arm][count] = v->lo;
        d->hi[arm][count++] = v->hi;
        strcpy(d->names[arm], a->name);
    }
    d->series[arm] = (struct compare_series){d->names[arm], d->x[arm], d->y[arm], d->lo[arm],
                                             d->hi[arm], count};
}

static enum elm_status draw(const struct elm_cycle *c, struct elm_error *err)
{
    const struct elm_cycle_round *last = &c->rounds[c->done - 1];
    if (!(last->arms > 0))
        return ELM_OK;
    struct drawing *d = elm_calloc(1, sizeof(*d));
    bool solved = !isnan(last->arm[0].solved.mean);
    for (uint32_t i = 0; i < (uint32_t)last->arms; i++)
        draw_arm(c, d, i, solved);
    struct compare_chart chart = {"What the rounds have given",
                                  "CPU time spent on making it: searches, training, gates",
                                  solved ? "solved" : "gain", true, d->series, (uint32_t)last->arms};
    struct elm_buf svg = {0};
    compare_svg(&chart, &svg);
    char *path = cycle_path_of(c, 0, "rounds.svg");
    enum elm_status status = elm_file_write(path, elm_buf_str(&svg), err);
    free(path);
    elm_buf_release(&svg);
    free(d);
    return status;
}

static const char how_to_read[] =
    "Solved, of the training searches, is by the operator in use when the round began; valid, the share of "
    "attempts that were programs and ran; better, the share of the model's children better than their "
    "parent; QD, the sum over niches of the best fitness in each, above 0 or, where that is lower, above the "
    "seed's, mean of the searches; ANNECS, how many generated problems no program of earlier rounds solved "
    "when they were made and one since does. The gate compares the new weights with those in use on pairs of runs that nothing has seen; "
    "evidence is ln E of a test by betting that may be looked at after every pair, beside what this round "
    "may adopt at: 5 % for all rounds together. Amplification is what a search solves (or gains) over "
    "what as many single samples of the seed do. The report set is the same in every round, and decides "
    "nothing; \"ahead\" is paired. CPU times depend on the machine, and leave out what a kill has lost.\n";

enum elm_status cycle_report(const struct elm_cycle *c, struct elm_error *err)
{
    struct elm_buf text = {0};
    char *json = cycle_path_of(c, 0, "cycle-report.json"), *md = cycle_path_of(c, 0, "report.md");
    elm_cycle_json(c, &text);
    enum elm_status status = elm_file_write(json, elm_buf_str(&text), err);
    elm_buf_clear(&text);
    elm_buf_printf(&text, "# Cycle\n\n");
    add_rounds(c, &text);
    elm_buf_byte(&text, '\n');
    add_times(c, &text);
    for (uint32_t i = 0; i < c->done; i++)
        add_arms(&c->rounds[i], i + 1, &text);
    if (c->rounds[c->done - 1].arms > 0)
        elm_buf_printf(&text, "\n![What the rounds have given](rounds.svg)\n");
    elm_buf_printf(&text, "\n## How\n\n    %s\n\nelm %s, %s. %s.\n\n%s",
                   c->def.about.command == NULL ? "" : c->def.about.command, ELM_VERSION,
                   c->def.about.date == NULL ? "" : c->def.about.date,
                   c->def.about.machine == NULL ? "" : c->def.about.machine, how_to_read);
    if (status == ELM_OK)
        status = elm_file_write(md, elm_buf_str(&text), err);
    if (status == ELM_OK)
        status = draw(c, err);
    elm_buf_release(&text);
    free(json);
    free(md);
    return status;
}
