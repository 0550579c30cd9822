/* library: programs and their weights, as a GGUF. */
#include "elm/library.h"

#include "elm/gguf.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ARCHITECTURE "elm-library"
#define PROGRAMS ARCHITECTURE ".programs"

struct elm_library {
    struct elm_str *texts;
    uint64_t *hashes;
    float *weights;
    uint32_t count;
};

struct elm_library *elm_library_new(void)
{
    struct elm_library *l = elm_calloc(1, sizeof(*l));
    l->texts = elm_calloc(ELM_LIBRARY_MAX, sizeof(*l->texts));
    l->hashes = elm_calloc(ELM_LIBRARY_MAX, sizeof(*l->hashes));
    l->weights = elm_calloc(ELM_LIBRARY_MAX, sizeof(*l->weights));
    return l;
}

void elm_library_free(struct elm_library *l)
{
    if (l == NULL)
        return;
    for (uint32_t i = 0; i < l->count; i++)
        free((void *)(uintptr_t)l->texts[i].ptr);
    free(l->texts);
    free(l->hashes);
    free(l->weights);
    free(l);
}

static uint32_t find(const struct elm_library *l, struct elm_str text, uint64_t hash)
{
    for (uint32_t i = 0; i < l->count; i++) {
        if (l->hashes[i] == hash && elm_str_equal(l->texts[i], text))
            return i;
    }
    return UINT32_MAX;
}

uint32_t elm_library_find(const struct elm_library *l, struct elm_str text)
{
    return find(l, text, elm_hash(text.ptr, text.len, 0));
}

uint32_t elm_library_add(struct elm_library *l, struct elm_str text)
{
    uint64_t hash = elm_hash(text.ptr, text.len, 0);
    uint32_t at = find(l, text, hash);
    if (at != UINT32_MAX) {
        l->weights[at] = logf(expf(l->weights[at]) + 1);
        return at;
    }
    if (l->count == ELM_LIBRARY_MAX)
        return UINT32_MAX;
    char *copy = elm_malloc(text.len + 1);
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    l->texts[l->count] = (struct elm_str){copy, text.len};
    l->hashes[l->count] = hash;
    return l->count++;
}

uint32_t elm_library_count(const struct elm_library *l)
{
    return l->count;
}

struct elm_str elm_library_text(const struct elm_library *l, uint32_t index)
{
    ELM_ASSERT(index < l->count);
    return l->texts[index];
}

float *elm_library_weights(struct elm_library *l)
{
    return l->weights;
}

static enum elm_status fill(const struct elm_gguf *g, struct elm_library *l, struct elm_error *err)
{
    const struct elm_gguf_tensor *t = elm_gguf_tensor(g, "weights");
    uint64_t count = 0;
    if (!elm_gguf_array(g, PROGRAMS, &count) || count == 0 || count > ELM_LIBRARY_MAX)
        return elm_fail(err, ELM_CORRUPT, "key " PROGRAMS ": %llu programs; 1 to %d are allowed",
                        (unsigned long long)count, ELM_LIBRARY_MAX);
    if (t == NULL || t->type != ELM_GGUF_F32 || t->dim_count != 1 || t->dims[0] != count)
        return elm_fail(err, ELM_CORRUPT, "tensor 'weights' is not of %llu numbers",
                        (unsigned long long)count);
    for (uint64_t i = 0; i < count; i++) {
        struct elm_str text;
        if (!elm_gguf_array_string(g, PROGRAMS, i, &text) || elm_library_add(l, text) != i)
            return elm_fail(err, ELM_CORRUPT, "program %llu of the library is no text, or there twice",
                            (unsigned long long)i);
    }
    memcpy(l->weights, t->data, count * sizeof(float));
    for (uint64_t i = 0; i < count; i++) {
        if (!isfinite(l->weights[i]) || fabsf(l->weights[i]) > 60)
            return elm_fail(err, ELM_CORRUPT, "tensor 'weights' has a number that is no logarithm of a "
                            "count");
    }
    return ELM_OK;
}

enum elm_status elm_library_read(const char *path, struct elm_library **out, struct elm_error *err)
{
    struct elm_gguf *g;
    struct elm_str architecture = {"", 0};
    ELM_TRY(elm_gguf_open(path, &g, err));
    elm_gguf_string(g, "general.architecture", &architecture);
    struct elm_library *l = elm_library_new();
    enum elm_status status = ELM_OK;
    if (!elm_str_equal(architecture, ELM_STR(ARCHITECTURE)))
        status = elm_fail(err, ELM_OUTSIDE, "general.architecture is '%.*s', not '" ARCHITECTURE "'",
                          (int)architecture.len, architecture.ptr);
    if (status == ELM_OK)
        status = fill(g, l, err);
    elm_gguf_close(g);
    if (status == ELM_OK)
        *out = l;
    else
        elm_library_free(l);
    return status;
}

enum elm_status elm_library_write(const struct elm_library *l, const char *path,
                                  struct elm_error *err)
{
    uint64_t dims[1] = {l->count};
    if (l->count == 0)
        return elm_fail(err, ELM_NOTHING, "there is no program to write to '%s'", path);
    struct elm_gguf_writer *w = elm_gguf_writer_new();
    elm_gguf_put_string(w, "general.architecture", ELM_STR(ARCHITECTURE));
    elm_gguf_put_string(w, "general.name", ELM_STR("elm-library"));
    elm_gguf_put_strings(w, PROGRAMS, l->texts, l->count);
    elm_gguf_put_tensor(w, "weights", ELM_GGUF_F32, 1, dims, l->weights);
    enum elm_status status = elm_gguf_write(w, path, err);
    elm_gguf_writer_free(w);
    return status;
}
