/* gguf_read: maps a model file and checks all of its head before any of it is used. */
#include "model/gguf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Far above any real file; they bound what a hostile head can make us allocate. */
#define VALUES_MAX 65536
#define TENSORS_MAX 65536
#define KEY_MAX 65535
#define STRINGS_MAX ((uint64_t)1 << 24)
#define ALIGNMENT_MAX ((uint32_t)1 << 20)
/* The least that a value (key length, kind, one byte) and a tensor (name length, dimension count,
 * one dimension, type, offset) take. */
#define VALUE_BYTES_MIN 13
#define TENSOR_BYTES_MIN 32

struct parser {
    struct elm_gguf *g;
    const uint8_t *at, *end;
    struct elm_error *err;
};

/* For "%.*s": names are printable by then, but may be long. */
#define SHOWN(s) (int)((s).len < 80 ? (s).len : 80), (s).ptr

static size_t left(const struct parser *p)
{
    return (size_t)(p->end - p->at);
}

static enum elm_status need(const struct parser *p, uint64_t bytes, const char *what)
{
    if (bytes <= left(p))
        return ELM_OK;
    return elm_fail(p->err, ELM_CORRUPT, "%s at byte %zu takes %llu bytes, but the file ends at "
                    "byte %zu: it is cut off", what, (size_t)(p->at - p->g->bytes),
                    (unsigned long long)bytes, p->g->len);
}

static enum elm_status read_u32(struct parser *p, const char *what, uint32_t *out)
{
    ELM_TRY(need(p, sizeof(*out), what));
    memcpy(out, p->at, sizeof(*out));
    p->at += sizeof(*out);
    return ELM_OK;
}

static enum elm_status read_u64(struct parser *p, const char *what, uint64_t *out)
{
    ELM_TRY(need(p, sizeof(*out), what));
    memcpy(out, p->at, sizeof(*out));
    p->at += sizeof(*out);
    return ELM_OK;
}

static enum elm_status read_string(struct parser *p, const char *what, struct elm_str *out)
{
    uint64_t len;
    ELM_TRY(read_u64(p, what, &len));
    ELM_TRY(need(p, len, what));
    *out = (struct elm_str){(const char *)p->at, (size_t)len};
    p->at += len;
    return ELM_OK;
}

/* A key or a tensor's name: printable ASCII, so that it can stand in a message. */
static enum elm_status read_name(struct parser *p, const char *what, size_t len_max,
                                 struct elm_str *out)
{
    size_t start = (size_t)(p->at - p->g->bytes);
    ELM_TRY(read_string(p, what, out));
    if (out->len == 0 || out->len > len_max) {
        return elm_fail(p->err, ELM_CORRUPT, "%s at byte %zu has %zu bytes, 1 to %zu are allowed",
                        what, start, out->len, len_max);
    }
    for (size_t i = 0; i < out->len; i++) {
        unsigned char c = (unsigned char)out->ptr[i];
        if (c <= ' ' || c > '~') {
            return elm_fail(p->err, ELM_CORRUPT, "%s at byte %zu holds byte 0x%02x, only printable "
                            "ASCII is allowed", what, start, c);
        }
    }
    return ELM_OK;
}

static enum elm_status read_strings(struct parser *p, struct gguf_value *v)
{
    if (v->count > STRINGS_MAX || v->count > left(p) / sizeof(uint64_t)) {
        return elm_fail(p->err, ELM_CORRUPT, "key '%.*s' claims %llu strings, but %zu bytes of the "
                        "file are left and %llu strings are allowed", SHOWN(v->key),
                        (unsigned long long)v->count, left(p), (unsigned long long)STRINGS_MAX);
    }
    uint64_t *starts = elm_arena_alloc(&p->g->arena, (size_t)v->count * sizeof(*starts));
    for (uint64_t i = 0; i < v->count; i++) {
        struct elm_str s;
        starts[i] = (uint64_t)(p->at - v->data);
        ELM_TRY(read_string(p, "a string of an array", &s));
    }
    v->starts = starts;
    return ELM_OK;
}

static enum elm_status check_bools(struct parser *p, const struct gguf_value *v)
{
    for (uint64_t i = 0; v->kind == GGUF_BOOL && i < v->count; i++) {
        if (v->data[i] > 1) {
            return elm_fail(p->err, ELM_CORRUPT, "key '%.*s' has %u for a truth value, 0 and 1 are "
                            "allowed", SHOWN(v->key), v->data[i]);
        }
    }
    return ELM_OK;
}

