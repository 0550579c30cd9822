/*
 * answer: the child in what a model wrote. Reads what models really write: words around the code,
 * thoughts before it, fences of any kind or none, the whole program or only the part that may
 * change, line numbers that are wrong, white space that is not the program's.
 *
 * Only what stands between the lines with EVOLVE-BLOCK-START and EVOLVE-BLOCK-END changes (no such
 * lines: all of it); every other byte of the child is the program's. Answers that change more are
 * refused. Failures are ELM_PARSE with a reason of less than 48 bytes, which is how they are stored.
 * Any thread.
 */
#ifndef ELM_ANSWER_H
#define ELM_ANSWER_H

#include "elm/base.h"

#define ELM_ANSWER_BYTES_MAX (1024 * 1024)
#define ELM_ANSWER_HUNKS_MAX 64

/* What may change in a program: whole lines, markers not included. */
struct elm_answer_span {
    size_t at, len;
};
#define ELM_ANSWER_SPANS_MAX 16
/* Writes the first ELM_ANSWER_SPANS_MAX parts and returns how many; without markers one, the whole, and
 * *marked is false. A block without END goes on to the end of the program. */
uint32_t elm_answer_spans(struct elm_str program, struct elm_answer_span spans[ELM_ANSWER_SPANS_MAX],
                          bool *marked);

/* Appends the program with what may change written anew: the last fenced block of the answer that
 * may be it, or the answer itself. It may hold the whole program, the part with its markers, or the
 * part alone. `entry` (nullable): a function that must be in it where the old part has it. */
enum elm_status elm_answer_rewrite(struct elm_str program, const char *entry,
                                   struct elm_str answer, struct elm_buf *child,
                                   struct elm_error *err);

/* Appends the program with hunks applied to it. Hunks are
 *
 *     <<<<<<< SEARCH        or unified:   @@ -3,4 +3,4 @@
 *     lines                                context
 *     =======                             -lines
 *     lines in their place                +lines in their place
 *     >>>>>>> REPLACE
 *
 * and are found by their text, line for line, else whatever the white space; where that occurs more
 * than once within what may change, by the line number if it is right. A hunk that changes nothing is
 * passed over. */
enum elm_status elm_answer_diff(struct elm_str program, struct elm_str answer,
                                struct elm_buf *child, struct elm_error *err);

#endif
