/* cycle_file: the numbers of each step as a JSON object in a file of its own, whole or not there. */
#include "learn/cycle.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BYTES_MAX ((size_t)1 << 24)

/* All are doubles; not a number is null. */
struct field {
    const char *key;
    size_t at;
};
#define ROUND(name) {#name, offsetof(struct elm_cycle_round, name)}
#define SOLVED_AT(k) {"solved_at_" #k, offsetof(struct elm_cycle_round, solved_at[k - 1])}
static const struct field of_solve[] = {
    ROUND(corruptions_min), ROUND(corruptions_max), ROUND(searches), ROUND(evaluations),
    ROUND(solved), SOLVED_AT(1), SOLVED_AT(2), SOLVED_AT(3), SOLVED_AT(4), SOLVED_AT(5),
    SOLVED_AT(6), SOLVED_AT(7), SOLVED_AT(8), ROUND(valid), ROUND(better), ROUND(qd),
    ROUND(coverage), ROUND(taught), ROUND(annecs),
    ROUND(cpu_solve_s), {0}};
static const struct field of_train[] = {ROUND(trained), ROUND(steps), ROUND(samples), ROUND(loss),
                                        ROUND(cpu_train_s), {0}};
static const struct field of_gate[] = {
    ROUND(pairs), ROUND(wins), ROUND(losses), ROUND(difference), ROUND(log_e), ROUND(log_e_wanted),
    ROUND(adopted), ROUND(cpu_gate_s), {0}};
static const struct field of_measure[] = {ROUND(arms), ROUND(amplification), ROUND(cpu_measure_s),
                                          {0}};
static const struct { const char *file; const struct field *fields; } steps[ELM_CYCLE_END] = {
    {"solve.json", of_solve}, {"train.json", of_train}, {"gate.json", of_gate},
    {"measure.json", of_measure}};

#define ARM(name) {#name, offsetof(struct elm_cycle_arm, name)}
#define VALUE(name) ARM(name.mean), ARM(name.lo), ARM(name.hi)
static const struct field of_arm[] = {
    VALUE(solved), VALUE(gain), VALUE(area), VALUE(ahead), ARM(p), ARM(cpu_run_s),
    ARM(cpu_made_s), ARM(abstained), {0}};

#define FINDING(name) {#name, offsetof(struct cycle_finding, name)}
static const struct field of_finding[] = {
    FINDING(solved), FINDING(evaluations), FINDING(attempts), FINDING(ok), FINDING(asked),
    FINDING(better), FINDING(best), FINDING(cpu_s), FINDING(qd),
    FINDING(coverage), {0}};

static const struct field of_making[] = {{"steps", offsetof(struct cycle_making, steps)},
                                         {"cpu_s", offsetof(struct cycle_making, cpu_s)}, {0}};

static void put(json_t *to, const struct field *fields, const void *from)
{
    for (; fields->key != NULL; fields++) {
        double x;
        memcpy(&x, (const char *)from + fields->at, sizeof(x));
        json_object_set_new(to, fields->key, isfinite(x) ? json_real(x) : json_null());
    }
}

static bool get(const json_t *from, const struct field *fields, void *to)
{
    for (; fields->key != NULL; fields++) {
        const json_t *v = json_object_get(from, fields->key);
        double x = json_is_number(v) ? json_number_value(v) : NAN;
        if (!json_is_number(v) && !json_is_null(v))
            return false;
        memcpy((char *)to + fields->at, &x, sizeof(x));
    }
    return true;
}

void cycle_round_clear(struct elm_cycle_round *r)
{
    memset(r, 0, sizeof(*r));
    for (int step = 0; step < ELM_CYCLE_END; step++) {
        for (const struct field *f = steps[step].fields; f->key != NULL; f++) {
            double none = NAN;
            memcpy((char *)r + f->at, &none, sizeof(none));
        }
    }
}

/* ---- arms ---- */
static void put_arms(json_t *to, const struct elm_cycle_round *r)
{
    json_t *list = json_array();
    for (uint32_t i = 0; r->arms > 0 && i < (uint32_t)r->arms; i++) {
        json_t *one = json_object();
        json_object_set_new(one, "name", json_string(r->arm[i].name));
        put(one, of_arm, &r->arm[i]);
        json_array_append_new(list, one);
    }
    json_object_set_new(to, "arm", list);
}

static bool get_arms(const json_t *from, struct elm_cycle_round *r)
{
    const json_t *list = json_object_get(from, "arm");
    size_t count = json_array_size(list);
    if (!json_is_array(list) || count > ELM_CYCLE_ARMS_MAX || r->arms != (double)count)
        return false;
    for (size_t i = 0; i < count; i++) {
        const json_t *one = json_array_get(list, i);
        const char *name = json_string_value(json_object_get(one, "name"));
        if (name == NULL || strlen(name) >= sizeof(r->arm[i].name) || !get(one, of_arm, &r->arm[i]))
            return false;
        strcpy(r->arm[i].name, name);
    }
    return true;
}

