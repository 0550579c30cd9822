/* rows: for every machine, and which table this one gets. */
#include "model/rows.h"

#include <math.h>
#include <string.h>

#define LANES 4
#include "model/kernel_vector.h"
#include "model/rows_vector.h"

const struct rows rows_plain = ROWS_TABLE;

const struct rows *rows_choose(enum elm_kernel most)
{
    if ((most == ELM_KERNEL_AUTO || most >= ELM_KERNEL_AVX512) && rows_avx512() != NULL)
        return rows_avx512();
    if ((most == ELM_KERNEL_AUTO || most >= ELM_KERNEL_AVX2) && rows_avx2() != NULL)
        return rows_avx2();
    return &rows_plain;
}
