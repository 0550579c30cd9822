/*
 * nano_pupil: a thread's memory while it computes a handful of programs and their edits: all rows of programs
 * are one matrix, all steps of edits another.
 */
#ifndef MODEL_NANO_PUPIL_H
#define MODEL_NANO_PUPIL_H

#include "model/nano_net.h"

/* One lesson's part of the matrices. */
struct nano_span {
    uint32_t first, cases, nodes, rows, stride;      /* of the program; stride: rows, of 16 */
    uint32_t first_node, first_case;     /* of the matrices of features */
    uint32_t first_step, steps, all, wide;           /* all: rows and steps; wide: all, of 16 */
    size_t shares, relations, step_shares, step_relations;
};
struct nano_kept {                       /* of a layer, for the way back */
    float *x1, *scale1, *n1, *qkv, *shares, *mixed, *x2, *scale2, *n2, *up, *squared;
};
/* Rows of one kind on their way through their layers. */
struct nano_side {
    const struct nano_stack *stack;
    uint32_t rows;
    float *x, *last, *scale;             /* [rows][width]: before and after the last norm */
    float *gx, *glast;                   /* their gradients */
    struct nano_kept kept[NANO_LAYERS_MAX];
};
struct elm_nano_pupil {
    const struct elm_nano *net;
    struct gemm_thread *gemm;
    const struct nano_rows *rows;
    const struct nano_packed *packed;    /* NULL: the weights themselves are multiplied */
    enum elm_precision precision;
    struct nano_span *spans;
    uint32_t span_count, span_cap;
    struct nano_side program, steps;     /* qkv kept of steps: of each lesson its program, then its steps */
    uint32_t node_count, case_count, point_count, token_count;
    size_t share_count, relation_count, step_share_count, step_relation_count, stride_max;
    float *prefix[NANO_LAYERS_MAX];      /* [rows][2 * width of steps]: keys and values of programs for steps */
    float *step_qkv;                     /* [steps][3 * width] */
    float *pointed, *joined;             /* [steps][width]: the last row of the node that a step is at */
    float *keys, *queries, *logits, *heads;
    float *node_features, *case_features, *node_rows, *case_rows;
    float *g1, *g2, *gqkv, *gkeys, *gqueries, *gprefix, *gstep_qkv;
    float *scratch;
    uint8_t *relations, *step_relations;
    uint32_t *point_steps, *token_steps; /* which step each is of */
    char *memory;
    size_t memory_size, used;
};

static inline float *nano_row(float *rows, const struct nano_side *side, size_t row)
{
    return rows + row * side->stack->width;
}
/* out[rows][columns] = or += left[rows][depth] times the weights at an offset. */
void nano_linear(struct elm_nano_pupil *p, const float *left, size_t weights, uint32_t rows, uint32_t columns,
                 uint32_t depth, bool add, float *out);
/* Gradients of a = [m][k], out = a * weights[n][k]^T, at an offset: of the weights (added, in `gradient`), and of
 * a (nullable): beta * a_gradient + ... */
void nano_linear_back(struct elm_nano_pupil *p, const float *a, const float *out_gradient, size_t weights,
                      float *gradient, uint32_t m, uint32_t n, uint32_t k, float beta, float *a_gradient);

/* From program.x to program.last; prefix. */
void nano_program_forward(struct elm_nano_pupil *p);
/* From steps.x to steps.last, with prefix. */
void nano_steps_forward(struct elm_nano_pupil *p);
/* From the gradient of last to that of x; steps: adds to program.glast what steps saw of programs. */
void nano_steps_back(struct elm_nano_pupil *p, float *gradient);
void nano_program_back(struct elm_nano_pupil *p, float *gradient);

#endif
