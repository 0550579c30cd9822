/* point: small changes, drawn as often as each is likely to mend (elm/points.h). */
#include "elm/points.h"

static bool draw(void *ctx, struct elm_points *p, struct elm_rng *rng, struct elm_edit *edit)
{
    (void)ctx;
    return elm_points_draw(p, rng, edit);
}

static enum elm_status point_mutate(void *self, const struct elm_operator_context *context,
                                    const struct elm_parents *parents, struct elm_rng *rng,
                                    struct elm_edit *edits, uint32_t *edit_count,
                                    struct elm_error *err)
{
    (void)self;
    return elm_points_child(context, &parents->parent[0], rng, draw, NULL, edits, edit_count, err);
}

const struct elm_operator_kind elm_operator_point = {
    .name = "point",
    .summary = "a small change, the likelier the sooner",
    .price_us = 4,
    .parents_min = 1,
    .applies = elm_operator_takes_core_c,
    .mutate = point_mutate,
};
