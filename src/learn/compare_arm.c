/* compare_arm: arms and generated problems as they are written, and what they are known by. */
#include "learn/compare.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct elm_str trim(struct elm_str s)
{
    while (s.len > 0 && strchr(" \t\n", s.ptr[0]) != NULL)
        s.ptr++, s.len--;
    while (s.len > 0 && strchr(" \t\n", s.ptr[s.len - 1]) != NULL)
        s.len--;
    return s;
}

static const char *keep(struct elm_arena *arena, struct elm_str s)
{
    char *copy = elm_arena_alloc(arena, s.len + 1);
    memcpy(copy, s.ptr, s.len);
    copy[s.len] = '\0';
    return copy;
}

static enum elm_status unknown(const char *arm, const char *kind, const char *name,
                               struct elm_buf *known, struct elm_error *err)
{
    enum elm_status status = elm_fail(err, ELM_USAGE, "arm '%s': there is no %s '%.60s'; there are: "
                                      "%s", arm, kind, name, known->ptr);
    elm_buf_release(known);
    return status;
}

static enum elm_status check_operator(const char *arm, const char *name, struct elm_error *err)
{
    struct elm_buf known = {0};
    if (elm_operator_find(name) != NULL)
        return ELM_OK;
    for (size_t i = 0; elm_operator_kinds[i] != NULL; i++)
        elm_buf_printf(&known, "%s%s", i > 0 ? ", " : "", elm_operator_kinds[i]->name);
    return unknown(arm, "operator", name, &known, err);
}

static enum elm_status check_archive(const char *arm, const char *name, struct elm_error *err)
{
    struct elm_buf known = {0};
    if (elm_archive_find(name) != NULL)
        return ELM_OK;
    for (size_t i = 0; elm_archive_kinds[i] != NULL; i++)
        elm_buf_printf(&known, "%s%s", i > 0 ? ", " : "", elm_archive_kinds[i]->name);
    return unknown(arm, "archive", name, &known, err);
}

static enum elm_status check_selector(const char *arm, const char *name, struct elm_error *err)
{
    struct elm_buf known = {0};
    if (elm_selector_find(name) != NULL)
        return ELM_OK;
    for (size_t i = 0; elm_selector_kinds[i] != NULL; i++)
        elm_buf_printf(&known, "%s%s", i > 0 ? ", " : "", elm_selector_kinds[i]->name);
    return unknown(arm, "selector", name, &known, err);
}

static enum elm_status check_backend(const char *arm, const char *name, struct elm_error *err)
{
    struct elm_buf known = {0};
    if (elm_backend_find(name) != NULL)
        return ELM_OK;
    for (size_t i = 0; elm_backend_kinds[i] != NULL; i++)
        elm_buf_printf(&known, "%s%s", i > 0 ? ", " : "", elm_backend_kinds[i]->name);
    return unknown(arm, "backend", name, &known, err);
}

/* The next word of a list with commas; an empty view after the last. */
static struct elm_str next_word(const char **at)
{
    size_t len = strcspn(*at, ",");
    struct elm_str word = trim((struct elm_str){*at, len});
    *at += len + ((*at)[len] == ',');
    return word;
}

/* Operators with nothing but commas between them. */
static enum elm_status read_operators(struct elm_compare_arm *a, struct elm_str value,
                                      struct elm_arena *arena, struct elm_error *err)
{
    struct elm_buf list = {0};
    const char *text = keep(arena, value), *at = text;
    enum elm_status status = ELM_OK;
    uint32_t count = 0;
    do {
        const char *name = keep(arena, next_word(&at));
        status = check_operator(a->name, name, err);
        elm_buf_printf(&list, "%s%s", count++ > 0 ? "," : "", name);
    } while (status == ELM_OK && *at != '\0');
    if (status == ELM_OK && count > ELM_COMPARE_OPERATORS_MAX) {
        status = elm_fail(err, ELM_USAGE, "arm '%s': %u operators; %d are allowed", a->name, count,
                          ELM_COMPARE_OPERATORS_MAX);
    }
    a->operators = keep(arena, elm_buf_str(&list));
    elm_buf_release(&list);
    return status;
}

