/* a JSONL file of any bytes: refused with its line, or data that comes back the same from the lines
 * which are written of it. */
#include "elm/dataset.h"
#include "fuzz.h"
#include "memory_file.h"

static enum elm_status add(struct elm_dataset *d, enum elm_data_kind kind, const void *bytes,
                           size_t size, struct elm_error *err)
{
    struct memory_file f = memory_file_open(bytes, size);
    enum elm_status status = elm_dataset_add(d, kind, f.path, err);
    memory_file_close(&f);
    return status;
}

static void same(const struct elm_dataset *a, const struct elm_dataset *b)
{
    ELM_ASSERT(a->item_count == b->item_count && a->answer_count == b->answer_count);
    for (uint32_t i = 0; i < a->item_count; i++) {
        const struct elm_data_item *x = &a->items[i], *y = &b->items[i];
        ELM_ASSERT(elm_str_equal(x->prompt, y->prompt));
        ELM_ASSERT(x->first == y->first && x->count == y->count && x->count > 0);
        ELM_ASSERT(x->first + x->count <= a->answer_count);
    }
    for (uint32_t i = 0; i < a->answer_count; i++) {
        ELM_ASSERT(elm_str_equal(a->answers[i].text, b->answers[i].text));
        ELM_ASSERT(a->answers[i].reward == b->answers[i].reward);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (enum elm_data_kind kind = ELM_DATA_EXAMPLES; kind <= ELM_DATA_GROUPS; kind++) {
        struct elm_dataset d = {0}, again = {0};
        struct elm_buf lines = {0};
        struct elm_error err = {0};
        if (add(&d, kind, data, size, &err) == ELM_OK) {
            for (uint32_t i = 0; i < d.item_count; i++)
                elm_dataset_line(&d, kind, i, &lines);
            ELM_ASSERT(add(&again, kind, lines.ptr, lines.len, NULL) == ELM_OK);
            same(&d, &again);
        } else {
            ELM_ASSERT(err.message[0] != '\0');
        }
        elm_dataset_release(&d);
        elm_dataset_release(&again);
        elm_buf_release(&lines);
    }
    return 0;
}
