/* cycle_open: a definition becomes a cycle: what can be wrong is looked at first, and the folder must be
 * this one's. */
#include "learn/cycle.h"
#include "learn/quality.h"

#include "elm/nano.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define WIDTH 64                 /* of random weights */
#define LAYERS 3

static const struct { const char *name, *summary; } controls[] = {
    {"base", "the base weights, same operators"},
    {"inversions", "the base weights trained on fresh inversions for all CPU time that the cycle has taken"},
    {"shuffled", "the base weights trained on the same searches, outcomes changing places within each run"},
    {"frequencies", "the operator frequent in the place of the trained one, its table counted from the good "
                    "edits of the same searches"},
    {"semantic", "wanted values, genetic programming and constants: no weights at all"},
    {"gp", "genetic programming alone"},
    {"best-of", "single samples of the operator in use, of the seed only"},
};

const char *elm_cycle_control(size_t i, const char **summary)
{
    if (i >= ELM_COUNT(controls))
        return NULL;
    if (summary != NULL)
        *summary = controls[i].summary;
    return controls[i].name;
}

static bool in_list(const char *list, const char *name)
{
    size_t len = strlen(name);
    for (const char *at = list; *at != '\0';) {
        size_t span = strcspn(at, ",");
        if (span == len && memcmp(at, name, len) == 0)
            return true;
        at += span + (at[span] == ',');
    }
    return false;
}

bool cycle_controls(const struct elm_cycle *c, const char *name)
{
    return c->def.controls == NULL || in_list(c->def.controls, name);
}

struct elm_cycle_def elm_default_cycle_def(void)
{
    return (struct elm_cycle_def){
        .count = 24, .corruptions_min = 1, .corruptions_max = 2, .rounds = 3, .seeds = 4,
        .evaluations = 1000, .gate = 256, .held_out = 100, .operators = "nano,tree", .seed = 1,
        .train = {.trainer = "inversions", .model = "builtin", .steps = 1000, .warmup = 0.02f}};
}

/* ---- what is asked ---- */
static enum elm_status check_numbers(const struct elm_cycle_def *d, struct elm_error *err)
{
    const struct { const char *name; uint64_t value, lo, hi; } numbers[] = {
        {"rounds", d->rounds, 1, ELM_CYCLE_ROUNDS_MAX}, {"seeds", d->seeds, 1, 1000},
        {"evaluations", d->evaluations, 1, UINT32_MAX}, {"gate", d->gate, 0, 100000},
        {"held-out", d->held_out, 0, 100000}, {"steps", d->train.steps, 1, 1000000000},
        {"count", d->count, 1, 999},
    };
    for (size_t i = 0; i < ELM_COUNT(numbers); i++) {
        if (numbers[i].value < numbers[i].lo || numbers[i].value > numbers[i].hi)
            return elm_fail(err, ELM_USAGE, "%s %llu: %llu to %llu is allowed", numbers[i].name,
                            (unsigned long long)numbers[i].value, (unsigned long long)numbers[i].lo,
                            (unsigned long long)numbers[i].hi);
    }
    if (d->corruptions_min < 1 || d->corruptions_max > ELM_CYCLE_CORRUPTIONS_MAX ||
        d->corruptions_min > d->corruptions_max)
        return elm_fail(err, ELM_USAGE, "%u to %u corruptions: 1 to %d are allowed, the smaller number "
                        "first", d->corruptions_min, d->corruptions_max, ELM_CYCLE_CORRUPTIONS_MAX);
    return ELM_OK;
}

static enum elm_status check_controls(const struct elm_cycle_def *d, struct elm_error *err)
{
    struct elm_buf known = {0};
    if (d->controls == NULL || strcmp(d->controls, "none") == 0)
        return ELM_OK;
    for (size_t i = 0; i < ELM_COUNT(controls); i++)
        elm_buf_printf(&known, "%s%s", i > 0 ? "," : "", controls[i].name);
    enum elm_status status = ELM_OK;
    for (const char *at = d->controls; *at != '\0' && status == ELM_OK;) {
        char name[64];
        size_t span = strcspn(at, ",");
        snprintf(name, sizeof(name), "%.*s", (int)(span < 63 ? span : 63), at);
        if (!in_list(known.ptr, name))
            status = elm_fail(err, ELM_USAGE, "there is no control '%s'; there are: %s, or none", name,
                              known.ptr);
        at += span + (at[span] == ',');
    }
    elm_buf_release(&known);
    return status;
}

