/* matrix: products of matrices by the fastest kernel that this machine has, for parts. */
#ifndef ELM_MATRIX_H
#define ELM_MATRIX_H

#include "elm/base.h"

/* C[m][n] = A[m][k] * B[k][n], all dense and f32; bf16 inside where `rough` and the machine has it.
 * The calling thread alone. */
struct elm_matrix_product {
    const float *a, *b;
    float *c;                    /* overlaps neither side */
    uint32_t m, n, k;
    bool a_turned, b_turned;     /* stored as [k][m], as [n][k] */
    bool rough;
};
void elm_matrix_product(const struct elm_matrix_product *p);

#endif
