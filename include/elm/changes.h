/*
 * changes: the change model. A net of one hidden layer that says of each small change of a program (elm/points.h),
 * by what speaks for it (elm/clues.h), how likely it is what mends: the softmax of its scores over all changes of
 * the program. 2,973 numbers, trained by `elm train --trainer changes`; operator `taught` draws by it.
 */
#ifndef ELM_CHANGES_H
#define ELM_CHANGES_H

#include "elm/clues.h"

#define ELM_CHANGES_HIDDEN 24
struct elm_changes {
    float in[ELM_CLUES][ELM_CHANGES_HIDDEN];
    float bias[ELM_CHANGES_HIDDEN];
    float out[ELM_CHANGES_HIDDEN];
    float direct[ELM_CLUES];         /* past the hidden layer */
};
/* Small random weights. */
void elm_changes_random(struct elm_changes *m, uint64_t seed);
/* The score of a change with these clues, a logarithm but for a constant. hidden: [ELM_CHANGES_HIDDEN],
 * nullable, gets the hidden layer. */
float elm_changes_score(const struct elm_changes *m, const float *clues, float *hidden);
/* Adds to `gradient` that of `by` times the score. hidden: what elm_changes_score gave. */
void elm_changes_backward(const struct elm_changes *m, const float *clues, const float *hidden,
                          float by, struct elm_changes *gradient);

/* A GGUF with general.architecture = elm-changes. path NULL: the model that is built in. Fails: as elm_gguf_open;
 * ELM_OUTSIDE (another architecture, other clues), ELM_CORRUPT, ELM_NOT_FOUND (none built in). */
enum elm_status elm_changes_read(const char *path, struct elm_changes *out, struct elm_error *err);
/* description: of the data and the training; it goes into the file. */
enum elm_status elm_changes_write(const struct elm_changes *m, const char *description,
                                  const char *path, struct elm_error *err);

#endif
