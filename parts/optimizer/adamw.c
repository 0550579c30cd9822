/* adamw: Adam with decay of the weights apart from the gradient (Loshchilov & Hutter 2019). */
#include "elm/optimizer.h"

#include <math.h>

static void step(const struct elm_optimizer_step *s)
{
    const struct elm_optimizer_options *o = s->options;
    const float beta1 = o->beta1 > 0 ? o->beta1 : 0.9f, beta2 = o->beta2 > 0 ? o->beta2 : 0.95f;
    const float epsilon = o->epsilon > 0 ? o->epsilon : 1e-8f;
    const size_t count = (size_t)s->rows * s->cols;
    float *mean = s->state, *square = s->state + count;
    const float first = (float)(1 / (1 - pow((double)beta1, (double)s->step)));
    const float second = (float)(1 / (1 - pow((double)beta2, (double)s->step)));
    const float keep = s->matrix ? 1 - s->rate * o->decay : 1;
    for (size_t i = 0; i < count; i++) {
        const float g = s->gradient[i];
        mean[i] += (1 - beta1) * (g - mean[i]);
        square[i] += (1 - beta2) * (g * g - square[i]);
        s->weights[i] = keep * s->weights[i] -
                        s->rate * first * mean[i] / (sqrtf(second * square[i]) + epsilon);
    }
}

const struct elm_optimizer_kind elm_optimizer_adamw = {
    .name = "adamw",
    .summary = "Adam with decoupled decay of the weights",
    .slots = 2,
    .rate = 1e-3f,
    .step = step,
};
