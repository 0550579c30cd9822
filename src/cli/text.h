/* text: numbers, times and foreign text as people read them. */
#ifndef ELM_CLI_TEXT_H
#define ELM_CLI_TEXT_H

#include "elm/base.h"

#include <stdio.h>

/* Appends or writes text that elm did not make (programs, names, messages): control characters,
 * bidirectional overrides and broken UTF-8 are spelled out as \xNN, so that nothing in them can
 * steer a terminal. Newlines and tabs stay. */
void text_safe(struct elm_buf *out, struct elm_str text);
void text_put(FILE *to, struct elm_str text);
/* Writes a buffer as it is. */
void text_print(FILE *to, const struct elm_buf *text);

/* A small text on the stack, returned by value so that several fit one printf. */
struct short_text {
    char s[32];
};
struct short_text text_count(uint64_t n);         /* 412,331 */
struct short_text text_number(double x);          /* 6 digits; "-" for NaN */
struct short_text text_percent(double share);     /* 0.61 -> "61 %", 0.0042 -> "0.42 %" */
struct short_text text_time(double seconds);      /* 0:28, 1:02:03 */
struct short_text text_bytes(uint64_t bytes);     /* 12.3 MB */

/* Appends a word as a shell reads it back, in quotes if need be. */
void text_shell(struct elm_buf *out, const char *word);

/* "8 cores of NAME" */
void text_machine(struct elm_buf *out);

/* Columns that UTF-8 text takes, ANSI colours not counted. */
uint32_t text_columns(struct elm_str text);

/* The word of a NULL-terminated list that is nearest to `word`; NULL when none is near. */
const char *text_nearest(const char *word, const char *const *words);
/* "a, b, c" */
void text_join(struct elm_buf *out, const char *const *words, const char *between);
/* Appends text broken into lines of up to `width` columns, each after `indent` spaces but the
 * first; line breaks of the text are kept. No final newline. */
void text_wrap(struct elm_buf *out, const char *text, uint32_t indent, uint32_t width);

#endif
