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

enum elm_point_change {
    ELM_POINT_KIND,          /* arg: another kind of the node */
    ELM_POINT_NAME,          /* arg: another name */
    ELM_POINT_NUMBER,        /* a literal or a leaf becomes a literal: `number` */
    ELM_POINT_VARIABLE,      /* a literal becomes the scalar arg */
    ELM_POINT_AROUND,        /* x becomes x + number, or, arg a kind: -x, !x */
    ELM_POINT_KID,           /* an expression becomes the node arg below it */
    ELM_POINT_EXCHANGE,      /* kids arg and arg + 1 of the node */
    ELM_POINT_DROP,          /* its kid arg, a statement, goes */
    /* only in the wide list */
    ELM_POINT_TERM,          /* x becomes x op y, or, before, y op x; y: the name arg, or, UINT32_MAX, `number` */
    ELM_POINT_ELEMENT,       /* a leaf becomes arg[index] */
};
struct elm_point {
    uint32_t at;             /* node */
    enum elm_point_change change;
    uint32_t arg, index;
    uint8_t op;              /* enum elm_kind */
    bool before;
    double number;
    double weight;           /* how likely it is what mends, by hand; beside the others of the node */
};
struct elm_point_list {
    struct elm_point *points;    /* [count]; free() */
    uint32_t count, cap;
};
/* All changes of a parent in core C, in the order of their nodes. wide: also those that put a term, a factor or an
 * array's element in, of which there are twice as many. Some give no program that passes elm_tree_check. *list may
 * hold those of another; zero-initialised is empty. */
void elm_points_list(const struct elm_parent *parent, bool wide, struct elm_point_list *list);
/* A change as an edit; its nodes in the arena. */
struct elm_edit elm_points_edit(const struct elm_tree *t, const struct elm_point *point,
                                struct elm_arena *arena);
/* Is an operator the one that is taken for another first, as + for -, or of its family? */
enum elm_kin { ELM_KIN_NONE, ELM_KIN_FAMILY, ELM_KIN_NEXT };
enum elm_kin elm_points_kin(uint8_t from, uint8_t to);

/* ---- drawing them ---- */
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
