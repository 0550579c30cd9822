/*
 * library: whole programs that earlier searches ended with, and how much each of them counts. What a
 * table of edits (elm/frequencies.h) forgets, namely what the good programs are, is kept as it is.
 */
#ifndef ELM_LIBRARY_H
#define ELM_LIBRARY_H

#include "elm/base.h"

#define ELM_LIBRARY_MAX 4096         /* programs */

struct elm_library;
struct elm_library *elm_library_new(void);
void elm_library_free(struct elm_library *l);
/* Copies the text. UINT32_MAX: it is full. A text that is there already is counted again. */
uint32_t elm_library_add(struct elm_library *l, struct elm_str text);
/* Where the text is; UINT32_MAX: nowhere. */
uint32_t elm_library_find(const struct elm_library *l, struct elm_str text);
uint32_t elm_library_count(const struct elm_library *l);
/* The index-th program, borrowed. */
struct elm_str elm_library_text(const struct elm_library *l, uint32_t index);
/* [count]: logarithms of how much each counts; to be written by whoever learns them. Added ones have that
 * of how often they were added. Moves when more are added. */
float *elm_library_weights(struct elm_library *l);

/* A GGUF with general.architecture = elm-library. Reading fails as elm_gguf_open, and with ELM_OUTSIDE
 * (another architecture), ELM_CORRUPT (no programs, or too many; weights that are none); writing with
 * ELM_NOTHING (no programs), ELM_IO, ELM_FULL. */
enum elm_status elm_library_read(const char *path, struct elm_library **out, struct elm_error *err);
enum elm_status elm_library_write(const struct elm_library *l, const char *path,
                                  struct elm_error *err);

#endif