static enum elm_status check_operators(const struct elm_cycle *c, struct elm_error *err)
{
    const struct elm_cycle_def *d = &c->def;
    struct elm_arena arena = {0};
    struct elm_compare_arm arm;
    struct elm_error why = {0};
    struct elm_buf text = {0};
    elm_buf_printf(&text, "operators: operators=%s", d->operators);
    enum elm_status status = elm_compare_arm_parse(text.ptr, &arena, &arm, &why);
    if (status == ELM_OK && arm.backend != NULL)
        status = elm_fail(&why, ELM_USAGE, "one of them asks a language model, which a cycle does not "
                          "train");
    bool trained = false, plain = false;
    for (size_t i = 0; status == ELM_OK && elm_operator_kinds[i] != NULL; i++) {
        bool wanted = in_list(arm.operators, elm_operator_kinds[i]->name);
        trained |= elm_operator_kinds[i]->model != NULL && wanted;
        plain |= elm_operator_kinds[i]->model == NULL && wanted;
    }
    if (status == ELM_OK && !trained)
        status = elm_fail(&why, ELM_USAGE, "none of them has a model that could be trained; nano, guided, "
                          "recall and frequent have");
    if (status == ELM_OK && c->trainer->from_nothing && !plain)
        status = elm_fail(&why, ELM_USAGE, "trainer '%s' starts from nothing, so that the first round "
                          "needs one without a model too: add tree", c->trainer->name);
    elm_buf_release(&text);
    elm_arena_release(&arena);
    return status == ELM_OK ? ELM_OK : elm_fail(err, ELM_USAGE, "operators '%.100s': %s",
                                                d->operators, why.message);
}

static enum elm_status check_problem(struct elm_cycle *c, const char *load,
                                     struct elm_error *err)
{
    struct elm_problem *p;
    enum elm_status status = ELM_OK;
    ELM_TRY(elm_problem_load(load, c->def.problems_path, &p, err));
    c->quality &= quality_applies(p) && isnan(p->target);
    if (p->judge == ELM_JUDGE_COMPARE)
        status = elm_fail(err, ELM_USAGE, "problem '%s' only says which of two programs is better, so "
                          "a gate has no fitness to compare", load);
    else if (p->seed.count == 0)
        status = elm_fail(err, ELM_USAGE, "the operator abstains on '%s', whose seed is outside core C "
                          "(%s); leave the problem out", load,
                          p->seed_outside == NULL ? "another language" : p->seed_outside);
    elm_problem_free(p);
    return status;
}

static enum elm_status check_problems(struct elm_cycle *c, struct elm_error *err)
{
    const struct elm_cycle_def *d = &c->def;
    if (d->generated == (d->problem_count > 0))
        return elm_fail(err, ELM_USAGE, "%s give names (`elm problems` lists them), or --generated "
                        "functions", d->generated ? "problems by name and generated ones don't go "
                        "together;" : "on which problems?");
    c->quality = d->problem_count > 0;
    for (uint32_t i = 0; i < d->problem_count; i++) {
        for (uint32_t k = 0; k < i; k++) {
            if (strcmp(d->problems[i], d->problems[k]) == 0)
                return elm_fail(err, ELM_USAGE, "problem '%s' is given twice", d->problems[i]);
        }
        ELM_TRY(check_problem(c, d->problems[i], err));
    }
    return ELM_OK;
}

static enum elm_status check_trainer(struct elm_cycle *c, struct elm_error *err)
{
    struct elm_buf known = {0};
    const char *name = c->def.train.trainer;
    c->trainer = elm_trainer_find(name == NULL ? "" : name);
    if (c->trainer != NULL)
        return ELM_OK;
    for (size_t i = 0; elm_trainer_kinds[i] != NULL; i++)
        elm_buf_printf(&known, "%s%s", i > 0 ? ", " : "", elm_trainer_kinds[i]->name);
    enum elm_status status = elm_fail(err, ELM_USAGE, "there is no trainer '%.60s'; there are: %s",
                                      name == NULL ? "" : name, known.ptr);
    elm_buf_release(&known);
    return status;
}