static bool read_number(const char *text, double lo, double hi, double *out)
{
    char *end;
    size_t len = strspn(text, "0123456789.eE+-");
    double x = strtod(text, &end);
    if (len == 0 || text[len] != '\0' || end != text + len || !(x >= lo && x <= hi))
        return false;
    *out = x;
    return true;
}

static enum elm_status read_shares(struct elm_compare_arm *a, const char *value,
                                   struct elm_arena *arena, struct elm_error *err)
{
    uint32_t count = 0;
    for (const char *at = value; *at != '\0'; count++) {
        const char *word = keep(arena, next_word(&at));
        if (count == ELM_COMPARE_OPERATORS_MAX || !read_number(word, 1e-6, 1e6, &a->shares[count]))
            return elm_fail(err, ELM_USAGE, "arm '%s': shares '%.60s'; a number above 0 for each "
                            "operator is allowed", a->name, value);
    }
    return ELM_OK;
}

static enum elm_status read_number_key(const struct elm_compare_arm *a, const char *key,
                                       const char *value, double hi, double *out,
                                       struct elm_error *err)
{
    if (read_number(value, 0, hi, out))
        return ELM_OK;
    return elm_fail(err, ELM_USAGE, "arm '%s': %s '%.60s'; a number, 0 to %g, is allowed", a->name,
                    key, value, hi);
}

static enum elm_status read_evaluations(struct elm_compare_arm *a, const char *value,
                                        struct elm_error *err)
{
    double number;
    if (!read_number(value, 1, 1e15, &number) || number != floor(number))
        return elm_fail(err, ELM_USAGE, "arm '%s': evaluations '%.60s'; a whole number from 1 on is "
                        "allowed", a->name, value);
    a->evaluations = (uint64_t)number;
    return ELM_OK;
}

static enum elm_status read_opaque(struct elm_compare_arm *a, const char *value,
                                   struct elm_error *err)
{
    static const char *const names[] = {"no", "yes", "all"};
    for (size_t k = 0; k < ELM_COUNT(names); k++) {
        if (strcmp(value, names[k]) != 0)
            continue;
        a->opaque = (enum elm_opaque)k;
        return ELM_OK;
    }
    return elm_fail(err, ELM_USAGE, "arm '%s': opaque '%.60s'; no, yes or all is allowed", a->name,
                    value);
}

static enum elm_status read_endpoint(struct elm_compare_arm *a, const char *value,
                                     struct elm_arena *arena, struct elm_error *err)
{
    if (a->model.endpoint_count > 0)
        return elm_fail(err, ELM_USAGE, "arm '%s': one endpoint is allowed", a->name);
    a->model.endpoint_count = 1;
    return elm_endpoint_parse(value, &a->model.endpoints[0], arena, err);
}

static enum elm_status read_key(struct elm_compare_arm *a, struct elm_str part,
                                struct elm_arena *arena, struct elm_error *err)
{
    const char *equals = memchr(part.ptr, '=', part.len);
    if (equals == NULL)
        return elm_fail(err, ELM_USAGE, "arm '%s': '%.*s' is no key=value", a->name,
                        (int)(part.len < 60 ? part.len : 60), part.ptr);
    const char *key = keep(arena, trim((struct elm_str){part.ptr, (size_t)(equals - part.ptr)}));
    struct elm_str rest = trim((struct elm_str){equals + 1,
                                                part.len - (size_t)(equals + 1 - part.ptr)});
    const char *value = keep(arena, rest);
    if (rest.len == 0)
        return elm_fail(err, ELM_USAGE, "arm '%s': key '%.60s' has no value", a->name, key);
    if (strcmp(key, "operators") == 0)
        return read_operators(a, rest, arena, err);
    if (strcmp(key, "shares") == 0)
        return read_shares(a, value, arena, err);
    if (strcmp(key, "archive") == 0)
        return check_archive(a->name, a->archive = value, err);
    if (strcmp(key, "selector") == 0)
        return check_selector(a->name, a->selector = value, err);
    if (strcmp(key, "backend") == 0)
        return check_backend(a->name, a->backend = value, err);
    if (strcmp(key, "model-share") == 0)
        return read_number_key(a, key, value, 1, &a->model_share, err);
    if (strcmp(key, "training-cpu") == 0)
        return read_number_key(a, key, value, 1e12, &a->training_cpu_s, err);
    if (strcmp(key, "evaluations") == 0)
        return read_evaluations(a, value, err);
    if (strcmp(key, "opaque") == 0)
        return read_opaque(a, value, err);
    if (strcmp(key, "endpoint") == 0)
        return read_endpoint(a, value, arena, err);
    if (strcmp(key, "model") == 0)
        a->model.model = value;
    else if (strcmp(key, "script") == 0)
        a->model.script = value;
    else
        return elm_fail(err, ELM_USAGE, "arm '%s': there is no key '%.60s'; there are: operators, "
                        "shares, archive, selector, model, backend, script, endpoint, model-share, "
                        "opaque, evaluations, training-cpu", a->name, key);
    return ELM_OK;
}

