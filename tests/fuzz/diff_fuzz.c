/* two texts, parted by the first byte 0xff: the hunks turn one into the other. */
#include "fuzz.h"
#include "elm/diff.h"

#include <stdlib.h>
#include <string.h>

static void same_lines(const struct elm_str *a, const struct elm_str *b, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        ELM_ASSERT(elm_str_equal(a[i], b[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *cut = size > 0 ? memchr(data, 0xff, size) : NULL;
    size_t first = cut == NULL ? size : (size_t)(cut - data);
    struct elm_str a = {(const char *)data, first}, b = {NULL, 0}, *la, *lb;
    if (cut != NULL)
        b = (struct elm_str){(const char *)cut + 1, size - first - 1};
    struct elm_hunk *hunks;
    uint32_t n = elm_lines(a, &la), m = elm_lines(b, &lb), i = 0, j = 0;
    uint32_t count = elm_diff(a, b, &hunks);
    for (uint32_t h = 0; h < count; h++) {
        const struct elm_hunk *k = &hunks[h];
        ELM_ASSERT(k->a_first >= i && k->a_first - i == k->b_first - j);
        ELM_ASSERT(k->a_first + k->a_count <= n && k->b_first + k->b_count <= m);
        same_lines(la + i, lb + j, k->a_first - i);
        i = k->a_first + k->a_count;
        j = k->b_first + k->b_count;
    }
    ELM_ASSERT(n - i == m - j);
    same_lines(la + i, lb + j, n - i);
    free(hunks);
    free(la);
    free(lb);
    return 0;
}
