/* stored: finding runs, and what a run says of itself. */
#include "cli/stored.h"

#include "cli/text.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *join(const char *folder, const char *name)
{
    struct elm_buf path = {0};
    elm_buf_printf(&path, "%s/%s", folder, name);
    return path.ptr;
}

bool stored_is_run(const char *folder)
{
    char *path = join(folder, "elm.db");
    bool is = access(path, F_OK) == 0;
    free(path);
    return is;
}

struct found {
    char *folder;
    struct timespec changed;
};
struct found_list {
    struct found *items;
    size_t count;
};

static int newer(const void *a, const void *b)
{
    const struct timespec *x = &((const struct found *)a)->changed;
    const struct timespec *y = &((const struct found *)b)->changed;
    if (x->tv_sec != y->tv_sec)
        return x->tv_sec < y->tv_sec ? 1 : -1;
    return x->tv_nsec < y->tv_nsec ? 1 : x->tv_nsec > y->tv_nsec ? -1 : 0;
}

static void add_found(struct found_list *list, char *folder)
{
    static const char *const files[] = {"elm.db-wal", "elm.db"};
    struct timespec changed = {0};
    for (size_t i = 0; i < ELM_COUNT(files); i++) {
        struct stat st;
        char *path = join(folder, files[i]);
        if (stat(path, &st) == 0 && st.st_mtim.tv_sec > changed.tv_sec)
            changed = st.st_mtim;
        free(path);
    }
    list->items = elm_realloc(list->items, (list->count + 1) * sizeof(list->items[0]));
    list->items[list->count++] = (struct found){folder, changed};
}

static enum elm_status collect(const char *folder_of_runs, struct found_list *list,
                               struct elm_error *err)
{
    *list = (struct found_list){0};
    DIR *dir = opendir(folder_of_runs);
    if (dir == NULL) {
        return elm_fail(err, errno == ENOENT ? ELM_NOT_FOUND : ELM_IO, "cannot open '%s': %s",
                        folder_of_runs, strerror(errno));
    }
    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        char *folder = join(folder_of_runs, e->d_name);
        if (e->d_name[0] != '.' && stored_is_run(folder))
            add_found(list, folder);
        else
            free(folder);
    }
    closedir(dir);
    if (list->count > 0)
        qsort(list->items, list->count, sizeof(list->items[0]), newer);
    return ELM_OK;
}

static void release(struct found_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i].folder);
    free(list->items);
}

enum elm_status stored_each(const char *folder_of_runs, void (*each)(void *, const char *),
                            void *ctx, struct elm_error *err)
{
    struct found_list list;
    ELM_TRY(collect(folder_of_runs, &list, err));
    for (size_t i = 0; i < list.count; i++)
        each(ctx, list.items[i].folder);
    release(&list);
    return ELM_OK;
}

static enum elm_status no_run(const char *name, const struct found_list *list,
                              struct elm_error *err)
{
    if (name == NULL) {
        return elm_fail(err, ELM_USAGE, "there is no run in '%s' yet; `elm run sort` makes one",
                        RUNS_FOLDER);
    }
    const char **names = elm_calloc(list->count + 1, sizeof(*names));
    for (size_t i = 0; i < list->count; i++)
        names[i] = strrchr(list->items[i].folder, '/') + 1;
    const char *near = text_nearest(name, names);
    enum elm_status status = elm_fail(err, ELM_USAGE, "there is no run '%s'%s%s%s; `elm runs` "
                                      "lists them", name, near != NULL ? "; did you mean '" : "",
                                      near != NULL ? near : "", near != NULL ? "'?" : "");
    free(names);
    return status;
}

enum elm_status stored_find(const char *name, char **folder, struct elm_error *err)
{
    if (name != NULL && stored_is_run(name)) {
        *folder = elm_strdup(name);
        return ELM_OK;
    }
    if (name != NULL) {
        char *inside = join(RUNS_FOLDER, name);
        if (stored_is_run(inside)) {
            *folder = inside;
            return ELM_OK;
        }
        free(inside);
    }
    struct found_list list;
    if (collect(RUNS_FOLDER, &list, NULL) != ELM_OK)
        list = (struct found_list){0};
    enum elm_status status = ELM_OK;
    if (name == NULL && list.count > 0)
        *folder = elm_strdup(list.items[0].folder);
    else
        status = no_run(name, &list, err);
    release(&list);
    return status;
}

static enum elm_status get(struct elm_store *store, const char *key, char **out,
                           struct elm_error *err)
{
    struct elm_buf value = {0};
    enum elm_status status = elm_store_meta_get(store, key, &value, err);
    if (status == ELM_OK)
        *out = elm_strndup(value.ptr == NULL ? "" : value.ptr, value.len);
    elm_buf_release(&value);
    return status == ELM_NOT_FOUND ? ELM_OK : status;
}

enum elm_status stored_about(struct elm_store *store, struct stored_about *out,
                             struct elm_error *err)
{
    *out = (struct stored_about){0};
    const struct { const char *key; char **value; } fields[] = {
        {"problem", &out->problem}, {"variant", &out->variant}, {"folder", &out->problem_folder},
        {"command", &out->command}, {"seed", &out->seed}, {"operators", &out->operators},
        {"archive", &out->archive}, {"selector", &out->selector}, {"level", &out->level},
        {"force_tcc", &out->force_tcc}, {"noisy", &out->noisy}, {"end", &out->end},
    };
    enum elm_status status = ELM_OK;
    for (size_t i = 0; i < ELM_COUNT(fields) && status == ELM_OK; i++)
        status = get(store, fields[i].key, fields[i].value, err);
    if (status != ELM_OK)
        stored_about_release(out);
    return status;
}

void stored_about_release(struct stored_about *a)
{
    char *all[] = {a->problem, a->variant, a->problem_folder, a->command, a->seed, a->operators,
                   a->archive, a->selector, a->level, a->force_tcc, a->noisy, a->end};
    for (size_t i = 0; i < ELM_COUNT(all); i++)
        free(all[i]);
    *a = (struct stored_about){0};
}
