/*
 * models: model files by name: the catalog of those that `elm models pull` brings, and the folder
 * where pulled files live as NAME.gguf. Any other NAME.gguf put there is found by its name too.
 *
 *     struct elm_buf path = {0};
 *     if (elm_model_find("smollm2", NULL, &path, &err) == ELM_OK)
 *         status = elm_model_open(path.ptr, ELM_BF16, ELM_KERNEL_AUTO, &model, &err);
 */
#ifndef ELM_MODELS_H
#define ELM_MODELS_H

#include "elm/base.h"

struct elm_model_entry {
    const char *name;
    const char *package, *version;    /* of the Python wheel that the file comes in */
    const char *wheel_sha256;         /* 64 hexadecimal digits */
    const char *file;                 /* its path inside the wheel */
    const char *file_sha256;
    uint64_t bytes;                   /* of the file */
    const char *licence;
    const char *note;                 /* what to know before using it */
};
extern const struct elm_model_entry elm_model_catalog[];    /* ends with a row without a name */
const struct elm_model_entry *elm_model_entry(const char *name);    /* NULL: none has the name */

/* Appends the folder of models: models_path if given, else $XDG_DATA_HOME/elm/models, else
 * ~/.local/share/elm/models. It need not exist. Fails: ELM_NOT_FOUND (no home). */
enum elm_status elm_models_folder(const char *models_path, struct elm_buf *out,
                                  struct elm_error *err);
/* Appends the path of a model's file. What holds a slash or ends in ".gguf" is a path, anything else
 * a name. models_path: nullable. The file's content is not looked at. Fails: ELM_NOT_FOUND (the
 * message says `elm models pull NAME` for a name of the catalog). */
enum elm_status elm_model_find(const char *name_or_path, const char *models_path,
                               struct elm_buf *path, struct elm_error *err);
/* Every NAME.gguf of the folder, by name; none when there is no folder. Fails: ELM_IO. */
enum elm_status elm_model_each(const char *models_path,
                               void (*each)(void *ctx, const char *name, const char *path), void *ctx,
                               struct elm_error *err);
/* SHA-256 of a file (FIPS 180-4), 64 lower-case digits and a 0. Fails: ELM_NOT_FOUND, ELM_IO. */
enum elm_status elm_file_sha256(const char *path, char hex[65], struct elm_error *err);

#endif
