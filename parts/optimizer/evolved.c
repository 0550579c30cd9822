/*
 * evolved: program 2,927 of `elm run adam --seed 1` (2026-11-26), of what two searches found one of the two
 * best in trainings ten and a hundred times as long (`make adam-hour`, docs/results/evolved-optimizer.md), simplified.
 * What is left is Adam with shorter averages; the search's constant factor on the square, a third of the
 * rate, is left to the rate.
 */
#include "elm/optimizer.h"

static void step(const struct elm_optimizer_step *s)
{
    const struct elm_optimizer_options *o = s->options;
    const struct elm_optimizer_options options = {
        .beta1 = o->beta1 > 0 ? o->beta1 : 0.81f, .beta2 = o->beta2 > 0 ? o->beta2 : 0.963f,
        .epsilon = o->epsilon > 0 ? o->epsilon : 2.6e-9f, .decay = o->decay,
    };
    struct elm_optimizer_step adam = *s;
    adam.options = &options;
    elm_optimizer_find("adamw")->step(&adam);
}

const struct elm_optimizer_kind elm_optimizer_evolved = {
    .name = "evolved",
    .summary = "what elm found: Adam with shorter averages",
    .slots = 2,
    .rate = 1e-3f,
    .step = step,
};
