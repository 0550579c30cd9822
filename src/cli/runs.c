/* runs: stored runs with their size, and their deletion. */
#include "cli/command.h"
#include "cli/json.h"
#include "cli/stored.h"
#include "cli/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct summary {
    struct stored_about about;
    struct elm_store_totals totals;
    struct elm_progress_row last;
};

static bool keep_last(void *ctx, const struct elm_progress_row *row)
{
    *(struct elm_progress_row *)ctx = *row;
    return true;
}

static enum elm_status summarise(const char *folder, struct summary *out, struct elm_error *err)
{
    struct elm_store *store;
    *out = (struct summary){.last.best = NAN};
    ELM_TRY(elm_store_open(folder, ELM_STORE_READ, &store, err));
    enum elm_status status = stored_about(store, &out->about, err);
    if (status == ELM_OK)
        status = elm_store_totals(store, &out->totals, err);
    if (status == ELM_OK)
        status = elm_store_each_progress(store, keep_last, &out->last, err);
    elm_store_close(store, NULL);
    if (status != ELM_OK)
        stored_about_release(&out->about);
    return status;
}

struct listing {
    struct elm_buf text;
    json_t *json;
    int64_t bytes;
    uint32_t count;
};

static void add_broken(struct listing *l, const char *folder, const char *why)
{
    if (l->json != NULL) {
        json_array_append_new(l->json, json_make("{soso}", "folder", json_text(elm_str(folder)),
                                                 "error", json_text(elm_str(why))));
        return;
    }
    text_safe(&l->text, elm_str(folder));
    elm_buf_printf(&l->text, "  ");
    text_safe(&l->text, elm_str(why));
    elm_buf_byte(&l->text, '\n');
}

static void add_run(void *ctx, const char *folder)
{
    struct listing *l = ctx;
    struct summary s;
    struct elm_error err = {0};
    l->count++;
    if (summarise(folder, &s, &err) != ELM_OK) {
        add_broken(l, folder, err.message);
        return;
    }
    l->bytes += s.totals.file_bytes;
    const char *problem = s.about.problem == NULL ? "-" : s.about.problem;
    if (l->json != NULL) {
        json_array_append_new(l->json, json_make(
            "{sososIsIsIso}", "folder", json_text(elm_str(folder)), "problem",
            json_text(elm_str(s.about.problem)), "attempts", (json_int_t)s.totals.attempts,
            "admitted", (json_int_t)s.totals.admitted, "bytes", (json_int_t)s.totals.file_bytes,
            "best", json_number(s.last.best)));
    } else {
        size_t start = l->text.len;
        text_safe(&l->text, elm_str(folder));
        size_t used = l->text.len - start;
        elm_buf_printf(&l->text, "%*s  %-14.14s %14s %-12s %10s\n",
                       used < 24 ? (int)(24 - used) : 0, "", problem,
                       text_count((uint64_t)s.totals.attempts).s,
                       text_number(s.last.best).s, text_bytes((uint64_t)s.totals.file_bytes).s);
    }
    stored_about_release(&s.about);
}

static enum elm_status list(const struct invocation *v, struct elm_error *err)
{
    const char *folder = v->arg_count > 0 ? v->args[0] : RUNS_FOLDER;
    struct listing l = {.json = opt_on(v, OPT_JSON) ? json_array() : NULL};
    enum elm_status status = stored_each(folder, add_run, &l, err);
    if (status == ELM_NOT_FOUND && v->arg_count == 0)
        status = ELM_OK;
    if (status == ELM_OK && l.json != NULL) {
        json_print(json_incref(l.json), stdout, false);
    } else if (status == ELM_OK && l.count == 0) {
        fprintf(stderr, "elm: no runs in '%s'; `elm run sort` makes one\n", folder);
    } else if (status == ELM_OK) {
        printf("%-24s  %-14s %14s %-12s %10s\n", "run", "problem", "attempts", "best", "size");
        text_print(stdout, &l.text);
        printf("%u %s, %s\n", l.count, l.count == 1 ? "run" : "runs",
               text_bytes((uint64_t)l.bytes).s);
    }
    json_decref(l.json);
    elm_buf_release(&l.text);
    return status;
}

static bool confirmed(const char *folder, const struct summary *s)
{
    fprintf(stderr, "delete ");
    text_put(stderr, elm_str(folder));
    fprintf(stderr, ", %s attempts, %s? [y/N] ", text_count((uint64_t)s->totals.attempts).s,
            text_bytes((uint64_t)s->totals.file_bytes).s);
    char answer[16];
    if (fgets(answer, sizeof(answer), stdin) == NULL)
        return false;
    return strcmp(answer, "y\n") == 0 || strcmp(answer, "yes\n") == 0;
}

static enum elm_status remove_one(const struct invocation *v, const char *name,
                                  struct elm_error *err)
{
    char *folder;
    ELM_TRY(stored_find(name, &folder, err));
    struct summary s = {0};
    enum elm_status status = ELM_OK;
    bool go = opt_on(v, OPT_YES);
    if (!go) {
        /* a run too broken to be read may still be deleted */
        if (summarise(folder, &s, NULL) != ELM_OK)
            s = (struct summary){0};
        go = confirmed(folder, &s);
        stored_about_release(&s.about);
    }
    if (go)
        status = elm_store_delete(folder, err);
    if (go && status == ELM_OK) {
        printf("deleted ");
        text_put(stdout, elm_str(folder));
        printf("\n");
    }
    free(folder);
    return status;
}

static enum elm_status remove_runs(const struct invocation *v, struct elm_error *err)
{
    if (v->arg_count < 2)
        return elm_fail(err, ELM_USAGE, "which run is to be deleted? `elm runs` lists them");
    if (!opt_on(v, OPT_YES) && !isatty(STDIN_FILENO)) {
        return elm_fail(err, ELM_USAGE, "there is no terminal to ask on; --yes deletes without "
                        "asking");
    }
    for (int i = 1; i < v->arg_count; i++)
        ELM_TRY(remove_one(v, v->args[i], err));
    return ELM_OK;
}

int cmd_runs(const struct invocation *v)
{
    struct elm_error err = {0};
    enum elm_status status;
    if (v->arg_count > 0 && strcmp(v->args[0], "rm") == 0) {
        status = remove_runs(v, &err);
    } else if (v->arg_count > 1) {
        status = elm_fail(&err, ELM_USAGE, "'%.80s' is too much: elm runs %s", v->args[1],
                          v->command->arguments);
    } else {
        status = list(v, &err);
    }
    return status == ELM_OK ? EXIT_DONE : cmd_fail(&err);
}
