/* text of any bytes, read with the small vocabulary of tests/model_rig.h: it comes back, but for the
 * one byte that no token writes. */
#include "elm/tokenizer.h"
#include "fuzz.h"

#include <string.h>

#define VOCABULARY "tests/fuzz/corpus/gguf/vocabulary"
#define MISSING_BYTE 1

static const struct elm_tokenizer *vocabulary(void)
{
    static struct elm_tokenizer *t;
    struct elm_gguf *g;
    struct elm_error err = {0};
    if (t == NULL) {
        ELM_ASSERT(elm_gguf_open(VOCABULARY, &g, &err) == ELM_OK);
        ELM_ASSERT(elm_tokenizer_new(g, &t, &err) == ELM_OK);
        elm_gguf_close(g);
    }
    return t;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct elm_tokenizer *t = vocabulary();
    struct elm_str text = {(const char *)data, size};
    struct elm_buf ids = {0}, back = {0}, wanted = {0};
    for (size_t i = 0; i < size; i++) {
        if (data[i] != MISSING_BYTE)
            elm_buf_byte(&wanted, data[i]);
    }
    elm_tokenizer_encode(t, text, false, &ids);
    elm_tokenizer_decode(t, (const uint32_t *)(const void *)ids.ptr, ids.len / sizeof(uint32_t),
                         &back);
    ELM_ASSERT(elm_str_equal(elm_buf_str(&back), elm_buf_str(&wanted)));
    elm_buf_clear(&ids);
    elm_tokenizer_encode(t, text, true, &ids);
    for (size_t i = 0; i < ids.len; i += sizeof(uint32_t)) {
        uint32_t id;
        memcpy(&id, ids.ptr + i, sizeof(id));
        ELM_ASSERT(id < elm_tokenizer_count(t));
    }
    elm_buf_release(&ids);
    elm_buf_release(&back);
    elm_buf_release(&wanted);
    return 0;
}