/* ---- files ---- */
static enum elm_status write_json(const char *path, json_t *document, struct elm_error *err)
{
    char *text = json_dumps(document, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
    json_decref(document);
    ELM_ASSERT(text != NULL);
    struct elm_buf line = {0};
    elm_buf_printf(&line, "%s\n", text);
    free(text);
    enum elm_status status = elm_file_write(path, elm_buf_str(&line), err);
    elm_buf_release(&line);
    return status;
}

/* NULL: the file is not there, or an error. */
static enum elm_status read_json(const char *path, json_t **out, struct elm_error *err)
{
    struct elm_buf text = {0};
    json_error_t wrong;
    *out = NULL;
    if (!cycle_there(path))
        return ELM_OK;
    enum elm_status status = elm_file_read(path, BYTES_MAX, &text, err);
    if (status == ELM_OK) {
        *out = json_loadb(text.len > 0 ? text.ptr : "", text.len, 0, &wrong);
        if (*out == NULL)
            status = elm_fail(err, ELM_CORRUPT, "%s:%d: %s; delete the file, its step will be made "
                              "again", path, wrong.line, wrong.text);
    }
    elm_buf_release(&text);
    return status;
}

static enum elm_status damaged(const char *path, struct elm_error *err)
{
    return elm_fail(err, ELM_CORRUPT, "%s: a number is missing or wrong; delete the file, its step will be made "
                    "again", path);
}

/* What later steps take as an index or a number of the generator's. */
static bool in_range(const struct elm_cycle *c, const struct elm_cycle_round *r)
{
    return !c->def.generated || (r->corruptions_min >= 1 && r->corruptions_min <= r->corruptions_max &&
                                 r->corruptions_max <= ELM_CYCLE_CORRUPTIONS_MAX);
}

enum elm_status cycle_step_read(struct elm_cycle *c, uint32_t round, enum elm_cycle_step step,
                                bool *there, struct elm_error *err)
{
    struct elm_cycle_round *r = &c->rounds[round - 1];
    char *path = cycle_path_of(c, round, steps[step].file);
    json_t *document;
    enum elm_status status = read_json(path, &document, err);
    *there = document != NULL;
    if (document != NULL && (!get(document, steps[step].fields, r) ||
                             (step == ELM_CYCLE_SOLVE && !in_range(c, r)) ||
                             (step == ELM_CYCLE_MEASURE && !get_arms(document, r))))
        status = damaged(path, err);
    json_decref(document);
    free(path);
    return status;
}

enum elm_status cycle_step_write(struct elm_cycle *c, uint32_t round, enum elm_cycle_step step,
                                 struct elm_error *err)
{
    const struct elm_cycle_round *r = &c->rounds[round - 1];
    char *path = cycle_path_of(c, round, steps[step].file);
    json_t *document = json_object();
    put(document, steps[step].fields, r);
    if (step == ELM_CYCLE_MEASURE)
        put_arms(document, r);
    enum elm_status status = write_json(path, document, err);
    free(path);
    return status;
}

char *cycle_round_json(const struct elm_cycle_round *r, uint32_t round)
{
    json_t *document = json_object();
    json_object_set_new(document, "round", json_integer(round));
    for (int step = 0; step < ELM_CYCLE_END; step++)
        put(document, steps[step].fields, r);
    put_arms(document, r);
    char *text = json_dumps(document, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
    json_decref(document);
    ELM_ASSERT(text != NULL);
    return text;
}

static enum elm_status read_fields(const char *path, const struct field *fields, void *out,
                                   bool *there, struct elm_error *err)
{
    json_t *document;
    enum elm_status status = read_json(path, &document, err);
    *there = document != NULL;
    if (document != NULL && !get(document, fields, out))
        status = damaged(path, err);
    json_decref(document);
    return status;
}

static enum elm_status write_fields(const char *path, const struct field *fields, const void *from,
                                    struct elm_error *err)
{
    json_t *document = json_object();
    put(document, fields, from);
    return write_json(path, document, err);
}

enum elm_status cycle_finding_read(const char *path, struct cycle_finding *out, bool *there,
                                   struct elm_error *err)
{
    return read_fields(path, of_finding, out, there, err);
}

enum elm_status cycle_finding_write(const char *path, const struct cycle_finding *f,
                                    struct elm_error *err)
{
    return write_fields(path, of_finding, f, err);
}

enum elm_status cycle_making_read(const char *path, struct cycle_making *out, bool *there,
                                  struct elm_error *err)
{
    return read_fields(path, of_making, out, there, err);
}

enum elm_status cycle_making_write(const char *path, const struct cycle_making *m,
                                   struct elm_error *err)
{
    return write_fields(path, of_making, m, err);
}
