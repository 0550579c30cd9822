/*
 * points: small changes of a program: another operator, another name, a number one more or less, an
 * operand or a statement dropped, two of them exchanged. It is what mutation testing does to right
 * programs (the operators that suffice there: Offutt et al. 1996, doi:10.1145/227607.227610), done to
 * wrong ones. Each is drawn as often as it is likely to mend what a person has mistaken, wherever in
 * the program it is; the weights are set by hand.
 */
#ifndef ELM_POINTS_H
#define ELM_POINTS_H

#include "elm/operator.h"

struct elm_points;
/* One change of the parent, its nodes in the context's arena. False: none was found. */
bool elm_points_draw(struct elm_points *p, struct elm_rng *rng, struct elm_edit *edit);

/* Chooses one change of those that it draws. False: none. */
typedef bool elm_points_choose(void *ctx, struct elm_points *p, struct elm_rng *rng,
                               struct elm_edit *edit);
/* A child of one change; the more children the parent has had, the more often of two or three, for
 * the single ones are soon through, and what was seen before is not evaluated again. The arguments
 * are those of an operator's `mutate`. Fails: ELM_NOT_FOUND. */
enum elm_status elm_points_child(const struct elm_operator_context *context,
                                 const struct elm_parent *parent, struct elm_rng *rng,
                                 elm_points_choose *choose, void *ctx, struct elm_edit *edits,
                                 uint32_t *edit_count, struct elm_error *err);

#endif