/* ---- the folder ---- */
static enum elm_status take_lock(struct elm_cycle *c, struct elm_error *err)
{
    char *path = cycle_path_of(c, 0, "lock");
    enum elm_status status = ELM_OK;
    c->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0666);
    if (c->lock < 0)
        status = elm_fail(err, errno == ENOSPC ? ELM_FULL : ELM_IO, "cannot open '%s': %s", path,
                          strerror(errno));
    else if (flock(c->lock, LOCK_EX | LOCK_NB) != 0)
        status = elm_fail(err, ELM_LOCKED, "another cycle works in '%s'", c->def.folder);
    free(path);
    return status;
}

/* A file is known by its bytes. What can't be opened is said before a folder is this cycle's. */
static enum elm_status model_setting(const struct elm_cycle *c, struct elm_buf *out,
                                     struct elm_error *err)
{
    const struct elm_train_def *t = &c->def.train;
    struct elm_buf bytes = {0};
    struct elm_nano *nano;
    if (c->trainer->from_nothing) {
        elm_buf_printf(out, "none");
        return strcmp(t->model, "builtin") == 0 ? ELM_OK : elm_fail(err, ELM_USAGE, "trainer '%s' starts "
                                                                     "from nothing: leave the model away",
                                                                     c->trainer->name);
    }
    if (strcmp(t->model, "builtin") == 0) {
        if (elm_nano_builtin(&nano, NULL) != ELM_OK)
            return elm_fail(err, ELM_NOT_FOUND, "no model is built in; give --model random, or a file");
        elm_nano_free(nano);
        elm_buf_printf(out, "builtin");
        return ELM_OK;
    }
    if (strcmp(t->model, "random") == 0) {
        elm_buf_printf(out, "random, width %u, layers %u", t->width, t->layers);
        return ELM_OK;
    }
    ELM_TRY(elm_nano_open(t->model, &nano, err));
    elm_nano_free(nano);
    enum elm_status status = elm_file_read(t->model, (size_t)1 << 33, &bytes, err);
    if (status == ELM_OK)
        elm_buf_printf(out, "file %016llx", (unsigned long long)elm_hash(bytes.ptr, bytes.len, 0));
    elm_buf_release(&bytes);
    return status;
}

static void set(json_t *to, const char *key, const char *text)
{
    /* text that is no UTF-8 would be refused; a path may be such */
    if (json_object_set_new(to, key, json_string(text == NULL ? "" : text)) != 0)
        json_object_set_new(to, key, json_integer((json_int_t)(elm_hash(text, strlen(text), 0) >> 12)));
}

/* All that a round depends on, and that must therefore not change. */
static json_t *settings_of(const struct elm_cycle *c, const char *model)
{
    const struct elm_cycle_def *d = &c->def;
    const struct elm_train_def *t = &d->train;
    json_t *all = json_object();
    struct elm_buf problems = {0}, numbers = {0};
    for (uint32_t i = 0; i < d->problem_count; i++)
        elm_buf_printf(&problems, "%s%s", i > 0 ? " " : "", d->problems[i]);
    if (d->generated)
        elm_buf_printf(&problems, "generated, %u a round, from %u-%u corruptions", d->count,
                       d->corruptions_min, d->corruptions_max);
    elm_buf_printf(&numbers, "rate %g, batch %u, warm-up %g, clip %g, decay %g, inversions %g",
                   (double)t->rate, t->batch, (double)t->warmup, (double)t->clip,
                   (double)t->options.decay, (double)t->inversions);
    set(all, "problems", problems.ptr);
    set(all, "operators", d->operators);
    set(all, "model", model);
    set(all, "trainer", t->trainer);
    set(all, "training", numbers.ptr);
    set(all, "labels", t->labels == NULL ? "the trainer's own" : t->labels);
    set(all, "optimizer", t->optimizer == NULL ? "adamw" : t->optimizer);
    set(all, "schedule", t->schedule == NULL ? "cosine" : t->schedule);
    set(all, "controls", d->controls == NULL ? "all" : d->controls);
    const struct { const char *key; uint64_t value; } wholes[] = {
        {"seed", d->seed}, {"steps", t->steps}, {"evaluations", d->evaluations},
        {"seeds", d->seeds}, {"gate", d->gate}, {"held-out", d->held_out},
    };
    for (size_t i = 0; i < ELM_COUNT(wholes); i++) {
        char text[32];
        snprintf(text, sizeof(text), "%llu", (unsigned long long)wholes[i].value);
        set(all, wholes[i].key, text);
    }
    elm_buf_release(&problems);
    elm_buf_release(&numbers);
    return all;
}