static enum elm_status read_value(struct parser *p, struct gguf_value *v)
{
    ELM_TRY(read_name(p, "a key", KEY_MAX, &v->key));
    const uint8_t *start = p->at;
    ELM_TRY(read_u32(p, "the type of a key", &v->kind));
    v->count = 1;
    v->array = v->kind == GGUF_ARRAY;
    if (v->array) {
        ELM_TRY(read_u32(p, "the element type of an array", &v->kind));
        ELM_TRY(read_u64(p, "the length of an array", &v->count));
    }
    if (v->kind >= GGUF_KINDS) {
        return elm_fail(p->err, ELM_CORRUPT, "key '%.*s' has type %u, 0 to %d are allowed",
                        SHOWN(v->key), v->kind, GGUF_KINDS - 1);
    }
    if (v->kind == GGUF_ARRAY) {
        return elm_fail(p->err, ELM_CORRUPT, "key '%.*s' is an array of arrays, which no model uses "
                        "and elm doesn't read", SHOWN(v->key));
    }
    v->data = p->at;
    if (v->kind == GGUF_STRING && v->array) {
        ELM_TRY(read_strings(p, v));
    } else if (v->kind == GGUF_STRING) {
        struct elm_str s;
        ELM_TRY(read_string(p, "a string", &s));
    } else {
        uint64_t bytes;
        if (__builtin_mul_overflow(v->count, gguf_kind_bytes(v->kind), &bytes) || bytes > left(p)) {
            return elm_fail(p->err, ELM_CORRUPT, "key '%.*s' claims %llu elements of %zu bytes, but "
                            "%zu bytes of the file are left", SHOWN(v->key),
                            (unsigned long long)v->count, gguf_kind_bytes(v->kind), left(p));
        }
        p->at += bytes;
    }
    v->raw = (struct elm_str){(const char *)start, (size_t)(p->at - start)};
    return check_bools(p, v);
}

/* The tensor's place within the data, checked later: where the data starts isn't known yet. */
static enum elm_status read_tensor(struct parser *p, struct elm_gguf_tensor *t, uint64_t *offset)
{
    ELM_TRY(read_name(p, "the name of a tensor", GGUF_NAME_MAX, &t->name));
    ELM_TRY(read_u32(p, "the dimension count of a tensor", &t->dim_count));
    if (t->dim_count < 1 || t->dim_count > 4) {
        return elm_fail(p->err, ELM_CORRUPT, "tensor '%.*s' has %u dimensions, 1 to 4 are allowed",
                        SHOWN(t->name), t->dim_count);
    }
    uint64_t rows = 1;
    for (uint32_t i = 0; i < 4; i++) {
        t->dims[i] = 1;
        if (i < t->dim_count)
            ELM_TRY(read_u64(p, "a dimension of a tensor", &t->dims[i]));
        if (t->dims[i] == 0 || (i > 0 && __builtin_mul_overflow(rows, t->dims[i], &rows))) {
            return elm_fail(p->err, ELM_CORRUPT, "tensor '%.*s' has %llu for dimension %u, which is "
                            "0 or overflows", SHOWN(t->name), (unsigned long long)t->dims[i], i);
        }
    }
    ELM_TRY(read_u32(p, "the type of a tensor", &t->type));
    ELM_TRY(read_u64(p, "the offset of a tensor", offset));
    if (elm_gguf_type_name(t->type) == NULL) {
        return elm_fail(p->err, ELM_CORRUPT, "tensor '%.*s' has type %u, which is not of the format",
                        SHOWN(t->name), t->type);
    }
    size_t row = elm_gguf_row_bytes(t->type, t->dims[0]);
    if (row == 0 || __builtin_mul_overflow(rows, row, &t->bytes)) {
        return elm_fail(p->err, ELM_CORRUPT, "tensor '%.*s' of type %s has rows of %llu elements, "
                        "which is no multiple of the type's block or overflows", SHOWN(t->name),
                        elm_gguf_type_name(t->type), (unsigned long long)t->dims[0]);
    }
    return ELM_OK;
}

static int by_key(const void *a, const void *b)
{
    return gguf_compare(((const struct gguf_value *)a)->key, ((const struct gguf_value *)b)->key);
}

static int by_name(const void *a, const void *b)
{
    return gguf_compare((*(struct elm_gguf_tensor *const *)a)->name,
                        (*(struct elm_gguf_tensor *const *)b)->name);
}

static int by_place(const void *a, const void *b)
{
    const char *x = (*(struct elm_gguf_tensor *const *)a)->data;
    const char *y = (*(struct elm_gguf_tensor *const *)b)->data;
    return (x > y) - (x < y);
}

