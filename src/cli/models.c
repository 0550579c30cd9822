/* models: the models that are known and those that are here; what is here can be removed. */
#include "cli/models.h"

#include "cli/json.h"
#include "cli/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAMES_MAX 64

struct row {
    const char *name, *path;               /* path NULL: not here */
    const struct elm_model_entry *entry;   /* NULL: not of the catalog */
    const char *state;                     /* ok, wrong, own, missing */
    uint64_t bytes;
    const char *problem;                   /* of a file that can't be read */
};

static const char *advice(const struct row *r, struct elm_buf *out)
{
    if (strcmp(r->state, "missing") == 0)
        elm_buf_printf(out, "elm models pull %s", r->name);
    else if (strcmp(r->state, "wrong") == 0 && r->problem != NULL)
        elm_buf_printf(out, "%s", r->problem);
    else if (strcmp(r->state, "wrong") == 0)
        elm_buf_printf(out, "not the file that was pulled: elm models pull %s", r->name);
    return out->ptr;
}

static void print_row(const struct row *r)
{
    struct elm_buf line = {0}, what = {0};
    text_safe(&line, elm_str(r->name));
    size_t used = line.len;
    elm_buf_printf(&line, "%*s %10s  %-12s %-8s ", used < 16 ? (int)(16 - used) : 0, "",
                   text_bytes(r->bytes).s, r->entry == NULL ? "-" : r->entry->licence, r->state);
    if (r->path != NULL)
        text_safe(&line, elm_str(r->path));
    if (advice(r, &what) != NULL) {
        elm_buf_printf(&line, "%s", r->path == NULL ? "" : ": ");
        text_safe(&line, elm_buf_str(&what));
    }
    elm_buf_byte(&line, '\n');
    text_print(stdout, &line);
    elm_buf_release(&line);
    elm_buf_release(&what);
}

static json_t *row_json(const struct row *r)
{
    return json_make("{sosIsosssoso}", "name", json_text(elm_str(r->name)), "bytes",
                     (json_int_t)r->bytes, "licence",
                     json_text(elm_str(r->entry == NULL ? NULL : r->entry->licence)), "state",
                     r->state, "path", json_text(elm_str(r->path)), "note",
                     json_text(elm_str(r->entry == NULL ? NULL : r->entry->note)));
}

struct listing {
    json_t *json;    /* NULL: text */
};

static void add_row(struct listing *l, const struct row *r)
{
    if (l->json != NULL)
        json_array_append_new(l->json, row_json(r));
    else
        print_row(r);
}

static void add_known(struct listing *l, const struct elm_model_entry *e, const char *path)
{
    struct row r = {e->name, path, e, "missing", e->bytes, NULL};
    struct elm_error err = {0};
    struct stat st;
    char hash[65];
    if (path != NULL && stat(path, &st) == 0) {
        r.bytes = (uint64_t)st.st_size;
        r.state = "wrong";
        if (elm_file_sha256(path, hash, &err) != ELM_OK)
            r.problem = err.message;
        else if (strcmp(hash, e->file_sha256) == 0)
            r.state = "ok";
    }
    add_row(l, &r);
}

static void add_own(void *ctx, const char *name, const char *path)
{
    struct stat st;
    if (elm_model_entry(name) != NULL || stat(path, &st) != 0)
        return;
    struct row r = {name, path, NULL, "own", (uint64_t)st.st_size, NULL};
    add_row(ctx, &r);
}

static enum elm_status list(const struct invocation *v, struct elm_error *err)
{
    const char *models_path = opt_text(v, OPT_MODELS_PATH);
    struct listing l = {opt_on(v, OPT_JSON) ? json_array() : NULL};
    if (l.json == NULL)
        printf("%-16s %10s  %-12s %-8s %s\n", "model", "size", "licence", "state", "where");
    for (const struct elm_model_entry *e = elm_model_catalog; e->name != NULL; e++) {
        struct elm_buf path = {0};
        bool here = elm_model_find(e->name, models_path, &path, NULL) == ELM_OK;
        add_known(&l, e, here ? path.ptr : NULL);
        elm_buf_release(&path);
    }
    enum elm_status status = elm_model_each(models_path, add_own, &l, err);
    if (status == ELM_OK && l.json != NULL)
        json_print(json_incref(l.json), stdout, false);
    json_decref(l.json);
    return status;
}

enum elm_status models_entry(const char *name, const struct elm_model_entry **out,
                             struct elm_error *err)
{
    const char *names[NAMES_MAX + 1] = {NULL};
    *out = elm_model_entry(name);
    if (*out != NULL)
        return ELM_OK;
    for (size_t i = 0; i < NAMES_MAX && elm_model_catalog[i].name != NULL; i++)
        names[i] = elm_model_catalog[i].name;
    struct elm_buf all = {0};
    text_join(&all, names, ", ");
    const char *near = text_nearest(name, names);
    elm_fail(err, ELM_USAGE, "'%.80s' is no model that can be pulled: there is %s%s%s%s", name,
             all.ptr, near != NULL ? "; did you mean '" : "", near != NULL ? near : "",
             near != NULL ? "'?" : "");
    elm_buf_release(&all);
    return ELM_USAGE;
}

static enum elm_status remove_model(const struct invocation *v, const char *name,
                                    struct elm_error *err)
{
    const struct elm_model_entry *entry;
    struct elm_buf path = {0};
    enum elm_status status = elm_model_find(name, opt_text(v, OPT_MODELS_PATH), &path, err);
    if (status == ELM_OK && elm_model_entry(name) == NULL) {
        status = elm_fail(err, ELM_USAGE, "'%.80s' was not pulled by elm and can't be pulled again: "
                          "remove '%.200s' yourself", name, path.ptr);
    } else if (status == ELM_NOT_FOUND) {
        status = models_entry(name, &entry, err);
        if (status == ELM_OK)
            status = elm_fail(err, ELM_NOT_FOUND, "model '%s' is not here", name);
    }
    if (status == ELM_OK && unlink(path.ptr) != 0)
        status = elm_fail(err, ELM_IO, "cannot remove '%.200s': %s", path.ptr, strerror(errno));
    if (status == ELM_OK) {
        printf("removed ");
        text_put(stdout, elm_buf_str(&path));
        printf("\n");
    }
    elm_buf_release(&path);
    return status;
}

static enum elm_status dispatch(const struct invocation *v, size_t *problems, struct elm_error *err)
{
    static const char *const verbs[] = {"pull", "remove", "check", NULL};
    if (v->arg_count == 0)
        return list(v, err);
    const char *verb = v->args[0], *name = v->args[1];
    size_t which = 0;
    while (verbs[which] != NULL && strcmp(verbs[which], verb) != 0)
        which++;
    if (verbs[which] == NULL) {
        const char *near = text_nearest(verb, verbs);
        return elm_fail(err, ELM_USAGE, "'%.80s' is nothing to do with models: pull, remove or "
                        "check%s%s%s", verb, near != NULL ? "; did you mean '" : "",
                        near != NULL ? near : "", near != NULL ? "'?" : "");
    }
    if (name == NULL)
        return elm_fail(err, ELM_USAGE, "which model? `elm models` lists them");
    switch (which) {
    case 0: return models_pull(v, name, err);
    case 1: return remove_model(v, name, err);
    default: return models_check(v, name, problems, err);
    }
}

int cmd_models(const struct invocation *v)
{
    struct elm_error err = {0};
    size_t problems = 0;
    enum elm_status status = dispatch(v, &problems, &err);
    if (status != ELM_OK)
        return cmd_fail(&err);
    return problems == 0 ? EXIT_DONE : EXIT_FAILED;
}
