/* a packed row of the store: a first byte with the count, then the row. What is taken for a row
 * holds attempts within their bounds, and packs and unpacks to the same again. */
#include "fuzz.h"
#include "store/pack.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct elm_arena arena = {0}, again = {0};
    struct elm_attempt *a, *b;
    uint32_t count = data[0] * 4u + 1;
    if (pack_decode((struct elm_str){(const char *)data + 1, size - 1}, 1, count, &arena, &a)) {
        struct packer *p = packer_new();
        struct elm_buf row = {0};
        for (uint32_t i = 0; i < count; i++)
            ELM_ASSERT(a[i].status < ELM_EVAL_STATUSES && strnlen(a[i].why, 48) < 48);
        pack_encode(p, a, count, &row);
        ELM_ASSERT(pack_decode(elm_buf_str(&row), a[0].id, count, &again, &b));
        for (uint32_t i = 0; i < count; i++)
            ELM_ASSERT(a[i].id == b[i].id && elm_str_equal(a[i].edit, b[i].edit));
        elm_buf_release(&row);
        packer_free(p);
    }
    elm_arena_release(&arena);
    elm_arena_release(&again);
    return 0;
}
