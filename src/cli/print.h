/* print: the pieces that `run`, `show`, `best` and `diff` have in common. */
#ifndef ELM_CLI_PRINT_H
#define ELM_CLI_PRINT_H

#include "cli/stored.h"

#include <jansson.h>
#include <stdio.h>

/* Appends the unified difference of two texts with three lines of context, no file names; safe
 * for a terminal. Nothing when they are equal. */
void print_diff(struct elm_buf *out, struct elm_str a, struct elm_str b, bool colour);
/* Appends a program indented by four spaces, cut after `lines` lines (0: never) with a note. */
void print_program(struct elm_buf *out, struct elm_str text, uint32_t lines);

/* The curve of the best fitness over evaluations, with its axes. */
void print_curve(struct elm_buf *out, const struct stored_review *r);
/* Prompt and answer of an attempt. */
void print_call(struct elm_buf *out, const struct elm_call *c);
/* The table of operators, and what became of the attempts. */
void print_operators(struct elm_buf *out, const struct stored_review *r);
void print_statuses(struct elm_buf *out, const struct stored_review *r);

/* The line from the seed to a program: id, fitness, operator, newest last. Free *out. */
uint32_t print_lineage_ids(struct elm_store *store, int64_t id, struct elm_attempt **out);
void print_lineage(struct elm_buf *out, const struct stored_review *r, struct elm_store *store,
                   int64_t id, uint32_t rows_max);
/* The steps of that line at which the fitness rose, each with the lines it changed in its
 * parent. */
void print_story(struct elm_buf *out, const struct stored_review *r, struct stored_programs *p,
                 int64_t id, bool colour);

json_t *print_review_json(const struct stored_review *r);
json_t *print_attempt_json(const struct stored_programs *p, const struct elm_attempt *a,
                           const char *operator_name);
json_t *print_evaluation_json(const struct stored_programs *p, const struct elm_evaluation *e);

#endif