/* Does any of its operators ask a model? All of them, where none are named. */
static bool asks(const struct elm_compare_arm *a)
{
    char name[64];
    if (a->operators == NULL)
        return true;
    for (const char *at = a->operators; *at != '\0';) {
        struct elm_str word = next_word(&at);
        snprintf(name, sizeof(name), "%.*s", (int)word.len, word.ptr);
        if (elm_operator_find(name)->prompt != NULL)
            return true;
    }
    return false;
}

static enum elm_status finish(struct elm_compare_arm *a, struct elm_error *err)
{
    if (a->backend == NULL && a->model.endpoint_count > 0)
        a->backend = "openai";
    else if (a->backend == NULL && a->model.script != NULL)
        a->backend = "scripted";
    else if (a->backend == NULL && a->model.model != NULL && asks(a) &&
             elm_operator_model(NULL, a->model.model, NULL) != ELM_OK)
        a->backend = "native";
    if (a->backend == NULL && a->operators != NULL && asks(a))
        return elm_fail(err, ELM_USAGE, "arm '%s': '%s' asks a model; add model=NAME (`elm models` "
                        "lists them), endpoint=URL,model=NAME or script=FILE", a->name,
                        a->operators);
    uint32_t operators = 0, shares = 0;
    for (const char *at = a->operators; at != NULL && *at != '\0'; operators++)
        next_word(&at);
    while (shares < ELM_COMPARE_OPERATORS_MAX && a->shares[shares] > 0)
        shares++;
    if (shares > 0 && shares != operators)
        return elm_fail(err, ELM_USAGE, "arm '%s': %u shares for %u operators", a->name, shares,
                        operators);
    return ELM_OK;
}

static enum elm_status read_name(struct elm_compare_arm *a, struct elm_str name,
                                 struct elm_error *err)
{
    bool good = name.len > 0 && name.len < sizeof(a->name);
    for (size_t i = 0; good && i < name.len; i++)
        good = name.ptr[i] >= ' ' && name.ptr[i] < 0x7f && strchr("|<>&\"\\`", name.ptr[i]) == NULL;
    if (!good)
        return elm_fail(err, ELM_USAGE, "'%.*s' is no name of an arm; 1 to %d characters of "
                        "ASCII are allowed, none of | < > & \" ` \\", (int)(name.len < 60 ? name.len : 60),
                        name.ptr, ELM_COMPARE_NAME_BYTES - 1);
    memcpy(a->name, name.ptr, name.len);
    return ELM_OK;
}

enum elm_status elm_compare_arm_parse(const char *text, struct elm_arena *arena,
                                      struct elm_compare_arm *out, struct elm_error *err)
{
    struct elm_compare_arm a = {.model_share = elm_default_search_def().model_share};
    struct elm_str whole = trim(elm_str(text));
    const char *colon = memchr(whole.ptr, ':', whole.len);
    size_t name = colon == NULL ? whole.len : (size_t)(colon - whole.ptr);
    if (whole.len == 0)
        return elm_fail(err, ELM_USAGE, "an arm is empty; 'NAME: operators=A,B; key=value' or "
                        "operators are allowed");
    ELM_TRY(read_name(&a, trim((struct elm_str){whole.ptr, name}), err));
    struct elm_str rest = {whole.ptr + name, whole.len - name};
    a.text = colon == NULL ? keep(arena, whole)
                           : keep(arena, trim((struct elm_str){rest.ptr + 1, rest.len - 1}));
    if (colon == NULL)
        ELM_TRY(read_operators(&a, whole, arena, err));
    for (const char *at = colon == NULL ? "" : a.text; *at != '\0';) {
        size_t len = strcspn(at, ";");
        struct elm_str part = trim((struct elm_str){at, len});
        if (part.len > 0)
            ELM_TRY(read_key(&a, part, arena, err));
        at += len + (at[len] == ';');
    }
    ELM_TRY(finish(&a, err));
    *out = a;
    return ELM_OK;
}

