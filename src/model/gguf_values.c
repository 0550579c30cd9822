/* gguf_values: what an open model file holds, by name. */
#include "model/gguf.h"

#include <string.h>

int gguf_compare(struct elm_str a, struct elm_str b)
{
    int order = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

size_t gguf_kind_bytes(uint32_t kind)
{
    static const uint8_t bytes[GGUF_KINDS] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    return bytes[kind];
}

const struct gguf_value *gguf_find(const struct elm_gguf *g, struct elm_str key)
{
    size_t lo = 0, hi = (size_t)g->value_count;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int order = gguf_compare(g->values[mid].key, key);
        if (order == 0)
            return &g->values[mid];
        if (order < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

uint64_t elm_gguf_tensor_count(const struct elm_gguf *g)
{
    return g->tensor_count;
}

const struct elm_gguf_tensor *elm_gguf_tensor_at(const struct elm_gguf *g, uint64_t index)
{
    ELM_ASSERT(index < g->tensor_count);
    return &g->tensors[index];
}

const struct elm_gguf_tensor *elm_gguf_tensor(const struct elm_gguf *g, const char *name)
{
    struct elm_str wanted = elm_str(name);
    size_t lo = 0, hi = (size_t)g->tensor_count;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int order = gguf_compare(g->by_name[mid]->name, wanted);
        if (order == 0)
            return g->by_name[mid];
        if (order < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

static bool int_at(const struct gguf_value *v, uint64_t i, int64_t *out)
{
    size_t width = gguf_kind_bytes(v->kind);
    uint64_t u = 0;
    if (v->kind == GGUF_F32 || v->kind == GGUF_F64 || v->kind == GGUF_BOOL || width == 0)
        return false;
    memcpy(&u, v->data + i * width, width);
    switch (v->kind) {
    case GGUF_I8: *out = (int8_t)u; return true;
    case GGUF_I16: *out = (int16_t)u; return true;
    case GGUF_I32: *out = (int32_t)u; return true;
    case GGUF_U64:
        if (u > INT64_MAX)
            return false;
        break;
    default: break;
    }
    *out = (int64_t)u;
    return true;
}

static bool real_at(const struct gguf_value *v, uint64_t i, double *out)
{
    if (v->kind == GGUF_F64) {
        memcpy(out, v->data + i * sizeof(*out), sizeof(*out));
        return true;
    }
    if (v->kind != GGUF_F32)
        return false;
    float f;
    memcpy(&f, v->data + i * sizeof(f), sizeof(f));
    *out = (double)f;
    return true;
}

/* Its bounds were checked when the file was opened. */
static bool string_at(const struct gguf_value *v, uint64_t i, struct elm_str *out)
{
    if (v->kind != GGUF_STRING)
        return false;
    const uint8_t *at = v->data + (v->array ? v->starts[i] : 0);
    uint64_t len;
    memcpy(&len, at, sizeof(len));
    *out = (struct elm_str){(const char *)at + sizeof(len), (size_t)len};
    return true;
}

static const struct gguf_value *find(const struct elm_gguf *g, const char *key, bool array)
{
    const struct gguf_value *v = gguf_find(g, elm_str(key));
    return v != NULL && v->array == array ? v : NULL;
}

bool elm_gguf_int(const struct elm_gguf *g, const char *key, int64_t *out)
{
    const struct gguf_value *v = find(g, key, false);
    return v != NULL && int_at(v, 0, out);
}

bool elm_gguf_real(const struct elm_gguf *g, const char *key, double *out)
{
    const struct gguf_value *v = find(g, key, false);
    return v != NULL && real_at(v, 0, out);
}

bool elm_gguf_bool(const struct elm_gguf *g, const char *key, bool *out)
{
    const struct gguf_value *v = find(g, key, false);
    if (v == NULL || v->kind != GGUF_BOOL)
        return false;
    *out = v->data[0] != 0;
    return true;
}

bool elm_gguf_string(const struct elm_gguf *g, const char *key, struct elm_str *out)
{
    const struct gguf_value *v = find(g, key, false);
    return v != NULL && string_at(v, 0, out);
}

bool elm_gguf_array(const struct elm_gguf *g, const char *key, uint64_t *length)
{
    const struct gguf_value *v = find(g, key, true);
    if (v == NULL)
        return false;
    *length = v->count;
    return true;
}

bool elm_gguf_array_string(const struct elm_gguf *g, const char *key, uint64_t i,
                           struct elm_str *out)
{
    const struct gguf_value *v = find(g, key, true);
    return v != NULL && i < v->count && string_at(v, i, out);
}

bool elm_gguf_array_int(const struct elm_gguf *g, const char *key, uint64_t i, int64_t *out)
{
    const struct gguf_value *v = find(g, key, true);
    return v != NULL && i < v->count && int_at(v, i, out);
}

bool elm_gguf_array_real(const struct elm_gguf *g, const char *key, uint64_t i, double *out)
{
    const struct gguf_value *v = find(g, key, true);
    return v != NULL && i < v->count && real_at(v, i, out);
}
