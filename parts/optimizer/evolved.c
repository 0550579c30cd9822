/*
 * evolved: found by `make adam-hour` on 2026-11-26: program 26,798 of `elm run adam --seed 1`, the best of
 * 29,536 in trainings ten times as long as its own (docs/results/evolved-optimizer.md), simplified. It is Adam
 * with short averages, a larger epsilon, and weaker corrections of the averages' start, so that the first step
 * has half the size of later ones. What it found as factors is left to the rate, which is then that of Adam.
 */
#include "elm/optimizer.h"

#include <math.h>

#define START1 0.27              /* Adam: 1 */
#define START2 0.89

static void step(const struct elm_optimizer_step *s)
{
    const struct elm_optimizer_options *o = s->options;
    const float beta1 = o->beta1 > 0 ? o->beta1 : 0.77f, beta2 = o->beta2 > 0 ? o->beta2 : 0.938f;
    const float epsilon = o->epsilon > 0 ? o->epsilon : 3.8e-5f;
    const size_t count = (size_t)s->rows * s->cols;
    float *mean = s->state, *square = s->state + count;
    const float first = (float)(1 / (1 - START1 * pow((double)beta1, (double)s->step)));
    const float second = (float)(1 / (1 - START2 * pow((double)beta2, (double)s->step)));
    const float keep = s->matrix ? 1 - s->rate * o->decay : 1;
    for (size_t i = 0; i < count; i++) {
        const float g = s->gradient[i];
        mean[i] += (1 - beta1) * (g - mean[i]);
        square[i] += (1 - beta2) * (g * g - square[i]);
        s->weights[i] = keep * s->weights[i] -
                        s->rate * first * mean[i] / (sqrtf(second * square[i]) + epsilon);
    }
}

const struct elm_optimizer_kind elm_optimizer_evolved = {
    .name = "evolved",
    .summary = "what elm found: Adam with short averages that starts at half its pace",
    .slots = 2,
    .rate = 1e-3f,
    .step = step,
};
