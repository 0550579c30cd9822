/*
 * frequencies: which node was replaced by which, how often, among edits that did well; and how literals
 * were changed. The least that can be learnt from a run's edits: a control for what learns more.
 */
#ifndef ELM_FREQUENCIES_H
#define ELM_FREQUENCIES_H

#include "elm/code.h"

#define ELM_FREQUENCY_KINDS ELM_NODE_KINDS
enum elm_literal_change {
    ELM_LITERAL_MORE, ELM_LITERAL_LESS,          /* by one */
    ELM_LITERAL_TWICE, ELM_LITERAL_HALF,
    ELM_LITERAL_NEAR,                            /* between half and twice */
    ELM_LITERAL_OTHER,
    ELM_LITERAL_CHANGES,
};
/* Logarithms of counts: rows are the kind replaced (NONE: an insertion), columns what came (NONE: a
 * deletion). Literals that became literals of their kind are in both. */
struct elm_frequencies {
    float replace[ELM_FREQUENCY_KINDS][ELM_FREQUENCY_KINDS];
    float literal[ELM_LITERAL_CHANGES];
};
/* Adds what edits of t do to counts (not logarithms). */
void elm_frequencies_count(struct elm_frequencies *counts, const struct elm_tree *t,
                           const struct elm_edit *edits, uint32_t edit_count);
/* A GGUF with general.architecture = elm-frequencies. Fails: as elm_gguf_open; ELM_OUTSIDE (another
 * architecture, or other kinds of nodes), ELM_CORRUPT. */
enum elm_status elm_frequencies_read(const char *path, struct elm_frequencies *out,
                                     struct elm_error *err);
enum elm_status elm_frequencies_write(const struct elm_frequencies *f, const char *path,
                                      struct elm_error *err);

#endif
