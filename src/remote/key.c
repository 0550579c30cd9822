/* key: read once, sent to one host, shown nowhere. */
#include "elm/remote.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Cuts white space off both ends; false for an empty key or one that no header can carry. */
static bool trim(struct elm_buf *key)
{
    size_t from = 0, to = key->len;
    while (from < to && strchr(" \t\r\n", key->ptr[from]) != NULL)
        from++;
    while (to > from && strchr(" \t\r\n", key->ptr[to - 1]) != NULL)
        to--;
    if (from == to)
        return false;
    for (size_t i = from; i < to; i++) {
        if (key->ptr[i] <= ' ' || key->ptr[i] > '~')
            return false;
    }
    memmove(key->ptr, key->ptr + from, to - from);
    explicit_bzero(key->ptr + (to - from), key->len - (to - from));
    key->len = to - from;
    return true;
}

static enum elm_status read_file(const char *path, struct elm_buf *key, char warning[160],
                                 struct elm_error *err)
{
    struct stat st;
    ELM_TRY(elm_file_read(path, ELM_KEY_BYTES_MAX, key, err));
    if (warning != NULL && stat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 077) != 0)
        snprintf(warning, 160, "others may read the key file '%.60s': chmod 600 it", path);
    if (!trim(key)) {
        return elm_fail(err, ELM_USAGE, "key file '%s' does not hold one key: a word of printable "
                        "ASCII", path);
    }
    return ELM_OK;
}

static enum elm_status read_variable(const char *name, struct elm_buf *key, struct elm_error *err)
{
    const char *value = getenv(name);
    if (value == NULL)
        return elm_fail(err, ELM_NOT_FOUND, "the variable '%s' (key-env) is not set", name);
    if (strlen(value) > ELM_KEY_BYTES_MAX) {
        return elm_fail(err, ELM_USAGE, "the variable '%s' (key-env) is longer than the %d bytes of "
                        "a key", name, ELM_KEY_BYTES_MAX);
    }
    elm_buf_add_str(key, elm_str(value));
    if (!trim(key)) {
        return elm_fail(err, ELM_USAGE, "the variable '%s' (key-env) does not hold one key: a word of "
                        "printable ASCII", name);
    }
    return ELM_OK;
}

enum elm_status elm_key_read(const struct elm_endpoint *e, struct elm_buf *key, char warning[160],
                             struct elm_error *err)
{
    ELM_ASSERT(key->len == 0);
    if (e->key_file == NULL && e->key_env == NULL)
        return ELM_OK;
    /* room for all of it: a buffer that grows leaves copies behind */
    elm_buf_reserve(key, 64 * 1024);
    enum elm_status status = e->key_file != NULL ? read_file(e->key_file, key, warning, err)
                                                 : read_variable(e->key_env, key, err);
    if (status != ELM_OK)
        elm_key_wipe(key);
    return status;
}

void elm_key_wipe(struct elm_buf *key)
{
    if (key->ptr != NULL)
        explicit_bzero(key->ptr, key->cap);
    elm_buf_release(key);
}

void elm_key_hide(const struct elm_buf *key, char *bytes, size_t len)
{
    if (key->len == 0 || len == 0)
        return;
    char *at = bytes, *found;
    while ((found = memmem(at, len - (size_t)(at - bytes), key->ptr, key->len)) != NULL) {
        memset(found, '*', key->len);
        at = found + key->len;
    }
}
