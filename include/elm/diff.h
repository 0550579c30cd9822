/*
 * diff: the difference of two texts in lines. Source: Myers 1986, O(ND), in its plain greedy form.
 */
#ifndef ELM_DIFF_H
#define ELM_DIFF_H

#include "elm/base.h"

/* Lines a_first .. a_first + a_count - 1 of a became b_first .. of b; all counted from 0. */
struct elm_hunk {
    uint32_t a_first, a_count, b_first, b_count;
};
/* The hunks in order, in *hunks (free it); returns how many. Texts up to 65,535 lines together,
 * beyond that one hunk holds everything; with more than 2,048 changes one hunk holds them all. */
uint32_t elm_diff(struct elm_str a, struct elm_str b, struct elm_hunk **hunks);
/* The lines of a text, views into it without their newline; returns how many (free *lines). */
uint32_t elm_lines(struct elm_str text, struct elm_str **lines);

#endif
