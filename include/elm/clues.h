/*
 * clues: what speaks for a small change of a program (elm/points.h): what kind of change it is and where, how
 * many of the failing and of the passing cases run through there (spectrum-based fault localisation: Jones &
 * Harrold 2005), what the outputs want there (elm/tape.h), and in how many cases the change gives it. They mean
 * the same in every program, so what is learnt of them on one holds for another.
 */
#ifndef ELM_CLUES_H
#define ELM_CLUES_H

#include "elm/points.h"
#include "elm/tape.h"

#define ELM_CLUES 117            /* numbers of a change */
#define ELM_CLUES_OF_EFFECT 13   /* the last of them: known, no runs, failing cases mended, passing harmed, ... */
#define ELM_CLUES_VERSION 1      /* of what they mean */

/* Not for two threads at once. */
struct elm_clues;
struct elm_clues *elm_clues_new(void);
void elm_clues_free(struct elm_clues *c);
/* Goes on to another program; tape (nullable): of its runs. Both are borrowed until the next. */
void elm_clues_begin(struct elm_clues *c, const struct elm_tree *tree, const struct elm_tape *tape);
/* Writes the numbers of a change, -2 .. 2, most of them 0, to out[ELM_CLUES]. edit: what elm_points_edit makes
 * of it. Of programs of more than 1,024 nodes all are 0. */
void elm_clues_of(struct elm_clues *c, const struct elm_point *point, const struct elm_edit *edit, float *out);

#endif