static enum elm_status read_head(struct parser *p)
{
    uint32_t version;
    if (left(p) < 4 || memcmp(p->at, "GGUF", 4) != 0) {
        return elm_fail(p->err, ELM_CORRUPT, left(p) == 0 ? "the file is empty"
                        : "the file doesn't start with 'GGUF', as every GGUF model does");
    }
    p->at += 4;
    ELM_TRY(read_u32(p, "the version", &version));
    if (version != 0 && (version & 0xffff) == 0) {
        return elm_fail(p->err, ELM_CORRUPT, "the file is big-endian (version 0x%08x), only "
                        "little-endian ones are read", version);
    }
    if (version > GGUF_VERSION) {
        return elm_fail(p->err, ELM_VERSION_TOO_NEW, "the file has version %u of the format, elm "
                        "reads 2 and 3", version);
    }
    if (version < 2) {
        return elm_fail(p->err, ELM_CORRUPT, "the file has version %u of the format, elm reads 2 "
                        "and 3", version);
    }
    ELM_TRY(read_u64(p, "the number of tensors", &p->g->tensor_count));
    ELM_TRY(read_u64(p, "the number of keys", &p->g->value_count));
    if (p->g->tensor_count > TENSORS_MAX || p->g->tensor_count > left(p) / TENSOR_BYTES_MIN) {
        return elm_fail(p->err, ELM_CORRUPT, "the file claims %llu tensors, but %zu bytes are left "
                        "and %d are allowed", (unsigned long long)p->g->tensor_count, left(p),
                        TENSORS_MAX);
    }
    if (p->g->value_count > VALUES_MAX || p->g->value_count > left(p) / VALUE_BYTES_MIN) {
        return elm_fail(p->err, ELM_CORRUPT, "the file claims %llu keys, but %zu bytes are left and "
                        "%d are allowed", (unsigned long long)p->g->value_count, left(p),
                        VALUES_MAX);
    }
    return ELM_OK;
}

static enum elm_status read_values(struct parser *p)
{
    struct elm_gguf *g = p->g;
    g->values = elm_arena_alloc(&g->arena, (size_t)g->value_count * sizeof(*g->values));
    memset(g->values, 0, (size_t)g->value_count * sizeof(*g->values));
    for (uint64_t i = 0; i < g->value_count; i++)
        ELM_TRY(read_value(p, &g->values[i]));
    qsort(g->values, (size_t)g->value_count, sizeof(*g->values), by_key);
    for (uint64_t i = 1; i < g->value_count; i++) {
        if (elm_str_equal(g->values[i - 1].key, g->values[i].key)) {
            return elm_fail(p->err, ELM_CORRUPT, "key '%.*s' stands twice",
                            SHOWN(g->values[i].key));
        }
    }
    return ELM_OK;
}

static enum elm_status read_alignment(struct parser *p, uint32_t *out)
{
    *out = GGUF_ALIGNMENT;
    const struct gguf_value *v = gguf_find(p->g, elm_str(GGUF_ALIGNMENT_KEY));
    if (v == NULL)
        return ELM_OK;
    if (v->array || v->kind != GGUF_U32) {
        return elm_fail(p->err, ELM_CORRUPT, "key '" GGUF_ALIGNMENT_KEY "' has type %u, a 32 bit "
                        "number (%d) is allowed", v->array ? GGUF_ARRAY : v->kind, GGUF_U32);
    }
    memcpy(out, v->data, sizeof(*out));
    if (*out < 8 || *out > ALIGNMENT_MAX || (*out & (*out - 1)) != 0) {
        return elm_fail(p->err, ELM_CORRUPT, "key '" GGUF_ALIGNMENT_KEY "' is %u, powers of two "
                        "from 8 to %u are allowed", *out, ALIGNMENT_MAX);
    }
    return ELM_OK;
}

static enum elm_status place_tensor(const struct parser *p, struct elm_gguf_tensor *t,
                                    uint64_t start, uint64_t offset, uint32_t alignment)
{
    if (offset % alignment != 0) {
        return elm_fail(p->err, ELM_CORRUPT, "tensor '%.*s' has offset %llu, multiples of %u are "
                        "allowed", SHOWN(t->name), (unsigned long long)offset, alignment);
    }
    uint64_t from, to;
    if (__builtin_add_overflow(start, offset, &from) ||
        __builtin_add_overflow(from, t->bytes, &to) || to > p->g->len) {
        return elm_fail(p->err, ELM_CORRUPT, "tensor '%.*s' has %zu bytes at offset %llu of the "
                        "data, but the file ends at byte %zu: it is cut off or corrupt",
                        SHOWN(t->name), t->bytes, (unsigned long long)offset, p->g->len);
    }
    t->data = p->g->bytes + from;
    return ELM_OK;
}

