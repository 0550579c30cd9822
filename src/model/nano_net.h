/* nano_net: where each weight of the tree-edit model is, and the thread's tools that compute it. */
#ifndef MODEL_NANO_NET_H
#define MODEL_NANO_NET_H

#include "model/gemm.h"
#include "model/nano_rows.h"

#include <assert.h>

#define NANO_LAYERS_MAX 8

struct nano_layer {
    size_t norm1, qkv, bias, out, norm2, up, down;
};
/* Rows of a program pass one stack of layers, steps of an edit a narrower one: a program is read once for many
 * edits. */
struct nano_stack {
    uint32_t width, hidden;
    size_t embed, norm;                      /* norm: after the last layer */
    struct nano_layer layers[NANO_LAYERS_MAX];
};
struct elm_nano {
    struct elm_nano_config config;
    struct nano_stack program, steps;
    float *weights;
    size_t size;
    size_t node, cases;
    size_t join;                             /* of a node's last row to a step that is at it */
    size_t prefix[NANO_LAYERS_MAX];          /* of a program's last rows to keys and values for steps */
    size_t query, key, stop, head;
    struct elm_nano_tensor *tensors;
    uint32_t tensor_count;
};
/* Names what the rows and tokens mean: a file with another one is of another version. */
uint64_t nano_version(void);
/* Lays out the tensors; weights are zeros. Fails: ELM_USAGE. */
enum elm_status nano_layout(const struct elm_nano_config *config, struct elm_nano **out,
                            struct elm_error *err);

/* out[m][n] = beta * out + a[m][k] * weights[n][k]. */
static inline void nano_forward(struct gemm_thread *t, enum elm_precision precision, const float *a,
                                size_t a_stride, const float *weights, uint32_t m, uint32_t n,
                                uint32_t k, float beta, float *out, size_t out_stride)
{
    if (m > 0)
        gemm(t, precision, &(struct gemm){.a = a, .b = weights, .c = out, .m = m, .n = n, .k = k,
                                          .a_stride = a_stride, .b_stride = k,
                                          .c_stride = out_stride, .b_turned = true, .beta = beta});
}

/* Adds to a row [width] what step or node ids stand for. */
static inline void nano_embed(const struct elm_nano *n, const struct nano_stack *stack, const struct nano_rows *rows,
                              const uint16_t *ids, uint32_t count, float *row)
{
    rows->embed(n->weights + stack->embed, ids, count, stack->width, row);
}
const struct nano_rows *nano_rows_choose(enum elm_kernel kernel);
const struct nano_products *nano_products_choose(enum elm_kernel kernel);

/* All matrices, packed: a copy that does not follow training. */
struct nano_packed {
    const struct nano_products *products;
    float *panels;                           /* each where the weights have it */
};
/* out[rows][columns] = or += left[rows][depth] times the weights at an offset; out has room for rows of
 * 16. */
static inline void nano_multiply(const struct nano_packed *w, const float *left, size_t weights,
                                 uint32_t rows, uint32_t columns, uint32_t depth, bool add,
                                 float *out)
{
    assert(columns % 16 == 0 && depth % 16 == 0);
    w->products->product(&(struct nano_product){
        .left = left, .panels = w->panels + weights, .out = out, .left_stride = depth,
        .out_stride = columns, .rows = rows, .columns = columns, .depth = depth, .add = add});
}

/* What sampling needs of a program that has been read; valid until the pupil's next use. */
struct nano_encoded {
    const float *joined;                     /* [nodes][width of steps]: what a step that is at one begins with */
    const float *prefix[NANO_LAYERS_MAX];    /* [rows][2 * width of steps]: keys and values */
    const float *keys;                       /* [nodes][width of steps]: of pointers */
};
void nano_encode(struct elm_nano_pupil *p, const struct elm_nano_lesson *l,
                 const struct nano_packed *packed, struct nano_encoded *out);

#endif
