/* gguf: what reader and writer of model files share. */
#ifndef ELM_MODEL_GGUF_H
#define ELM_MODEL_GGUF_H

#include "elm/gguf.h"

enum gguf_kind {    /* of metadata values; numbers are the format's */
    GGUF_U8, GGUF_I8, GGUF_U16, GGUF_I16, GGUF_U32, GGUF_I32, GGUF_F32, GGUF_BOOL, GGUF_STRING,
    GGUF_ARRAY, GGUF_U64, GGUF_I64, GGUF_F64, GGUF_KINDS,
};
#define GGUF_VERSION 3
#define GGUF_ALIGNMENT 32
#define GGUF_NAME_MAX 63    /* of a tensor: llama.cpp has 64 bytes with the final 0 */
#define GGUF_ALIGNMENT_KEY "general.alignment"

struct gguf_value {
    struct elm_str key;
    uint32_t kind;             /* of the value, or of an array's elements */
    bool array;
    uint64_t count;            /* elements; 1 for what is no array */
    const uint8_t *data;       /* the first element */
    const uint64_t *starts;    /* array of strings: where element i starts, from data */
    struct elm_str raw;        /* kind and value as they stand in the file */
};
struct elm_gguf {
    const uint8_t *bytes;
    size_t len;
    void *mapping;             /* NULL: borrowed bytes */
    struct elm_arena arena;
    struct gguf_value *values;           /* by key */
    uint64_t value_count;
    struct elm_gguf_tensor *tensors;     /* as in the file */
    uint64_t tensor_count;
    struct elm_gguf_tensor **by_name;
};
/* Below 0, 0, above 0: the order of keys and names. */
int gguf_compare(struct elm_str a, struct elm_str b);
/* Of one element; 0 of a string. */
size_t gguf_kind_bytes(uint32_t kind);
/* The value of a key, or NULL. */
const struct gguf_value *gguf_find(const struct elm_gguf *g, struct elm_str key);

#endif
