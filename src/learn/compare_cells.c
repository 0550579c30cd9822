/*
 * compare_cells: finished cells in FOLDER/cells.jsonl, a line each, found again by a key that is a
 * hash of everything they depend on. A line is written at once, so that a kill loses the cells under
 * way; what it leaves of a line is cut off. Lines of other comparisons may stand in the file too.
 */
#include "learn/compare.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct wanted {
    uint64_t key;
    uint32_t cell;
};

static uint64_t key_of(const struct elm_compare *c, uint32_t cell)
{
    struct compare_place at = compare_place(c, cell);
    const struct elm_compare_def *d = &c->def;
    const struct compare_problem *p = &c->problems[at.problem];
    struct elm_buf all = {0};
    elm_buf_printf(&all, "%016llx %016llx %016llx %d %d %llu %llu %.17g %.17g %llu",
                   (unsigned long long)c->program, (unsigned long long)p->hash,
                   (unsigned long long)c->arm_hash[at.arm], p->trial, d->quality,
                   (unsigned long long)(d->seed + at.seed),
                   (unsigned long long)compare_arm_evaluations(c, at.arm),
                   d->cpu_s, d->evaluation_s, (unsigned long long)d->tokens);
    uint64_t key = elm_hash(all.ptr, all.len, 0);
    elm_buf_release(&all);
    return key;
}

static int by_key(const void *a, const void *b)
{
    const struct wanted *x = a, *y = b;
    return x->key != y->key ? (x->key < y->key ? -1 : 1) : (x->cell > y->cell) - (x->cell < y->cell);
}

static double number(const json_t *line, const char *key)
{
    const json_t *v = json_object_get(line, key);
    return json_is_number(v) ? json_number_value(v) : NAN;
}

/* A whole number that may be stored; UINT64_MAX for anything else. */
static uint64_t whole(const json_t *line, const char *key)
{
    const json_t *v = json_object_get(line, key);
    return json_is_integer(v) && json_integer_value(v) >= 0 ? (uint64_t)json_integer_value(v)
                                                            : UINT64_MAX;
}

static bool read_curves(const json_t *line, struct elm_compare_cell *out)
{
    const json_t *curve = json_object_get(line, "curve"), *cpu = json_object_get(line, "curve_cpu_s");
    size_t count = json_array_size(curve);
    if (!json_is_array(curve) || !json_is_array(cpu) || count > ELM_COMPARE_MARKS ||
        json_array_size(cpu) != count)
        return false;
    out->marks = (uint8_t)count;
    for (size_t i = 0; i < count; i++) {
        if (!json_is_number(json_array_get(curve, i)) || !json_is_number(json_array_get(cpu, i)))
            return false;
        out->curve[i] = json_number_value(json_array_get(curve, i));
        out->curve_cpu_s[i] = (float)json_number_value(json_array_get(cpu, i));
    }
    return true;
}

static bool read_cell(const json_t *line, struct elm_compare_cell *out, const char **why)
{
    struct elm_compare_cell cell = {.done = true};
    *why = json_string_value(json_object_get(line, "why"));
    cell.abstained = *why != NULL;
    cell.solved = json_is_true(json_object_get(line, "solved"));
    cell.solved_at = whole(line, "solved_at");
    cell.evaluations = whole(line, "evaluations");
    cell.tokens = whole(line, "tokens");
    uint64_t cpu_us = whole(line, "cpu_us"), solved_cpu_us = whole(line, "solved_cpu_us");
    cell.cpu_us = (int64_t)cpu_us;
    cell.solved_cpu_us = (int64_t)solved_cpu_us;
    cell.seed_fitness = number(line, "seed_fitness");
    cell.best = number(line, "best");
    cell.audit = number(line, "audit");
    bool good = read_curves(line, &cell) && cell.solved_at != UINT64_MAX &&
                cell.evaluations != UINT64_MAX && cell.tokens != UINT64_MAX &&
                cpu_us != UINT64_MAX && solved_cpu_us != UINT64_MAX &&
                (cell.abstained || (isfinite(cell.seed_fitness) && isfinite(cell.best)));
    if (good)
        *out = cell;
    return good;
}

static void take(struct elm_compare *c, uint32_t index, const struct elm_compare_cell *cell,
                 const char *why)
{
    struct compare_place at = compare_place(c, index);
    char **to = &c->problems[at.problem].why[at.arm];
    if (c->cells[index].done)
        return;
    c->cells[index] = *cell;
    c->resumed++;
    c->done++;
    if (cell->abstained && *to == NULL)
        *to = elm_strdup(why);
}

static enum elm_status read_line(struct elm_compare *c, const struct wanted *wanted,
                                 const char *text, size_t len, uint32_t number_of_line,
                                 struct elm_error *err)
{
    json_error_t wrong;
    json_t *line = json_loadb(text, len, 0, &wrong);
    const char *key = json_string_value(json_object_get(line, "key")), *why = NULL;
    char *end = NULL;
    struct wanted w = {.key = key == NULL ? 0 : strtoull(key, &end, 16)};
    struct elm_compare_cell cell;
    bool good = key != NULL && *end == '\0' && read_cell(line, &cell, &why);
    /* the first that has the key, if any */
    uint32_t low = 0, high = c->cell_count;
    while (good && low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (wanted[middle].key < w.key)
            low = middle + 1;
        else
            high = middle;
    }
    for (; good && low < c->cell_count && wanted[low].key == w.key; low++)
        take(c, wanted[low].cell, &cell, why);
    json_decref(line);
    if (good)
        return ELM_OK;
    return elm_fail(err, ELM_CORRUPT, "%s/cells.jsonl:%u: no finished cell; delete the line, its run "
                    "will be made again", c->def.folder, number_of_line);
}

