/*
 * gguf: model files. Read by mapping and validated before anything is used: counts, lengths,
 * offsets, types, alignment, overlap; a hostile file gives an error that names the field, never a
 * crash. Written through a temporary file, fsync and rename. Format: ggml's gguf, versions 2 and 3.
 */
#ifndef ELM_GGUF_H
#define ELM_GGUF_H

#include "elm/base.h"

enum elm_gguf_type {    /* of tensors; numbers are the format's */
    ELM_GGUF_F32 = 0, ELM_GGUF_F16 = 1, ELM_GGUF_Q4_0 = 2, ELM_GGUF_Q4_1 = 3, ELM_GGUF_Q5_0 = 6,
    ELM_GGUF_Q5_1 = 7, ELM_GGUF_Q8_0 = 8, ELM_GGUF_Q4_K = 12, ELM_GGUF_Q6_K = 14,
    ELM_GGUF_BF16 = 30,
};
struct elm_gguf_tensor {
    struct elm_str name;
    uint32_t type;              /* enum elm_gguf_type */
    uint32_t dim_count;         /* 1..4 */
    uint64_t dims[4];           /* dims[0] is the contiguous one; 1 beyond dim_count */
    const void *data;           /* in the mapping */
    size_t bytes;
};
struct elm_gguf;
/* The file may be replaced while it is open, but not cut short: the mapping would be gone.
 * Fails: ELM_NOT_FOUND, ELM_IO, ELM_CORRUPT (field and value named), ELM_VERSION_TOO_NEW. */
enum elm_status elm_gguf_open(const char *path, struct elm_gguf **out, struct elm_error *err);
/* The same of bytes in memory, borrowed until close; for tests and fuzzing. */
enum elm_status elm_gguf_open_bytes(const void *bytes, size_t len, struct elm_gguf **out,
                                    struct elm_error *err);
void elm_gguf_close(struct elm_gguf *g);
uint64_t elm_gguf_tensor_count(const struct elm_gguf *g);
const struct elm_gguf_tensor *elm_gguf_tensor_at(const struct elm_gguf *g, uint64_t index);
const struct elm_gguf_tensor *elm_gguf_tensor(const struct elm_gguf *g, const char *name); /* NULL */
/* Metadata. False when the key is missing or of another kind; integers of any width convert when
 * they fit, so do float and double. Views are borrowed until close. */
bool elm_gguf_int(const struct elm_gguf *g, const char *key, int64_t *out);
bool elm_gguf_real(const struct elm_gguf *g, const char *key, double *out);
bool elm_gguf_bool(const struct elm_gguf *g, const char *key, bool *out);
bool elm_gguf_string(const struct elm_gguf *g, const char *key, struct elm_str *out);
/* Arrays: length, and the i-th element (i < length). */
bool elm_gguf_array(const struct elm_gguf *g, const char *key, uint64_t *length);
bool elm_gguf_array_string(const struct elm_gguf *g, const char *key, uint64_t i,
                           struct elm_str *out);
bool elm_gguf_array_int(const struct elm_gguf *g, const char *key, uint64_t i, int64_t *out);
bool elm_gguf_array_real(const struct elm_gguf *g, const char *key, uint64_t i, double *out);

/* Copies a row of `n` elements (n: a multiple of the type's block) to f32. False: unknown type. */
bool elm_gguf_dequantize(uint32_t type, const void *row, uint64_t n, float *out);
/* Bytes of n elements, 0: unknown type or n no multiple of its block. Knows every type of the
 * format, also those that elm_gguf_dequantize doesn't read. */
size_t elm_gguf_row_bytes(uint32_t type, uint64_t n);
const char *elm_gguf_type_name(uint32_t type);    /* "Q4_1"; NULL: not of the format */

/* Writing: metadata and tensors in any order, then the file at once. */
struct elm_gguf_writer;
struct elm_gguf_writer *elm_gguf_writer_new(void);
void elm_gguf_put_int(struct elm_gguf_writer *w, const char *key, int64_t v);    /* as u32 if it fits */
void elm_gguf_put_real(struct elm_gguf_writer *w, const char *key, double v);    /* as f32 */
void elm_gguf_put_bool(struct elm_gguf_writer *w, const char *key, bool v);
void elm_gguf_put_string(struct elm_gguf_writer *w, const char *key, struct elm_str v);
void elm_gguf_put_strings(struct elm_gguf_writer *w, const char *key, const struct elm_str *v,
                          uint64_t count);
void elm_gguf_put_ints(struct elm_gguf_writer *w, const char *key, const int32_t *v,
                       uint64_t count);
void elm_gguf_put_reals(struct elm_gguf_writer *w, const char *key, const float *v, uint64_t count);
/* Every metadata key of `from` that is not there yet. */
void elm_gguf_put_all(struct elm_gguf_writer *w, const struct elm_gguf *from);
/* `data` is borrowed until the write. */
void elm_gguf_put_tensor(struct elm_gguf_writer *w, const char *name, uint32_t type,
                         uint32_t dim_count, const uint64_t *dims, const void *data);
enum elm_status elm_gguf_write(struct elm_gguf_writer *w, const char *path, struct elm_error *err);
/* Appends the bytes of a file with the metadata alone, without tensors. */
void elm_gguf_write_bytes(const struct elm_gguf_writer *w, struct elm_buf *out);
void elm_gguf_writer_free(struct elm_gguf_writer *w);

#endif
