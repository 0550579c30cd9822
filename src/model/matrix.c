/* matrix: gemm for parts. */
#include "elm/matrix.h"

#include "model/gemm.h"

void elm_matrix_product(const struct elm_matrix_product *p)
{
    struct gemm_thread *t = NULL;
    ELM_ASSERT(gemm_thread_new(ELM_KERNEL_AUTO, &t, NULL) == ELM_OK);
    gemm(t, p->rough ? ELM_BF16 : ELM_F32, &(struct gemm){
        .a = p->a, .b = p->b, .c = p->c, .m = p->m, .n = p->n, .k = p->k,
        .a_stride = p->a_turned ? p->m : p->k, .b_stride = p->b_turned ? p->k : p->n,
        .c_stride = p->n, .a_turned = p->a_turned, .b_turned = p->b_turned,
    });
    gemm_thread_free(t);
}
