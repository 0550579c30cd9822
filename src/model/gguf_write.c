/* gguf_write: a model file, head first, through a temporary file. */
#include "model/gguf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct entry {
    char *key;
    struct elm_buf value;    /* kind and value, as they stand in the file */
};
struct elm_gguf_writer {
    struct entry *entries;
    struct elm_gguf_tensor *tensors;
    size_t entry_count, entry_cap, tensor_count, tensor_cap;
    struct elm_arena names;
};

struct elm_gguf_writer *elm_gguf_writer_new(void)
{
    return elm_calloc(1, sizeof(struct elm_gguf_writer));
}

void elm_gguf_writer_free(struct elm_gguf_writer *w)
{
    if (w == NULL)
        return;
    for (size_t i = 0; i < w->entry_count; i++) {
        free(w->entries[i].key);
        elm_buf_release(&w->entries[i].value);
    }
    free(w->entries);
    free(w->tensors);
    elm_arena_release(&w->names);
    free(w);
}

static struct entry *find(const struct elm_gguf_writer *w, struct elm_str key)
{
    for (size_t i = 0; i < w->entry_count; i++) {
        if (elm_str_equal(elm_str(w->entries[i].key), key))
            return &w->entries[i];
    }
    return NULL;
}

/* The value of a key, empty: a key that was put before gets a new value. */
static struct elm_buf *value_of(struct elm_gguf_writer *w, struct elm_str key)
{
    struct entry *e = find(w, key);
    if (e == NULL) {
        if (w->entry_count == w->entry_cap) {
            w->entry_cap = w->entry_cap * 2 + 16;
            w->entries = elm_realloc(w->entries, w->entry_cap * sizeof(*w->entries));
        }
        e = &w->entries[w->entry_count++];
        *e = (struct entry){elm_strndup(key.ptr, key.len), {0}};
    }
    elm_buf_clear(&e->value);
    return &e->value;
}

static void add_u32(struct elm_buf *b, uint32_t v)
{
    elm_buf_add(b, &v, sizeof(v));
}

static void add_string(struct elm_buf *b, struct elm_str s)
{
    uint64_t len = s.len;
    elm_buf_add(b, &len, sizeof(len));
    elm_buf_add_str(b, s);
}

static void put(struct elm_gguf_writer *w, const char *key, uint32_t kind, const void *bytes,
                size_t len)
{
    struct elm_buf *b = value_of(w, elm_str(key));
    add_u32(b, kind);
    elm_buf_add(b, bytes, len);
}

void elm_gguf_put_int(struct elm_gguf_writer *w, const char *key, int64_t v)
{
    uint32_t small = (uint32_t)v;
    if (v >= 0 && v <= UINT32_MAX)
        put(w, key, GGUF_U32, &small, sizeof(small));
    else if (v >= INT32_MIN && v < 0)
        put(w, key, GGUF_I32, &small, sizeof(small));
    else
        put(w, key, GGUF_I64, &v, sizeof(v));
}

void elm_gguf_put_real(struct elm_gguf_writer *w, const char *key, double v)
{
    float f = (float)v;
    put(w, key, GGUF_F32, &f, sizeof(f));
}

void elm_gguf_put_bool(struct elm_gguf_writer *w, const char *key, bool v)
{
    uint8_t byte = v;
    put(w, key, GGUF_BOOL, &byte, sizeof(byte));
}

void elm_gguf_put_string(struct elm_gguf_writer *w, const char *key, struct elm_str v)
{
    struct elm_buf *b = value_of(w, elm_str(key));
    add_u32(b, GGUF_STRING);
    add_string(b, v);
}

static struct elm_buf *put_array(struct elm_gguf_writer *w, const char *key, uint32_t kind,
                                 uint64_t count)
{
    struct elm_buf *b = value_of(w, elm_str(key));
    add_u32(b, GGUF_ARRAY);
    add_u32(b, kind);
    elm_buf_add(b, &count, sizeof(count));
    return b;
}

void elm_gguf_put_strings(struct elm_gguf_writer *w, const char *key, const struct elm_str *v,
                          uint64_t count)
{
    struct elm_buf *b = put_array(w, key, GGUF_STRING, count);
    for (uint64_t i = 0; i < count; i++)
        add_string(b, v[i]);
}

void elm_gguf_put_ints(struct elm_gguf_writer *w, const char *key, const int32_t *v,
                       uint64_t count)
{
    elm_buf_add(put_array(w, key, GGUF_I32, count), v, (size_t)count * sizeof(*v));
}

void elm_gguf_put_reals(struct elm_gguf_writer *w, const char *key, const float *v, uint64_t count)
{
    elm_buf_add(put_array(w, key, GGUF_F32, count), v, (size_t)count * sizeof(*v));
}

void elm_gguf_put_all(struct elm_gguf_writer *w, const struct elm_gguf *from)
{
    for (uint64_t i = 0; i < from->value_count; i++) {
        const struct gguf_value *v = &from->values[i];
        if (find(w, v->key) == NULL)
            elm_buf_add_str(value_of(w, v->key), v->raw);
    }
}

