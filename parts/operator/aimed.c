/*
 * aimed: small changes propose (elm/points.h), the values that the outputs want choose, as in `guided`,
 * but with no model: of some changes drawn, the one that meets most of the wanted values. How many are
 * drawn is drawn too, from one on, so that what the values can't tell comes as well. What `taught` does with
 * learning, done without: its control, and only by name.
 */
#include "elm/points.h"
#include "elm/tape.h"

#define DOUBLINGS 7              /* 1, 2, 4, ... 64 changes are compared */

struct aim {
    struct elm_tapes *tapes;
    const struct elm_tape *tape;
    const struct elm_tree *tree;
};

static bool choose(void *ctx, struct elm_points *p, struct elm_rng *rng, struct elm_edit *edit)
{
    const struct aim *aim = ctx;
    const uint32_t compared = 1u << elm_rng_below(rng, DOUBLINGS);
    bool found = false;
    int most = 0;
    for (uint32_t i = 0; i < compared; i++) {
        struct elm_edit other;
        if (!elm_points_draw(p, rng, &other))
            break;
        const int gain = elm_tapes_gain(aim->tapes, aim->tape, aim->tree, &other);
        if (found && gain <= most)
            continue;
        *edit = other;
        most = gain;
        found = true;
    }
    return found;
}

static enum elm_status aimed_mutate(void *self, const struct elm_operator_context *context,
                                    const struct elm_parents *parents, struct elm_rng *rng,
                                    struct elm_edit *edits, uint32_t *edit_count,
                                    struct elm_error *err)
{
    const struct elm_parent *parent = &parents->parent[0];
    struct aim aim = {.tapes = self, .tree = parent->tree};
    if (parent->tree == NULL || parent->editable_count == 0)
        return elm_fail(err, ELM_NOT_FOUND, "no editable node in program %lld",
                        (long long)parent->id);
    ELM_TRY(elm_tapes_of(self, context->problem, context->evidence, parent, &aim.tape, err));
    return elm_points_child(context, parent, rng, choose, &aim, edits, edit_count, err);
}

static void *aimed_make(const struct elm_problem *problem)
{
    (void)problem;
    return elm_tapes_new();
}

static void aimed_free(void *self)
{
    elm_tapes_free(self);
}

const struct elm_operator_kind elm_operator_aimed = {
    .name = "aimed",
    .summary = "small changes, those first that meet more of the values wanted",
    .price_us = 60,
    .parents_min = 1,
    .by_name = true,
    .traces = true,
    .make = aimed_make,
    .free = aimed_free,
    .applies = elm_operator_takes_wants,
    .mutate = aimed_mutate,
};