static enum elm_status check_tensors(const struct parser *p)
{
    struct elm_gguf *g = p->g;
    struct elm_gguf_tensor **sorted = g->by_name;
    for (uint64_t i = 0; i < g->tensor_count; i++)
        sorted[i] = &g->tensors[i];
    qsort(sorted, (size_t)g->tensor_count, sizeof(struct elm_gguf_tensor *), by_place);
    for (uint64_t i = 1; i < g->tensor_count; i++) {
        const struct elm_gguf_tensor *a = sorted[i - 1], *b = sorted[i];
        if ((const char *)a->data + a->bytes > (const char *)b->data) {
            return elm_fail(p->err, ELM_CORRUPT, "tensors '%.*s' and '%.*s' overlap",
                            SHOWN(a->name), SHOWN(b->name));
        }
    }
    qsort(sorted, (size_t)g->tensor_count, sizeof(struct elm_gguf_tensor *), by_name);
    for (uint64_t i = 1; i < g->tensor_count; i++) {
        if (elm_str_equal(sorted[i - 1]->name, sorted[i]->name)) {
            return elm_fail(p->err, ELM_CORRUPT, "tensor '%.*s' stands twice",
                            SHOWN(sorted[i]->name));
        }
    }
    return ELM_OK;
}

static enum elm_status read_tensors(struct parser *p)
{
    struct elm_gguf *g = p->g;
    size_t count = (size_t)g->tensor_count;
    uint32_t alignment;
    ELM_TRY(read_alignment(p, &alignment));
    g->tensors = elm_arena_alloc(&g->arena, count * sizeof(*g->tensors));
    g->by_name = elm_arena_alloc(&g->arena, count * sizeof(struct elm_gguf_tensor *));
    uint64_t *offsets = elm_arena_alloc(&g->arena, count * sizeof(*offsets));
    for (size_t i = 0; i < count; i++)
        ELM_TRY(read_tensor(p, &g->tensors[i], &offsets[i]));
    uint64_t start = (uint64_t)(p->at - g->bytes);
    start += (alignment - start % alignment) % alignment;
    for (size_t i = 0; i < count; i++)
        ELM_TRY(place_tensor(p, &g->tensors[i], start, offsets[i], alignment));
    return check_tensors(p);
}

enum elm_status elm_gguf_open_bytes(const void *bytes, size_t len, struct elm_gguf **out,
                                    struct elm_error *err)
{
    struct elm_gguf *g = elm_calloc(1, sizeof(*g));
    g->bytes = bytes;
    g->len = len;
    struct parser p = {g, bytes, (const uint8_t *)bytes + len, err};
    enum elm_status status = read_head(&p);
    if (status == ELM_OK)
        status = read_values(&p);
    if (status == ELM_OK)
        status = read_tensors(&p);
    if (status == ELM_OK)
        *out = g;
    else
        elm_gguf_close(g);
    return status;
}

static enum elm_status map(const char *path, int fd, void **mapping, size_t *len,
                           struct elm_error *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return elm_fail(err, ELM_IO, "cannot read '%s': %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode)) {
        return elm_fail(err, ELM_IO, "'%s' is %s, not a file", path,
                        S_ISDIR(st.st_mode) ? "a folder" : "a pipe or device");
    }
    *len = (size_t)st.st_size;
    if (*len == 0)
        return ELM_OK;
    *mapping = mmap(NULL, *len, PROT_READ, MAP_PRIVATE, fd, 0);
    if (*mapping == MAP_FAILED)
        return elm_fail(err, ELM_IO, "cannot map '%s': %s", path, strerror(errno));
    return ELM_OK;
}

enum elm_status elm_gguf_open(const char *path, struct elm_gguf **out, struct elm_error *err)
{
    /* O_NONBLOCK: a pipe must not make us wait */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) {
        return elm_fail(err, errno == ENOENT ? ELM_NOT_FOUND : ELM_IO, "cannot open '%s': %s",
                        path, strerror(errno));
    }
    void *mapping = NULL;
    size_t len = 0;
    struct elm_error inner = {0};
    struct elm_gguf *g = NULL;
    enum elm_status status = map(path, fd, &mapping, &len, err);
    close(fd);
    if (status != ELM_OK)
        return status;
    status = elm_gguf_open_bytes(mapping == NULL ? "" : mapping, len, &g, &inner);
    if (status != ELM_OK) {
        if (mapping != NULL)
            munmap(mapping, len);
        return elm_fail(err, status, "cannot use the model file '%.200s': %s", path,
                        inner.message);
    }
    g->mapping = mapping;
    *out = g;
    return ELM_OK;
}

void elm_gguf_close(struct elm_gguf *g)
{
    if (g == NULL)
        return;
    if (g->mapping != NULL)
        munmap(g->mapping, g->len);
    elm_arena_release(&g->arena);
    free(g);
}