bool compare_arm_trial(const struct elm_compare_arm *a)
{
    return a->backend == NULL;
}

/* A file is known by its bytes; anything else, the name of a pulled model, by itself. */
static enum elm_status hash_model(const char *model, uint64_t *hash, struct elm_error *err)
{
    struct elm_buf bytes = {0};
    enum elm_status status = elm_file_read(model, (size_t)1 << 33, &bytes, err);
    *hash = elm_hash_mix(*hash, elm_hash(model, strlen(model), 0));
    if (status == ELM_OK)
        *hash = elm_hash_mix(*hash, elm_hash(bytes.ptr, bytes.len, 0));
    elm_buf_release(&bytes);
    return status == ELM_NOT_FOUND ? ELM_OK : status;
}

enum elm_status compare_arm_hash(const struct elm_compare_arm *a, uint64_t *out,
                                 struct elm_error *err)
{
    struct elm_buf all = {0};
    const char *texts[] = {a->operators, a->archive, a->selector, a->backend, a->model.script};
    for (size_t i = 0; i < ELM_COUNT(texts); i++)
        elm_buf_printf(&all, "%s\n", texts[i] == NULL ? "" : texts[i]);
    for (uint32_t i = 0; i < ELM_COMPARE_OPERATORS_MAX; i++)
        elm_buf_printf(&all, "%.17g,", a->shares[i]);
    elm_buf_printf(&all, "%.17g %d %llu\n", a->model_share, a->opaque,
                   (unsigned long long)a->evaluations);
    for (uint32_t i = 0; i < a->model.endpoint_count; i++)
        elm_buf_printf(&all, "%s %s\n", a->model.endpoints[i].url, a->model.endpoints[i].model);
    *out = elm_hash(all.ptr, all.len, 0);
    elm_buf_release(&all);
    if (a->model.script != NULL)
        ELM_TRY(hash_model(a->model.script, out, err));
    return a->model.model == NULL ? ELM_OK : hash_model(a->model.model, out, err);
}

enum elm_status elm_compare_generated_parse(const char *text, struct elm_compare_generated *out,
                                            struct elm_error *err)
{
    static const char *const streams[ELM_STREAMS] = {"train", "gate", "report"};
    struct elm_compare_generated g = {.stream = ELM_STREAMS, .corruptions_min = 1,
                                      .corruptions_max = 6};
    size_t len = strcspn(text, ":");
    unsigned long long seed = 0;
    int used = 0, more = 0;
    for (int s = 0; s < ELM_STREAMS; s++) {
        if (strlen(streams[s]) == len && memcmp(streams[s], text, len) == 0)
            g.stream = (enum elm_stream)s;
    }
    bool digits = strspn(text + len, ":0123456789-") == strlen(text + len);
    bool good = g.stream != ELM_STREAMS && digits &&
                sscanf(text + len, ":%9u:%19llu%n", &g.count, &seed, &used) == 2;
    const char *rest = text + len + used;
    if (good && *rest != '\0') {
        good = sscanf(rest, ":%1u-%1u%n", &g.corruptions_min, &g.corruptions_max, &more) == 2 &&
               rest[more] == '\0';
    }
    if (!good || g.count == 0 || g.count > 100000 || g.corruptions_min < 1 ||
        g.corruptions_max > 8 || g.corruptions_min > g.corruptions_max) {
        return elm_fail(err, ELM_USAGE, "'%.60s' names no generated problems; STREAM:COUNT:SEED with "
                        "train, gate or report, 1 to 100000 and a number is allowed, and "
                        ":MIN-MAX corruptions, 1 to 8, after it", text);
    }
    g.seed = seed;
    *out = g;
    return ELM_OK;
}