static enum elm_status compare_settings(const char *path, json_t *mine,
                                        struct elm_error *err)
{
    struct elm_buf text = {0};
    json_error_t wrong;
    ELM_TRY(elm_file_read(path, (size_t)1 << 24, &text, err));
    json_t *theirs = json_loadb(text.len > 0 ? text.ptr : "", text.len, 0, &wrong);
    enum elm_status status = ELM_OK;
    const char *key;
    json_t *value;
    elm_buf_release(&text);
    if (!json_is_object(theirs))
        status = elm_fail(err, ELM_CORRUPT, "%s: no settings of a cycle; give another --out", path);
    json_object_foreach(mine, key, value) {
        const json_t *other = json_object_get(theirs, key);
        if (status == ELM_OK && !json_equal(value, other))
            status = elm_fail(err, ELM_USAGE, "%s: the cycle in this folder has another '%s' ('%.100s', "
                              "not '%.100s'); give another --out, or what it was begun with", path, key,
                              json_is_string(other) ? json_string_value(other) : "?",
                              json_is_string(value) ? json_string_value(value) : "?");
    }
    json_decref(theirs);
    return status;
}

static enum elm_status check_settings(struct elm_cycle *c, struct elm_error *err)
{
    struct elm_buf model = {0};
    char *path = cycle_path_of(c, 0, "cycle.json");
    enum elm_status status = model_setting(c, &model, err);
    if (status == ELM_OK) {
        json_t *mine = settings_of(c, model.ptr);
        if (cycle_there(path)) {
            status = compare_settings(path, mine, err);
        } else {
            char *text = json_dumps(mine, JSON_INDENT(2));
            status = elm_file_write(path, elm_str(text), err);
            free(text);
        }
        json_decref(mine);
    }
    elm_buf_release(&model);
    free(path);
    return status;
}

static enum elm_status make_base(struct elm_cycle *c, struct elm_error *err)
{
    const struct elm_train_def *t = &c->def.train;
    struct elm_nano *nano;
    if (strcmp(t->model, "builtin") == 0) {
        ELM_TRY(elm_nano_builtin(&nano, err));
    } else if (strcmp(t->model, "random") == 0) {
        uint32_t width = t->width > 0 ? t->width : WIDTH;
        struct elm_nano_config config = {width, t->layers > 0 ? t->layers : LAYERS, 4 * width};
        ELM_TRY(elm_nano_new(&config, c->def.seed, &nano, err));
    } else {
        return cycle_copy(t->model, c->base, err);
    }
    struct elm_nano_card card = {.description = "The base of a cycle.", .seed = c->def.seed};
    enum elm_status status = elm_nano_write(nano, &card, c->base, err);
    elm_nano_free(nano);
    return status;
}

static enum elm_status open_all(struct elm_cycle *c, struct elm_error *err)
{
    ELM_TRY(check_numbers(&c->def, err));
    ELM_TRY(check_controls(&c->def, err));
    ELM_TRY(check_trainer(c, err));
    ELM_TRY(check_operators(c, err));
    if (c->def.folder == NULL || c->def.folder[0] == '\0')
        return elm_fail(err, ELM_USAGE, "where is the cycle kept? give --out FOLDER");
    ELM_TRY(check_problems(c, err));
    ELM_TRY(cycle_folder(c->def.folder, err));
    ELM_TRY(take_lock(c, err));
    ELM_TRY(check_settings(c, err));
    if (c->trainer->from_nothing)
        return ELM_OK;
    c->base = cycle_path_of(c, 0, "base.gguf");
    c->current = c->base;
    if (!cycle_there(c->base))
        return make_base(c, err);
    return ELM_OK;
}

enum elm_status elm_cycle_open(const struct elm_cycle_def *def, struct elm_cycle **out,
                               struct elm_error *err)
{
    ELM_ASSERT(def->keeper != NULL);
    struct elm_cycle *c = elm_calloc(1, sizeof(*c));
    c->def = *def;
    c->lock = -1;
    if (c->def.train.model == NULL)
        c->def.train.model = "builtin";
    enum elm_status status = open_all(c, err);
    if (status != ELM_OK) {
        elm_cycle_close(c);
        return status;
    }
    *out = c;
    return ELM_OK;
}