/* Reads whole lines; what follows the last of them is cut off. */
static enum elm_status read_file(struct elm_compare *c, const struct wanted *wanted,
                                 struct elm_error *err)
{
    int copy = dup(c->file);
    FILE *from = copy < 0 ? NULL : fdopen(copy, "r");
    if (from == NULL) {
        if (copy >= 0)
            close(copy);
        return elm_fail(err, ELM_IO, "cannot read '%s/cells.jsonl': %s", c->def.folder,
                        strerror(errno));
    }
    char *text = NULL;
    size_t cap = 0;
    off_t good = 0;
    uint32_t lines = 0;
    enum elm_status status = ELM_OK;
    for (ssize_t len; status == ELM_OK && (len = getline(&text, &cap, from)) > 0;) {
        if (text[len - 1] != '\n')
            break;
        status = read_line(c, wanted, text, (size_t)len, ++lines, err);
        good += len;
    }
    if (status == ELM_OK && ferror(from))
        status = elm_fail(err, ELM_IO, "cannot read '%s/cells.jsonl': %s", c->def.folder,
                          strerror(errno));
    free(text);
    fclose(from);
    if (status == ELM_OK && ftruncate(c->file, good) != 0)
        status = elm_fail(err, ELM_IO, "cannot cut '%s/cells.jsonl': %s", c->def.folder,
                          strerror(errno));
    return status;
}

enum elm_status compare_cells_open(struct elm_compare *c, struct elm_error *err)
{
    if (c->def.folder == NULL)
        return ELM_OK;
    if (mkdir(c->def.folder, 0777) != 0 && errno != EEXIST)
        return elm_fail(err, ELM_IO, "cannot make the folder '%s': %s", c->def.folder,
                        strerror(errno));
    struct elm_buf path = {0};
    elm_buf_printf(&path, "%s/cells.jsonl", c->def.folder);
    c->file = open(path.ptr, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0666);
    enum elm_status status = ELM_OK;
    if (c->file < 0)
        status = elm_fail(err, ELM_IO, "cannot open '%s': %s", path.ptr, strerror(errno));
    else if (flock(c->file, LOCK_EX | LOCK_NB) != 0)
        status = elm_fail(err, ELM_LOCKED, "another comparison works in '%s'", c->def.folder);
    elm_buf_release(&path);
    ELM_TRY(status);
    struct wanted *wanted = elm_malloc((c->cell_count + 1) * sizeof(*wanted));
    for (uint32_t i = 0; i < c->cell_count; i++)
        wanted[i] = (struct wanted){key_of(c, i), i};
    qsort(wanted, c->cell_count, sizeof(*wanted), by_key);
    status = read_file(c, wanted, err);
    free(wanted);
    return status;
}

static json_t *real(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static json_t *line_of(const struct elm_compare *c, uint32_t index)
{
    struct compare_place at = compare_place(c, index);
    const struct elm_compare_cell *cell = &c->cells[index];
    const struct compare_problem *p = &c->problems[at.problem];
    const char *why = p->why[at.arm];
    json_t *line = json_object();
    json_object_set_new(line, "key", json_sprintf("%016llx", (unsigned long long)key_of(c, index)));
    json_object_set_new(line, "arm", json_string(c->def.arms[at.arm].name));
    json_object_set_new(line, "problem", json_string(p->label));
    json_object_set_new(line, "seed", json_integer((json_int_t)(c->def.seed + at.seed)));
    if (cell->abstained && json_object_set_new(line, "why", json_string(why)) != 0)
        json_object_set_new(line, "why", json_string("it can do nothing here"));
    json_object_set_new(line, "solved", json_boolean(cell->solved));
    json_object_set_new(line, "solved_at", json_integer((json_int_t)cell->solved_at));
    json_object_set_new(line, "evaluations", json_integer((json_int_t)cell->evaluations));
    json_object_set_new(line, "tokens", json_integer((json_int_t)cell->tokens));
    json_object_set_new(line, "seed_fitness", real(cell->seed_fitness));
    json_object_set_new(line, "best", real(cell->best));
    json_object_set_new(line, "audit", real(cell->audit));
    json_object_set_new(line, "cpu_us", json_integer((json_int_t)cell->cpu_us));
    json_object_set_new(line, "solved_cpu_us", json_integer((json_int_t)cell->solved_cpu_us));
    json_t *curve = json_array(), *cpu = json_array();
    for (uint32_t i = 0; i < cell->marks; i++) {
        json_array_append_new(curve, json_real(cell->curve[i]));
        json_array_append_new(cpu, json_real((double)cell->curve_cpu_s[i]));
    }
    json_object_set_new(line, "curve", curve);
    json_object_set_new(line, "curve_cpu_s", cpu);
    return line;
}

enum elm_status compare_cells_append(struct elm_compare *c, uint32_t cell, struct elm_error *err)
{
    if (c->file < 0)
        return ELM_OK;
    json_t *line = line_of(c, cell);
    char *text = json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(17) | JSON_ENSURE_ASCII);
    json_decref(line);
    ELM_ASSERT(text != NULL);
    size_t len = strlen(text), done = 0;
    text[len] = '\n';    /* in place of the end, which nobody needs any more */
    enum elm_status status = ELM_OK;
    while (done <= len && status == ELM_OK) {
        ssize_t put = write(c->file, text + done, len + 1 - done);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            status = elm_fail(err, errno == ENOSPC || errno == EDQUOT ? ELM_FULL : ELM_IO,
                              "cannot write '%s/cells.jsonl': %s", c->def.folder, strerror(errno));
        else
            done += (size_t)put;
    }
    free(text);
    return status;
}
