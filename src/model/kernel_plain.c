/* kernel_plain: for every machine that a compiler of GNU C knows. */
#include "model/kernel.h"

#include <math.h>
#include <string.h>

#define LANES 4
#define TILE_ROWS 4
#define NARROW_LEFT 0
#include "model/kernel_vector.h"
#include "model/kernel_rows.h"
#include "model/kernel_products.h"

void kernel_plain_fill(struct kernel *k)
{
    k->name = "plain";
    fill_rows(k);
    fill_products(k);
}