void elm_gguf_put_tensor(struct elm_gguf_writer *w, const char *name, uint32_t type,
                         uint32_t dim_count, const uint64_t *dims, const void *data)
{
    size_t len = strlen(name);
    ELM_ASSERT(len >= 1 && len <= GGUF_NAME_MAX && dim_count >= 1 && dim_count <= 4);
    if (w->tensor_count == w->tensor_cap) {
        w->tensor_cap = w->tensor_cap * 2 + 16;
        w->tensors = elm_realloc(w->tensors, w->tensor_cap * sizeof(*w->tensors));
    }
    struct elm_gguf_tensor *t = &w->tensors[w->tensor_count++];
    char *copy = elm_arena_alloc(&w->names, len);
    memcpy(copy, name, len);
    *t = (struct elm_gguf_tensor){{copy, len}, type, dim_count, {1, 1, 1, 1}, data,
                                  elm_gguf_row_bytes(type, dims[0])};
    for (uint32_t i = 0; i < dim_count; i++)
        t->dims[i] = dims[i];
    for (uint32_t i = 1; i < dim_count; i++)
        ELM_ASSERT(!__builtin_mul_overflow(t->bytes, dims[i], &t->bytes));
    ELM_ASSERT(t->bytes > 0);
}

static uint64_t padding(uint64_t len)
{
    return (GGUF_ALIGNMENT - len % GGUF_ALIGNMENT) % GGUF_ALIGNMENT;
}

static void head(const struct elm_gguf_writer *w, struct elm_buf *b)
{
    /* the alignment is the writer's own, whatever a copied head said */
    struct elm_str own = elm_str(GGUF_ALIGNMENT_KEY);
    uint64_t counts[2] = {w->tensor_count, w->entry_count - (find(w, own) != NULL)};
    elm_buf_add(b, "GGUF", 4);
    add_u32(b, GGUF_VERSION);
    elm_buf_add(b, counts, sizeof(counts));
    for (size_t i = 0; i < w->entry_count; i++) {
        struct elm_str key = elm_str(w->entries[i].key);
        if (elm_str_equal(key, own))
            continue;
        add_string(b, key);
        elm_buf_add_str(b, elm_buf_str(&w->entries[i].value));
    }
    uint64_t offset = 0;
    for (size_t i = 0; i < w->tensor_count; i++) {
        const struct elm_gguf_tensor *t = &w->tensors[i];
        add_string(b, t->name);
        add_u32(b, t->dim_count);
        elm_buf_add(b, t->dims, t->dim_count * sizeof(t->dims[0]));
        add_u32(b, t->type);
        elm_buf_add(b, &offset, sizeof(offset));
        offset += t->bytes + padding(t->bytes);
    }
}

static enum elm_status write_padded(int fd, const char *path, const void *bytes, size_t len,
                                    struct elm_error *err)
{
    static const char zeros[GGUF_ALIGNMENT];
    struct elm_str parts[2] = {{bytes, len}, {zeros, (size_t)padding(len)}};
    for (int i = 0; i < 2; i++) {
        for (size_t done = 0; done < parts[i].len;) {
            ssize_t put_now = write(fd, parts[i].ptr + done, parts[i].len - done);
            if (put_now < 0 && errno == EINTR)
                continue;
            if (put_now < 0) {
                return elm_fail(err, errno == ENOSPC || errno == EDQUOT ? ELM_FULL : ELM_IO,
                                "cannot write '%s': %s", path, strerror(errno));
            }
            done += (size_t)put_now;
        }
    }
    return ELM_OK;
}

static enum elm_status write_file(const struct elm_gguf_writer *w, int fd, const char *path,
                                  struct elm_error *err)
{
    struct elm_buf b = {0};
    head(w, &b);
    enum elm_status status = write_padded(fd, path, b.ptr, b.len, err);
    elm_buf_release(&b);
    for (size_t i = 0; i < w->tensor_count && status == ELM_OK; i++)
        status = write_padded(fd, path, w->tensors[i].data, w->tensors[i].bytes, err);
    if (status == ELM_OK && fsync(fd) != 0) {
        status = elm_fail(err, errno == ENOSPC || errno == EDQUOT ? ELM_FULL : ELM_IO,
                          "cannot sync '%s': %s", path, strerror(errno));
    }
    return status;
}

enum elm_status elm_gguf_write(struct elm_gguf_writer *w, const char *path, struct elm_error *err)
{
    struct elm_buf temporary = {0};
    elm_buf_printf(&temporary, "%s.%d.tmp", path, (int)getpid());
    int fd = open(temporary.ptr, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    enum elm_status status;
    if (fd < 0) {
        status = elm_fail(err, ELM_IO, "cannot create '%s': %s", temporary.ptr, strerror(errno));
    } else {
        status = write_file(w, fd, path, err);
        close(fd);
        if (status == ELM_OK && rename(temporary.ptr, path) != 0)
            status = elm_fail(err, ELM_IO, "cannot rename to '%s': %s", path, strerror(errno));
        if (status != ELM_OK)
            unlink(temporary.ptr);
    }
    elm_buf_release(&temporary);
    return status;
}

void elm_gguf_write_bytes(const struct elm_gguf_writer *w, struct elm_buf *out)
{
    ELM_ASSERT(w->tensor_count == 0);
    head(w, out);
}
