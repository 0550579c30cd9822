/* column: one column of a packed row, as bytes. Private to pack.c and column.c. */
#ifndef ELM_STORE_COLUMN_H
#define ELM_STORE_COLUMN_H

#include "elm/base.h"

struct column_writer;
struct column_writer *column_writer_new(void);
void column_writer_free(struct column_writer *w);
/* Appends a column of bytes, compressed where that makes it smaller. */
void column_bytes(struct column_writer *w, const void *bytes, size_t len, struct elm_buf *out);
/* Appends numbers as their sorted distinct values and an index for each. */
void column_numbers(struct column_writer *w, const uint64_t *values, uint32_t count,
                    struct elm_buf *out);
/* The same for short strings. */
void column_strings(struct column_writer *w, const char *const *strings, uint32_t count,
                    struct elm_buf *out);

/* Readers: what they return lives in the arena; `row` is bad after malformed input. */
struct elm_reader column_read(struct elm_reader *row, struct elm_arena *arena);
const uint64_t *column_read_numbers(struct elm_reader *row, uint32_t count,
                                    struct elm_arena *arena);
/* Each fits into bytes_max with its 0. */
const char *const *column_read_strings(struct elm_reader *row, uint32_t count, size_t bytes_max,
                                       struct elm_arena *arena);

#endif
