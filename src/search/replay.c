/* replay: a stored run looked at again: its problem found, its archive rebuilt and compared. */
#include "search/state.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum elm_status get_meta(struct elm_store *store, const char *key, struct elm_buf *value,
                                struct elm_error *err)
{
    elm_buf_clear(value);
    enum elm_status status = elm_store_meta_get(store, key, value, err);
    if (status == ELM_NOT_FOUND)
        return elm_fail(err, ELM_CORRUPT, "the run does not say its '%s'", key);
    return status;
}

/* By folder and variant; a folder that has moved is looked for by name. */
static enum elm_status load_by_meta(struct elm_store *store, const char *problems_path,
                                    struct elm_problem **out, struct elm_error *err)
{
    struct elm_buf name = {0}, variant = {0}, folder = {0}, command = {0};
    enum elm_status status = get_meta(store, "problem", &name, err);
    if (status == ELM_OK)
        status = get_meta(store, "variant", &variant, err);
    if (status == ELM_OK)
        status = get_meta(store, "folder", &folder, err);
    if (status == ELM_OK)
        status = get_meta(store, "command", &command, err);
    if (status == ELM_OK && command.len > 0) {
        struct elm_buf file = {0};
        elm_buf_printf(&file, "%s/%s", folder.ptr, name.ptr);
        status = elm_problem_from_file(file.ptr, command.ptr, out, err);
        elm_buf_release(&file);
    } else if (status == ELM_OK) {
        const char *colon = variant.len > 0 ? ":" : "";
        const char *which = variant.len > 0 ? variant.ptr : "";
        struct elm_buf path = {0};
        elm_buf_printf(&path, "%s%s%s", folder.ptr, colon, which);
        status = elm_problem_load(path.ptr, problems_path, out, err);
        if (status == ELM_NOT_FOUND) {
            elm_buf_clear(&path);
            elm_buf_printf(&path, "%s%s%s", name.ptr, colon, which);
            status = elm_problem_load(path.ptr, problems_path, out, err);
        }
        elm_buf_release(&path);
    }
    elm_buf_release(&name);
    elm_buf_release(&variant);
    elm_buf_release(&folder);
    elm_buf_release(&command);
    return status;
}

enum elm_status elm_search_problem(const char *folder, const char *problems_path,
                                   struct elm_problem **out, struct elm_error *err)
{
    struct elm_store *store;
    ELM_TRY(elm_store_open(folder, ELM_STORE_READ, &store, err));
    enum elm_status status = load_by_meta(store, problems_path, out, err);
    elm_store_close(store, NULL);
    return status;
}

static enum elm_status make_looking(struct elm_store *store, const struct elm_problem *problem,
                                    struct elm_search **out, struct elm_error *err)
{
    struct elm_buf archive = {0}, selector = {0}, operators = {0};
    struct elm_search *s = NULL;
    enum elm_status status = get_meta(store, "archive", &archive, err);
    if (status == ELM_OK)
        status = get_meta(store, "selector", &selector, err);
    if (status == ELM_OK)
        status = get_meta(store, "operators", &operators, err);
    if (status == ELM_OK) {
        struct elm_search_def def = elm_default_search_def();
        def.problem = problem;
        def.archive = archive.ptr;
        def.selector = selector.ptr;
        status = search_make(&def, &s, err);
    }
    if (status == ELM_OK) {
        /* the names in def point into buffers that end here */
        s->def.archive = s->def.selector = NULL;
        status = search_choose_operators(s, operators.ptr, true, err);
    }
    elm_buf_release(&archive);
    elm_buf_release(&selector);
    elm_buf_release(&operators);
    if (status != ELM_OK)
        search_free(s);
    else
        *out = s;
    return status;
}

/* What is told of changes while looking. */
struct watcher {
    void (*changed)(void *ctx, const struct elm_change *c);
    void *ctx;
};

static enum elm_status look(const char *folder, const struct elm_problem *problem,
                            enum restore_mode mode, struct watcher watcher,
                            struct elm_search **out, struct elm_error *err)
{
    struct elm_store *store;
    struct elm_search *s = NULL;
    ELM_TRY(elm_store_open(folder, ELM_STORE_READ, &store, err));
    enum elm_status status = make_looking(store, problem, &s, err);
    if (status == ELM_OK) {
        s->store = store;
        s->def.changed = watcher.changed;
        s->def.changed_ctx = watcher.ctx;
        status = search_restore(s, mode, err);
        if (status != ELM_OK)
            search_free(s);
    }
    if (status != ELM_OK) {
        elm_store_close(store, NULL);
        return status;
    }
    *out = s;
    return ELM_OK;
}

enum elm_status search_look(const char *folder, const struct elm_problem *problem,
                            enum restore_mode mode, struct elm_search **out,
                            struct elm_error *err)
{
    return look(folder, problem, mode, (struct watcher){0}, out, err);
}

enum elm_status elm_search_retell(const char *folder, const char *problems_path,
                                  void (*changed)(void *ctx, const struct elm_change *c), void *ctx,
                                  struct elm_error *err)
{
    struct elm_problem *problem;
    struct elm_search *s;
    ELM_TRY(elm_search_problem(folder, problems_path, &problem, err));
    struct watcher watcher = {changed, ctx};
    enum elm_status status = look(folder, problem, RESTORE_REPLAY, watcher, &s, err);
    if (status == ELM_OK)
        elm_search_close(s, NULL);
    elm_problem_free(problem);
    return status;
}

static enum elm_status compare_end(struct elm_search *s, struct elm_replay_report *out,
                                   struct elm_error *err)
{
    struct elm_buf end = {0};
    enum elm_status status = elm_store_meta_get(s->store, "end", &end, err);
    long long batch = -1;
    unsigned long long hash = 0;
    if (status == ELM_OK && sscanf(end.ptr, "%lld %llx", &batch, &hash) != 2)
        status = elm_fail(err, ELM_CORRUPT, "the run's end is recorded as '%s'", end.ptr);
    elm_buf_release(&end);
    /* killed since it last ended: there is nothing to compare with */
    if (status == ELM_NOT_FOUND || (status == ELM_OK && batch != s->next_tell - 1))
        return ELM_OK;
    ELM_TRY(status);
    out->recorded_hash = hash;
    if (hash != out->hash) {
        return elm_fail(err, ELM_CORRUPT, "the rebuilt archive has hash %016llx, the run ended "
                        "with %016llx", (unsigned long long)out->hash, hash);
    }
    return ELM_OK;
}

enum elm_status elm_search_replay(const char *folder, const char *problems_path,
                                  struct elm_replay_report *out, struct elm_error *err)
{
    struct elm_problem *problem;
    struct elm_search *s;
    ELM_TRY(elm_search_problem(folder, problems_path, &problem, err));
    enum elm_status status = search_look(folder, problem, RESTORE_REPLAY, &s, err);
    if (status == ELM_OK) {
        const struct elm_elite *best = s->archive_kind->best(s->archive);
        uint64_t admitted = 0;
        for (uint32_t i = 0; i < s->operator_count; i++)
            admitted += s->operator_stats[i].admitted;
        *out = (struct elm_replay_report){.attempts = s->stats.attempts,
                                          .admitted = admitted,
                                          .hash = elm_search_hash(s),
                                          .best_id = best == NULL ? -1 : best->id,
                                          .best = best == NULL ? NAN : best->fitness};
        status = compare_end(s, out, err);
        elm_search_close(s, NULL);
    }
    elm_problem_free(problem);
    return status;
}
