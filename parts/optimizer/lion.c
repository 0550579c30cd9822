/* lion: the sign of a mix of gradient and momentum (Chen et al. 2023). */
#include "elm/optimizer.h"

static void step(const struct elm_optimizer_step *s)
{
    const struct elm_optimizer_options *o = s->options;
    const float beta1 = o->beta1 > 0 ? o->beta1 : 0.9f, beta2 = o->beta2 > 0 ? o->beta2 : 0.99f;
    const size_t count = (size_t)s->rows * s->cols;
    const float keep = s->matrix ? 1 - s->rate * o->decay : 1;
    for (size_t i = 0; i < count; i++) {
        const float g = s->gradient[i], mix = beta1 * s->state[i] + (1 - beta1) * g;
        const float sign = (float)((mix > 0) - (mix < 0));
        s->weights[i] = keep * s->weights[i] - s->rate * sign;
        s->state[i] = beta2 * s->state[i] + (1 - beta2) * g;
    }
}

const struct elm_optimizer_kind elm_optimizer_lion = {
    .name = "lion",
    .summary = "the sign of a mix of gradient and momentum: half of Adam's memory",
    .slots = 1,
    .rate = 1e-4f,
    .step = step,
};
