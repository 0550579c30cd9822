/* find: problem folders on the search path, by name or all of them. */
#include "problem/folder.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "problem/yaml.h"

#define FOLDERS_MAX 4096

bool folder_name_ok(const char *name)
{
    size_t len = strlen(name);
    if (len == 0 || len > ELM_NAME_BYTES_MAX || name[0] == '.' || name[0] == '-')
        return false;
    return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == len;
}

const char *folder_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

char *folder_file(const char *folder, const char *file)
{
    struct elm_buf path = {0};
    elm_buf_printf(&path, "%s/%s", folder, file);
    return path.ptr;
}

bool folder_has(const char *folder, const char *file)
{
    struct stat st;
    char *path = folder_file(folder, file);
    bool has = stat(path, &st) == 0;
    free(path);
    return has;
}

enum elm_status folder_read(const char *path, size_t max_bytes, struct elm_buf *out,
                            struct elm_error *err)
{
    struct stat st;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return elm_fail(err, ELM_IO, "'%s' is not a file", path);
    return elm_file_read(path, max_bytes, out, err);
}

/* ---- the search path ---- */

/* From the folder of the program: as installed, and build/release/elm in a checkout. */
static const char *const beside[] = {"../share/elm", "../.."};

/* False: the program can't tell where it is. */
static bool beside_self(size_t i, const char *name, struct elm_buf *out)
{
    char self[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", self, sizeof(self));
    char *slash = len > 0 ? memrchr(self, '/', (size_t)len) : NULL;
    if (slash != NULL)
        elm_buf_printf(out, "%.*s/%s/%s", (int)(slash - self), self, beside[i], name);
    return slash != NULL;
}

char *elm_problems_folder(const char *folder)
{
    struct stat st;
    struct elm_buf place = {0};
    bool here = strchr(folder, '/') != NULL || stat(folder, &st) == 0 || !folder_name_ok(folder);
    for (size_t i = 0; i < ELM_COUNT(beside) && !here; i++) {
        elm_buf_clear(&place);
        if (beside_self(i, folder, &place) && stat(place.ptr, &st) == 0 && S_ISDIR(st.st_mode))
            return place.ptr;
    }
    elm_buf_release(&place);
    return elm_strdup(folder);
}

/* Calls `each` for every folder that may hold problem folders, until it returns true. */
static bool each_place(const char *problems_path, bool (*each)(void *ctx, const char *place),
                       void *ctx)
{
    struct elm_buf place = {0};
    bool done = false;
    for (const char *at = problems_path; at != NULL && *at != '\0' && !done;) {
        size_t span = strcspn(at, ":");
        elm_buf_clear(&place);
        elm_buf_add(&place, at, span);
        if (span > 0)
            done = each(ctx, place.ptr);
        at += span;
        at += *at == ':';
    }
    if (!done)
        done = each(ctx, "problems");
    for (size_t i = 0; i < ELM_COUNT(beside) && !done; i++) {
        elm_buf_clear(&place);
        done = beside_self(i, "problems", &place) && each(ctx, place.ptr);
    }
    elm_buf_release(&place);
    return done;
}

/* Names of the problem folders of a place, sorted; `*count` is their number. */
static struct dirent **scan(const char *place, int *count)
{
    struct dirent **found;
    *count = scandir(place, &found, NULL, alphasort);
    return *count < 0 ? NULL : found;
}

static void free_scan(struct dirent **found, int count)
{
    for (int i = 0; i < count; i++)
        free(found[i]);
    free(found);
}

static bool is_problem(const char *place, const char *name)
{
    if (!folder_name_ok(name))
        return false;
    char *folder = folder_file(place, name);
    bool yes = folder_has(folder, "problem.yaml");
    free(folder);
    return yes;
}

/* The folder of a problem under its own name, even where that is a link. */
static char *absolute_folder(const char *place, const char *name)
{
    char *real = realpath(place, NULL);
    char *folder = folder_file(real == NULL ? place : real, name);
    free(real);
    return folder;
}

/* ---- by name ---- */

struct wanted {
    const char *name;
    char *found;
    struct nearest near;
    struct elm_buf places;
};

static bool look(void *ctx, const char *place)
{
    struct wanted *w = ctx;
    if (is_problem(place, w->name)) {
        w->found = absolute_folder(place, w->name);
        return true;
    }
    int count;
    struct dirent **names = scan(place, &count);
    for (int i = 0; i < count && i < FOLDERS_MAX; i++) {
        if (is_problem(place, names[i]->d_name))
            nearest_offer(&w->near, names[i]->d_name);
    }
    if (names != NULL) {
        elm_buf_printf(&w->places, "%s%s", w->places.len > 0 ? ", " : "", place);
        free_scan(names, count);
    }
    return false;
}

static enum elm_status not_found(const struct wanted *w, struct elm_error *err)
{
    if (nearest_found(&w->near)) {
        return elm_fail(err, ELM_NOT_FOUND, "there is no problem '%s'; did you mean '%s'? "
                        "`elm problems` lists them", w->name, w->near.best);
    }
    if (folder_has(w->name, "problem.yaml")) {
        return elm_fail(err, ELM_NOT_FOUND, "there is no problem '%s' on the search path; for the "
                        "folder of that name here say './%s'", w->name, w->name);
    }
    return elm_fail(err, ELM_NOT_FOUND, "there is no problem '%s' in %.200s; `elm problems` lists "
                    "them, a path needs a slash ('./%s')", w->name,
                    w->places.len > 0 ? w->places.ptr : "any folder", w->name);
}

static enum elm_status find_name(const char *name, const char *problems_path, char **found,
                                 struct elm_error *err)
{
    if (!folder_name_ok(name)) {
        return elm_fail(err, ELM_USAGE, "'%.80s' is no name of a problem: letters, digits, '-', "
                        "'_' and '.' are allowed, 63 at most", name);
    }
    struct wanted w = {.name = name, .near = {.word = name}};
    enum elm_status status = ELM_OK;
    if (each_place(problems_path, look, &w))
        *found = w.found;
    else
        status = not_found(&w, err);
    elm_buf_release(&w.places);
    return status;
}

static enum elm_status find_path(const char *path, char **found, struct elm_error *err)
{
    if (!folder_has(path, "problem.yaml")) {
        return elm_fail(err, ELM_NOT_FOUND, "there is no '%s/problem.yaml'; `elm new %s` makes one",
                        path, path);
    }
    char *absolute = realpath(path, NULL);
    if (absolute == NULL)
        return elm_fail(err, ELM_IO, "cannot resolve '%s': %s", path, strerror(errno));
    if (!folder_name_ok(folder_name(absolute))) {
        enum elm_status status = elm_fail(err, ELM_USAGE, "folder '%s' can't name a problem: "
                                          "letters, digits, '-', '_' and '.' are allowed, 63 at "
                                          "most", absolute);
        free(absolute);
        return status;
    }
    *found = absolute;
    return ELM_OK;
}

enum elm_status folder_find(const char *name, const char *problems_path, struct folder *out,
                            struct elm_error *err)
{
    const char *slash = strrchr(name, '/');
    const char *colon = strchr(slash == NULL ? name : slash, ':');
    char *base = elm_strndup(name, colon == NULL ? strlen(name) : (size_t)(colon - name));
    bool path = slash != NULL || strcmp(base, ".") == 0 || strcmp(base, "..") == 0;
    enum elm_status status = path ? find_path(base, &out->path, err)
                                  : find_name(base, problems_path, &out->path, err);
    free(base);
    if (status == ELM_OK)
        out->variant = elm_strdup(colon == NULL ? "" : colon + 1);
    return status;
}

/* ---- all of them ---- */

struct listing {
    char *folders[FOLDERS_MAX];
    uint32_t count;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(folder_name(*(char *const *)a), folder_name(*(char *const *)b));
}

static bool collect(void *ctx, const char *place)
{
    struct listing *l = ctx;
    int count;
    struct dirent **names = scan(place, &count);
    uint32_t before = l->count;
    for (int i = 0; i < count && l->count < FOLDERS_MAX; i++) {
        const char *name = names[i]->d_name;
        bool seen = false;
        for (uint32_t k = 0; k < before && !seen; k++)
            seen = strcmp(folder_name(l->folders[k]), name) == 0;
        if (!seen && is_problem(place, name))
            l->folders[l->count++] = absolute_folder(place, name);
    }
    if (names != NULL)
        free_scan(names, count);
    return false;
}

/* The summary of a problem.yaml, or why it can't be read. */
static char *summary_of(const char *folder)
{
    struct elm_error err = {0};
    struct yaml_file yaml;
    char *path = folder_file(folder, "problem.yaml"), *text;
    if (yaml_open(path, &yaml, &err) != ELM_OK) {
        text = elm_strdup(err.message);
    } else {
        const struct yaml_node *n = yaml_get(yaml.root, "summary");
        text = elm_strdup(n != NULL ? n->text : "");
        yaml_close(&yaml);
    }
    free(path);
    return text;
}

enum elm_status elm_problem_list(const char *problems_path,
                                 void (*each)(void *ctx, const char *name, const char *summary,
                                              const char *folder),
                                 void *ctx, struct elm_error *err)
{
    (void)err;
    struct listing *l = elm_calloc(1, sizeof(*l));
    each_place(problems_path, collect, l);
    qsort(l->folders, l->count, sizeof(l->folders[0]), by_name);
    for (uint32_t i = 0; i < l->count; i++) {
        char *summary = summary_of(l->folders[i]);
        each(ctx, folder_name(l->folders[i]), summary, l->folders[i]);
        free(summary);
        free(l->folders[i]);
    }
    free(l);
    return ELM_OK;
}
