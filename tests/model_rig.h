/* model_rig: what the tests of model files and tokenizers share: a small vocabulary, trained here on
 * the text below, always the same. */
#ifndef ELM_TESTS_MODEL_RIG_H
#define ELM_TESTS_MODEL_RIG_H

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "elm/tokenizer.h"

#define GIVES(wanted, call)                                                                     \
    do {                                                                                        \
        struct elm_error gives_err_ = {0};                                                      \
        enum elm_status gives_status_ = (call);                                                 \
        if (gives_status_ != (wanted))                                                          \
            fail_msg("%s: %d, %s", #call, gives_status_, gives_err_.message);                   \
    } while (0)
/* The error of the call inside GIVES. */
#define ERR (&gives_err_)

#define RIG_MERGES 256
#define RIG_TOKENS (256 + RIG_MERGES + 5)
enum {    /* ids of the tokens after the merges */
    RIG_END = 256 + RIG_MERGES, RIG_IM_START, RIG_IM_END, RIG_TOOL, RIG_UNUSED,
};
#define RIG_MISSING_BYTE 1    /* no token writes it */

static const char rig_text[] =
    "int sort(int n, int a[64])\n{\n    for (int i = 0; i < n; i++) {\n        int j = i;\n"
    "        while (j > 0 && a[j - 1] > a[j]) {\n            int t = a[j];\n            a[j] = "
    "a[j - 1];\n            a[j - 1] = t;\n            j--;\n        }\n    }\n    return n;\n}\n"
    "double mean(int n, double x[64])\n{\n    double sum = 0.0;\n    for (int i = 0; i < n; i++) "
    "{\n        sum += x[i];\n    }\n    return sum / n;\n}\n"
    "A program gets better in small steps, and every step is kept when it's better than what was "
    "there. Programs that don't compile aren't lost: they're stored with the reason, so that the "
    "model learns what it's worth to avoid. We'll see that 1234 candidates in 0.28 seconds aren't "
    "many, and that they've been evaluated on the same 48 cases.\n"
    "Gr\xc3\xbc\xc3\x9f""e aus K\xc3\xb6ln: \xc3\xbc""ber f\xc3\xbcnf H\xc3\xa4user; "
    "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe3\x81\xa8\xe6\x97\xa5\xe6\x9c\xac\xe3\x80\x82\n";

/* Appends a byte as vocabularies spell it. */
static inline void rig_spell(struct elm_buf *b, uint8_t byte)
{
    static const uint8_t others[] = {127, 128, 160, 173};    /* where the rows of them end and start */
    uint32_t point = byte;
    if (byte <= 32)
        point = 256u + byte;
    else if (byte >= others[0] && byte <= others[2])
        point = 256u + 33 + (byte - others[0]);
    else if (byte == others[3])
        point = 256u + 67;
    if (point < 128) {
        elm_buf_byte(b, (uint8_t)point);
    } else {
        elm_buf_byte(b, (uint8_t)(0xc0 | point >> 6));
        elm_buf_byte(b, (uint8_t)(0x80 | (point & 63)));
    }
}

struct rig_vocabulary {
    struct elm_buf texts[RIG_TOKENS], merges[RIG_MERGES];
    uint32_t left[RIG_MERGES], right[RIG_MERGES];
    int32_t types[RIG_TOKENS];
};

/* Words start at their space or line break; merges never cross from one to the next. */
static inline size_t rig_read(int32_t *ids)
{
    size_t n = 0;
    for (size_t i = 0; i + 1 < sizeof(rig_text); i++) {
        bool space = rig_text[i] == ' ' || rig_text[i] == '\n';
        if (space && i > 0 && rig_text[i - 1] != rig_text[i])
            ids[n++] = -1;
        ids[n++] = (uint8_t)rig_text[i];
    }
    return n;
}

/* left * width + right of the most frequent pair, the first of equal ones. counts: zeros, again. */
static inline uint32_t rig_most_frequent(const int32_t *ids, size_t n, uint32_t width,
                                         uint32_t *counts)
{
    uint32_t best = 0, most = 0;
    for (int pass = 0; pass < 3; pass++) {
        for (size_t i = 1; i < n; i++) {
            if (ids[i - 1] < 0 || ids[i] < 0)
                continue;
            uint32_t pair = (uint32_t)ids[i - 1] * width + (uint32_t)ids[i];
            if (pass == 0) {
                counts[pair]++;
            } else if (pass == 2) {
                counts[pair] = 0;
            } else if (counts[pair] > most || (counts[pair] == most && pair < best)) {
                most = counts[pair];
                best = pair;
            }
        }
    }
    return best;
}

static inline void rig_train(struct rig_vocabulary *v)
{
    uint32_t width = 256 + RIG_MERGES;
    uint32_t *counts = elm_calloc((size_t)width * width, sizeof(*counts));
    int32_t *ids = elm_malloc(2 * sizeof(rig_text) * sizeof(*ids));
    size_t n = rig_read(ids);
    for (uint32_t m = 0; m < RIG_MERGES; m++) {
        uint32_t best = rig_most_frequent(ids, n, width, counts);
        v->left[m] = best / width;
        v->right[m] = best % width;
        size_t kept = 0;
        for (size_t i = 0; i < n; i++) {
            bool both = i + 1 < n && ids[i] == (int32_t)v->left[m] && ids[i + 1] == (int32_t)v->right[m];
            ids[kept++] = both ? (int32_t)(256 + m) : ids[i];
            i += both;
        }
        n = kept;
    }
    free(ids);
    free(counts);
}

static inline void rig_vocabulary(struct rig_vocabulary *v)
{
    static const char *const special[] = {"<|endoftext|>", "<|im_start|>", "<|im_end|>", "<tool>",
                                          "[UNUSED]"};
    static const int32_t types[] = {3, 3, 3, 4, 5};
    memset(v, 0, sizeof(*v));
    rig_train(v);
    for (uint32_t id = 0; id < RIG_TOKENS; id++)
        v->types[id] = 1;
    for (uint32_t b = 0; b < 256; b++)
        rig_spell(&v->texts[b], (uint8_t)b);
    v->types[RIG_MISSING_BYTE] = 5;
    elm_buf_clear(&v->texts[RIG_MISSING_BYTE]);
    elm_buf_printf(&v->texts[RIG_MISSING_BYTE], "[PAD]");
    for (uint32_t m = 0; m < RIG_MERGES; m++) {
        struct elm_str left = elm_buf_str(&v->texts[v->left[m]]);
        struct elm_str right = elm_buf_str(&v->texts[v->right[m]]);
        elm_buf_printf(&v->merges[m], "%.*s %.*s", (int)left.len, left.ptr, (int)right.len, right.ptr);
        elm_buf_add_str(&v->texts[256 + m], left);
        elm_buf_add_str(&v->texts[256 + m], right);
    }
    for (uint32_t i = 0; i < ELM_COUNT(special); i++) {
        elm_buf_printf(&v->texts[RIG_END + i], "%s", special[i]);
        v->types[RIG_END + i] = types[i];
    }
}

static inline void rig_vocabulary_release(struct rig_vocabulary *v)
{
    for (uint32_t i = 0; i < RIG_TOKENS; i++)
        elm_buf_release(&v->texts[i]);
    for (uint32_t i = 0; i < RIG_MERGES; i++)
        elm_buf_release(&v->merges[i]);
}

static inline void rig_put_tokenizer(struct elm_gguf_writer *w, const struct rig_vocabulary *v,
                                     const char *pre)
{
    struct elm_str texts[RIG_TOKENS], merges[RIG_MERGES];
    for (uint32_t i = 0; i < RIG_TOKENS; i++)
        texts[i] = elm_buf_str(&v->texts[i]);
    for (uint32_t i = 0; i < RIG_MERGES; i++)
        merges[i] = elm_buf_str(&v->merges[i]);
    elm_gguf_put_string(w, "general.architecture", ELM_STR("llama"));
    elm_gguf_put_string(w, "tokenizer.ggml.model", ELM_STR("gpt2"));
    elm_gguf_put_string(w, "tokenizer.ggml.pre", elm_str(pre));
    elm_gguf_put_strings(w, "tokenizer.ggml.tokens", texts, RIG_TOKENS);
    elm_gguf_put_ints(w, "tokenizer.ggml.token_type", v->types, RIG_TOKENS);
    elm_gguf_put_strings(w, "tokenizer.ggml.merges", merges, RIG_MERGES);
    elm_gguf_put_int(w, "tokenizer.ggml.bos_token_id", RIG_IM_START);
    elm_gguf_put_int(w, "tokenizer.ggml.eos_token_id", RIG_IM_END);
    elm_gguf_put_bool(w, "tokenizer.ggml.add_bos_token", false);
}

/* A file name that nothing has yet. */
static inline void rig_path(char path[64])
{
    const char *base = getenv("TMPDIR");
    snprintf(path, 64, "%.40s/elm-XXXXXX", base == NULL || strlen(base) > 40 ? "/tmp" : base);
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
}

/* The small vocabulary as a model file at path. */
static inline void rig_write(const char *path, const char *pre)
{
    struct rig_vocabulary v;
    struct elm_gguf_writer *w = elm_gguf_writer_new();
    rig_vocabulary(&v);
    rig_put_tokenizer(w, &v, pre);
    GIVES(ELM_OK, elm_gguf_write(w, path, ERR));
    elm_gguf_writer_free(w);
    rig_vocabulary_release(&v);
}

#endif
