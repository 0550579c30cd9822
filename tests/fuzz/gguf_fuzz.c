/* a model file of any bytes: refused with a message, or all that it promises is there; and a tokenizer
 * made of it writes no more bytes than it read. */
#include "elm/tokenizer.h"
#include "fuzz.h"
#include "model/gguf.h"

#include <stdlib.h>
#include <string.h>

static uint64_t sum;    /* keeps the reads from being left out */

static void read_values(const struct elm_gguf *g)
{
    for (uint64_t i = 0; i < g->value_count; i++) {
        char *key = elm_strndup(g->values[i].key.ptr, g->values[i].key.len);
        struct elm_str s;
        int64_t n;
        double real;
        bool yes;
        uint64_t len = 1;
        if (elm_gguf_string(g, key, &s))
            sum += elm_hash(s.ptr, s.len, 0);
        sum += elm_gguf_int(g, key, &n) + elm_gguf_real(g, key, &real) + elm_gguf_bool(g, key, &yes);
        elm_gguf_array(g, key, &len);
        for (uint64_t k = 0; k < len; k++) {
            if (elm_gguf_array_string(g, key, k, &s))
                sum += elm_hash(s.ptr, s.len, 0);
            sum += elm_gguf_array_int(g, key, k, &n) + elm_gguf_array_real(g, key, k, &real);
        }
        free(key);
    }
}

static void read_tensors(const struct elm_gguf *g)
{
    for (uint64_t i = 0; i < elm_gguf_tensor_count(g); i++) {
        const struct elm_gguf_tensor *t = elm_gguf_tensor_at(g, i);
        ELM_ASSERT(elm_gguf_row_bytes(t->type, t->dims[0]) > 0 && t->dims[0] <= t->bytes * 64);
        float *row = elm_malloc(t->dims[0] * sizeof(*row));
        if (elm_gguf_dequantize(t->type, t->data, t->dims[0], row))
            sum += elm_hash(row, t->dims[0] * sizeof(*row), 0);
        sum += elm_hash(t->data, t->bytes, 0);
        free(row);
    }
}

static void tokenize(const struct elm_gguf *g, struct elm_str text)
{
    struct elm_tokenizer *t;
    struct elm_error err = {0};
    if (elm_tokenizer_new(g, &t, &err) != ELM_OK) {
        ELM_ASSERT(err.message[0] != '\0');
        return;
    }
    for (int special = 0; special < 2; special++) {
        struct elm_buf ids = {0}, back = {0};
        elm_tokenizer_encode(t, text, special == 1, &ids);
        elm_tokenizer_decode(t, (const uint32_t *)(const void *)ids.ptr,
                             ids.len / sizeof(uint32_t), &back);
        ELM_ASSERT(back.len <= text.len && ids.len / sizeof(uint32_t) <= text.len);
        elm_buf_release(&ids);
        elm_buf_release(&back);
    }
    elm_tokenizer_free(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct elm_gguf *g;
    struct elm_error err = {0};
    if (elm_gguf_open_bytes(data, size, &g, &err) != ELM_OK) {
        ELM_ASSERT(err.message[0] != '\0');
        return 0;
    }
    read_values(g);
    read_tensors(g);
    tokenize(g, (struct elm_str){(const char *)data, size});
    elm_gguf_close(g);
    return 0;
}
