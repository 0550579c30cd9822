/*
 * prompt: what a model is asked, in words. prompts/NAME.txt holds those of the operator NAME; it is
 * built into the library, and a file of the same name in a folder of the user's takes its place.
 * `elm show prompt NAME` prints one, `elm show prompt NAME PROBLEM` what is sent. A file is plain text:
 *
 *     # before the first head: comments
 *     [system]
 *     You improve programs.
 *     [user]
 *     {summary}
 *     {?wrong}
 *     It gets these cases wrong:
 *     {fence}
 *     {wrong}
 *     {fence}
 *     {/wrong}
 *
 * `[system]` and `[user]` stand on lines of their own, each once; [system] may be missing. `{name}`
 * is a value, `{{` a brace; what stands between `{?name}` and `{/name}` is left out where the value
 * is empty. Such a mark alone on its line takes the whole line away with it. Empty lines at both
 * ends of a section don't count. Values, "" where there is none:
 *
 *     summary description     of the problem
 *     entry                   the function that is called: "int sort(int n, int a[16])"
 *     language                for fences: c, python ...
 *     limits                  what a program may do and need, a line each
 *     program                 the whole text of the parent, its marker lines included
 *     markers                 "EVOLVE-BLOCK-START and EVOLVE-BLOCK-END" where it has them
 *     block                   what may change of it: the text between its markers, or the whole
 *     fitness target          of the parent; what is wanted
 *     measures                of the parent: "size 25, swaps 12.5"
 *     wrong                   shown cases that it gets wrong, a line each
 *     other other_fitness     the second parent: what may change of it
 *     broken broken_why       a child of the parent that failed: what may change of it; the reason
 *     prefix suffix           `span`: the program before and after the span
 *     fence                   a run of ` longer than any in the values, so that nothing in a value
 *                             can end the block it stands in
 *
 * A value beyond its cap is cut, with a mark that says how much is missing. Bytes in values that are
 * no text (control characters, broken UTF-8) become U+FFFD.
 */
#ifndef ELM_PROMPT_H
#define ELM_PROMPT_H

#include "elm/operator.h"

enum elm_prompt_value {
    ELM_PROMPT_SUMMARY, ELM_PROMPT_DESCRIPTION, ELM_PROMPT_ENTRY, ELM_PROMPT_LANGUAGE,
    ELM_PROMPT_LIMITS, ELM_PROMPT_PROGRAM, ELM_PROMPT_MARKERS, ELM_PROMPT_BLOCK,
    ELM_PROMPT_FITNESS, ELM_PROMPT_TARGET, ELM_PROMPT_MEASURES, ELM_PROMPT_WRONG,
    ELM_PROMPT_OTHER, ELM_PROMPT_OTHER_FITNESS, ELM_PROMPT_BROKEN, ELM_PROMPT_BROKEN_WHY,
    ELM_PROMPT_PREFIX, ELM_PROMPT_SUFFIX,
    ELM_PROMPT_VALUES,
};
struct elm_prompt_values {
    struct elm_str text[ELM_PROMPT_VALUES];      /* borrowed */
};

#define ELM_PROMPT_FILE_BYTES_MAX (64 * 1024)
#define ELM_PROMPT_BYTES_MAX (256 * 1024)        /* of what is rendered */
#define ELM_PROMPT_WRONG_CASES 6                 /* lines of `wrong` that are worth their tokens */

/* Names of the built-in files without .txt, NULL after the last. */
const char *elm_prompt_name(size_t i);

struct elm_prompt;
/* Nothing is read yet. `name` is copied. */
struct elm_prompt *elm_prompt_new(const char *name);
void elm_prompt_free(void *prompt);              /* as elm_operator_kind.free wants it */
/* Reads folder/NAME.txt; the built-in file where folder is NULL or has none. Only the first call
 * that succeeds reads. Fails: ELM_USAGE ("FILE:LINE: what is allowed"; unreadable; no such name). */
enum elm_status elm_prompt_load(struct elm_prompt *p, const char *folder, struct elm_error *err);
/* The same from memory; `file` is for messages. Copies the text. */
enum elm_status elm_prompt_parse(struct elm_prompt *p, const char *file, struct elm_str text,
                                 struct elm_error *err);
/* Loads every file of a user's folder, so that mistakes are found before a run. Fails: ELM_USAGE,
 * also for a *.txt that no operator reads. */
enum elm_status elm_prompts_check(const char *folder, struct elm_error *err);
/* The text as it was read; of a loaded prompt. Borrowed. */
struct elm_str elm_prompt_source(const struct elm_prompt *p);

/* Appends to request->system and request->prompt; of a loaded prompt. ELM_NOT_FOUND: nothing is
 * written, it would be more than ELM_PROMPT_BYTES_MAX. */
enum elm_status elm_prompt_render(const struct elm_prompt *p,
                                  const struct elm_prompt_values *values,
                                  struct elm_request *request, struct elm_error *err);

/* All values that follow from an operator's arguments. They live in context->arena. */
void elm_prompt_fill(const struct elm_operator_context *context, const struct elm_parents *parents,
                     struct elm_prompt_values *values);
/* The whole text of a parent: its own, or its tree's printed into context->arena. */
struct elm_str elm_prompt_program(const struct elm_operator_context *context,
                                  const struct elm_parent *parent);
/* What operators for larger models have in common: they know no language, so they apply wherever
 * there is text; */
bool elm_prompt_applies(const struct elm_problem *problem, const struct elm_evidence *evidence,
                        const char **why);
/* they load, render, draw the request's seed, and ask for an answer at temperature 0.8 with room for
 * `answer_bytes` of code and some words. ELM_NOT_FOUND: that is more than one answer holds. */
#define ELM_PROMPT_ANSWER_BYTES_MAX 20000
enum elm_status elm_prompt_ask(struct elm_prompt *p, const struct elm_operator_context *context,
                               const struct elm_prompt_values *values, size_t answer_bytes,
                               struct elm_rng *rng, struct elm_request *request,
                               struct elm_error *err);
/* and where the answer is a whole program, or the part that may change, this reads it: a `parse`. */
enum elm_status elm_prompt_read_program(void *self, const struct elm_operator_context *context,
                                        const struct elm_parents *parents,
                                        const struct elm_request *request, struct elm_str reply,
                                        struct elm_edit *edits, uint32_t *edit_count,
                                        struct elm_buf *text, struct elm_error *err);

#endif
