/*
 * optimizer: the step from gradient to weights.
 *
 * To add one: parts/optimizer/NAME.c, defining `const struct elm_optimizer_kind elm_optimizer_NAME`.
 * tests/contract/optimizer_test.c runs on it.
 */
#ifndef ELM_OPTIMIZER_H
#define ELM_OPTIMIZER_H

#include "elm/base.h"

struct elm_optimizer_options {
    float beta1, beta2, epsilon;     /* 0: the kind's own */
    float decay;                     /* of the weights, decoupled (Loshchilov & Hutter 2019) */
};

/* One tensor's step. */
struct elm_optimizer_step {
    const struct elm_optimizer_options *options;
    uint32_t rows, cols;
    bool matrix;                     /* of a linear layer; false: embeddings, norms, biases */
    uint64_t step;                   /* from 1 */
    float rate;
    float *weights;                  /* [rows * cols] */
    const float *gradient;           /* same shape; never NaN */
    float *state;                    /* [slots * rows * cols], zeros at step 1 */
};
struct elm_optimizer_kind {
    const char *name, *summary;
    uint32_t slots;                  /* floats of state a weight */
    float rate;                      /* to start from where the user says none */
    /* Any thread, one tensor at a time; no memory between calls but `state`. */
    void (*step)(const struct elm_optimizer_step *s);
};
extern const struct elm_optimizer_kind *const elm_optimizer_kinds[];     /* by name, then NULL */
const struct elm_optimizer_kind *elm_optimizer_find(const char *name);   /* NULL if none */

#endif
