/* answer_hunks: the changes that an answer asks for. Private to src/search. */
#ifndef ELM_SEARCH_ANSWER_HUNKS_H
#define ELM_SEARCH_ANSWER_HUNKS_H

#include "search/answer.h"

struct hunk {
    struct elm_str *old, *fresh;       /* lines of the program, and what takes their place */
    uint32_t old_count, fresh_count;
    uint32_t number;                   /* among all of the answer, from 1 */
    uint32_t line;                     /* of the program, counted from 1, as the hunk says; 0: it
                                          doesn't */
};
/* Those of the answer that change something, in order, at most ELM_ANSWER_HUNKS_MAX; the lines live
 * in the arena. Fails: ELM_PARSE; none at all is a failure. */
enum elm_status hunks_read(const struct answer *a, struct elm_arena *arena, struct hunk *hunks,
                           uint32_t *count, struct elm_error *err);

#endif
