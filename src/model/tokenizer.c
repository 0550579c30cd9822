/* tokenizer: made from a model file's tokenizer.* keys. */
#include "model/tokenizer.h"

#include "model/words.h"

#include <stdlib.h>
#include <string.h>

#define TOKENS_MAX ((uint64_t)1 << 20)
#define MERGES_MAX ((uint64_t)1 << 20)
#define TOKEN_BYTES_MAX 65536

/* token_type of the format */
enum { TYPE_NORMAL = 1, TYPE_UNKNOWN = 2, TYPE_CONTROL = 3, TYPE_USER = 4, TYPE_UNUSED = 5 };

struct maker {
    struct elm_tokenizer *t;
    const struct elm_gguf *g;
    struct elm_error *err;
    uint32_t *by_text;     /* ids by the hash of their spelling, open addressing */
    uint64_t text_mask;
};

static uint64_t slots_for(uint64_t count)
{
    uint64_t slots = 16;
    while (slots < count * 2)
        slots *= 2;
    return slots;
}

/* Models of this kind spell bytes as printable characters: those of Latin-1 that are printable as
 * themselves, the others, in order, from U+0100 on. */
static bool spelled_as_itself(uint32_t byte)
{
    return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255);
}

static void alphabet(int16_t byte_of[512])
{
    uint32_t other = 256;
    memset(byte_of, 0xff, 512 * sizeof(*byte_of));
    for (uint32_t b = 0; b < 256; b++)
        byte_of[spelled_as_itself(b) ? b : other++] = (int16_t)b;
}

/* The bytes that a spelling stands for. False: a character outside the alphabet. */
static bool spelled(const int16_t byte_of[512], struct elm_str text, struct elm_buf *out)
{
    elm_buf_clear(out);
    for (size_t i = 0; i < text.len; i++) {
        uint32_t point = (uint8_t)text.ptr[i];
        if (point >= 0x80) {
            if (point < 0xc2 || point > 0xc7 || i + 1 == text.len ||
                ((uint8_t)text.ptr[i + 1] & 0xc0) != 0x80)
                return false;
            point = (point & 31) << 6 | ((uint8_t)text.ptr[++i] & 63);
        }
        if (byte_of[point] < 0)
            return false;
        elm_buf_byte(out, (uint8_t)byte_of[point]);
    }
    return true;
}

/* The slot of a spelling, or the empty one where it would stand. */
static uint32_t *text_slot(const struct maker *m, struct elm_str text)
{
    for (uint64_t at = elm_hash(text.ptr, text.len, 0);; at++) {
        uint32_t *slot = &m->by_text[at & m->text_mask];
        struct elm_str there;
        if (*slot == TOKENIZER_NONE ||
            (elm_gguf_array_string(m->g, "tokenizer.ggml.tokens", *slot, &there) &&
             elm_str_equal(there, text)))
            return slot;
    }
}

static bool always_ends(struct elm_str text)
{
    static const char *const texts[] = {
        "<|endoftext|>", "<|end_of_text|>", "<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|end|>",
        "<end_of_turn>", "</s>", "<eos>", "<EOT>",
    };
    for (size_t i = 0; i < ELM_COUNT(texts); i++) {
        if (elm_str_equal(text, elm_str(texts[i])))
            return true;
    }
    return false;
}

static enum elm_status add_token(struct maker *m, const int16_t byte_of[512], uint32_t id,
                                 struct elm_buf *scratch)
{
    struct elm_tokenizer *t = m->t;
    struct elm_str text;
    int64_t type = TYPE_NORMAL;
    elm_gguf_array_string(m->g, "tokenizer.ggml.tokens", id, &text);
    elm_gguf_array_int(m->g, "tokenizer.ggml.token_type", id, &type);
    if (text.len == 0 || text.len > TOKEN_BYTES_MAX) {
        return elm_fail(m->err, ELM_CORRUPT, "token %u has %zu bytes, 1 to %d are allowed", id,
                        text.len, TOKEN_BYTES_MAX);
    }
    uint32_t *slot = text_slot(m, text);
    if (*slot != TOKENIZER_NONE)
        return elm_fail(m->err, ELM_CORRUPT, "tokens %u and %u are the same text", *slot, id);
    *slot = id;
    if (always_ends(text))
        t->flags[id] = TOKENIZER_ENDS | TOKENIZER_CONTROL;
    else if (type == TYPE_CONTROL || type == TYPE_UNKNOWN)
        t->flags[id] = TOKENIZER_CONTROL;
    else if (type == TYPE_USER)
        t->flags[id] = TOKENIZER_USER;
    else if (type == TYPE_UNUSED)
        t->flags[id] = TOKENIZER_UNUSED;
    struct elm_str bytes = text;
    if (t->flags[id] == 0 && spelled(byte_of, text, scratch)) {
        bytes = elm_buf_str(scratch);
        if (bytes.len == 1)
            t->of_byte[(uint8_t)bytes.ptr[0]] = id;
    }
    char *copy = elm_arena_alloc(&t->arena, bytes.len);
    memcpy(copy, bytes.ptr, bytes.len);
    t->bytes[id] = (struct elm_str){copy, bytes.len};
    return ELM_OK;
}

static enum elm_status read_tokens(struct maker *m)
{
    struct elm_tokenizer *t = m->t;
    uint64_t count = 0, types;
    if (!elm_gguf_array(m->g, "tokenizer.ggml.tokens", &count) || count == 0 || count > TOKENS_MAX) {
        return elm_fail(m->err, ELM_CORRUPT, "key 'tokenizer.ggml.tokens' has %llu tokens, 1 to %llu "
                        "are allowed", (unsigned long long)count, (unsigned long long)TOKENS_MAX);
    }
    struct elm_str first;
    if (!elm_gguf_array_string(m->g, "tokenizer.ggml.tokens", 0, &first))
        return elm_fail(m->err, ELM_CORRUPT, "key 'tokenizer.ggml.tokens' holds no strings");
    if (elm_gguf_array(m->g, "tokenizer.ggml.token_type", &types) && types != count) {
        return elm_fail(m->err, ELM_CORRUPT, "key 'tokenizer.ggml.token_type' has %llu types for "
                        "%llu tokens", (unsigned long long)types, (unsigned long long)count);
    }
    t->count = (uint32_t)count;
    t->bytes = elm_arena_alloc(&t->arena, count * sizeof(*t->bytes));
    t->flags = elm_arena_alloc(&t->arena, count);
    memset(t->flags, 0, count);
    memset(t->of_byte, 0xff, sizeof(t->of_byte));
    m->text_mask = slots_for(count) - 1;
    m->by_text = elm_malloc((m->text_mask + 1) * sizeof(*m->by_text));
    memset(m->by_text, 0xff, (m->text_mask + 1) * sizeof(*m->by_text));
    int16_t byte_of[512];
    alphabet(byte_of);
    struct elm_buf scratch = {0};
    enum elm_status status = ELM_OK;
    for (uint32_t id = 0; id < t->count && status == ELM_OK; id++)
        status = add_token(m, byte_of, id, &scratch);
    elm_buf_release(&scratch);
    return status;
}

/* A merge is "LEFT RIGHT": both and what they make are tokens. */
static enum elm_status add_merge(struct maker *m, uint32_t rank, struct elm_buf *joined)
{
    struct elm_str text;
    if (!elm_gguf_array_string(m->g, "tokenizer.ggml.merges", rank, &text))
        return elm_fail(m->err, ELM_CORRUPT, "key 'tokenizer.ggml.merges' holds no strings");
    const char *space = text.len < 3 ? NULL : memchr(text.ptr + 1, ' ', text.len - 1);
    if (space == NULL)
        return elm_fail(m->err, ELM_CORRUPT, "merge %u is not of the form 'LEFT RIGHT'", rank);
    struct elm_str left = {text.ptr, (size_t)(space - text.ptr)};
    struct elm_str right = {space + 1, text.len - left.len - 1};
    elm_buf_clear(joined);
    elm_buf_add_str(joined, left);
    elm_buf_add_str(joined, right);
    uint32_t l = *text_slot(m, left), r = *text_slot(m, right);
    uint32_t into = *text_slot(m, elm_buf_str(joined));
    if (l == TOKENIZER_NONE || r == TOKENIZER_NONE || into == TOKENIZER_NONE) {
        return elm_fail(m->err, ELM_CORRUPT, "merge %u names or makes a text that is no token", rank);
    }
    struct tokenizer_merge *slot = tokenizer_slot(m->t, l, r);
    if (slot->into == TOKENIZER_NONE)    /* the first of equal ones counts */
        *slot = (struct tokenizer_merge){(uint64_t)l << 32 | r, rank, into};
    return ELM_OK;
}

static enum elm_status read_merges(struct maker *m)
{
    struct elm_tokenizer *t = m->t;
    uint64_t count = 0;
    if (!elm_gguf_array(m->g, "tokenizer.ggml.merges", &count) || count > MERGES_MAX) {
        return elm_fail(m->err, ELM_CORRUPT, "key 'tokenizer.ggml.merges' is missing or has %llu "
                        "merges, %llu are allowed", (unsigned long long)count,
                        (unsigned long long)MERGES_MAX);
    }
    t->merge_mask = slots_for(count) - 1;
    t->merges = elm_malloc((t->merge_mask + 1) * sizeof(*t->merges));
    memset(t->merges, 0xff, (t->merge_mask + 1) * sizeof(*t->merges));
    struct elm_buf joined = {0};
    enum elm_status status = ELM_OK;
    for (uint32_t rank = 0; rank < count && status == ELM_OK; rank++)
        status = add_merge(m, rank, &joined);
    elm_buf_release(&joined);
    return status;
}

static enum elm_status read_id(struct maker *m, const char *key, int32_t *out)
{
    int64_t id = -1;
    *out = -1;
    if (elm_gguf_int(m->g, key, &id) && (id < 0 || id >= (int64_t)m->t->count)) {
        return elm_fail(m->err, ELM_CORRUPT, "key '%s' is %lld, but there are %u tokens", key,
                        (long long)id, m->t->count);
    }
    *out = (int32_t)id;
    return ELM_OK;
}

static enum elm_status read_ids(struct maker *m)
{
    static const char *const ending[] = {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id",
                                         "tokenizer.ggml.eom_token_id"};
    struct elm_tokenizer *t = m->t;
    int32_t ids[ELM_COUNT(ending)];
    for (size_t i = 0; i < ELM_COUNT(ending); i++) {
        ELM_TRY(read_id(m, ending[i], &ids[i]));
        if (ids[i] >= 0)
            t->flags[ids[i]] |= TOKENIZER_ENDS;
    }
    t->eos = ids[0];
    ELM_TRY(read_id(m, "tokenizer.ggml.bos_token_id", &t->bos));
    bool add = false;
    t->add_bos = elm_gguf_bool(m->g, "tokenizer.ggml.add_bos_token", &add) && add && t->bos >= 0;
    return ELM_OK;
}

static int by_first_then_longest(const void *a, const void *b, void *tokenizer)
{
    const struct elm_tokenizer *t = tokenizer;
    struct elm_str x = t->bytes[*(const uint32_t *)a], y = t->bytes[*(const uint32_t *)b];
    int first = (uint8_t)x.ptr[0] - (uint8_t)y.ptr[0];
    return first != 0 ? first : (x.len < y.len) - (x.len > y.len);
}

static void index_specials(struct elm_tokenizer *t)
{
    for (uint32_t id = 0; id < t->count; id++)
        t->special_count += (t->flags[id] & (TOKENIZER_CONTROL | TOKENIZER_USER)) != 0;
    t->specials = elm_arena_alloc(&t->arena, t->special_count * sizeof(*t->specials));
    uint32_t at = 0;
    for (uint32_t id = 0; id < t->count; id++) {
        if ((t->flags[id] & (TOKENIZER_CONTROL | TOKENIZER_USER)) != 0)
            t->specials[at++] = id;
    }
    qsort_r(t->specials, t->special_count, sizeof(*t->specials), by_first_then_longest, t);
    at = 0;
    for (uint32_t byte = 0; byte < 256; byte++) {
        t->special_from[byte] = at;
        while (at < t->special_count && (uint8_t)t->bytes[t->specials[at]].ptr[0] == byte)
            at++;
    }
    t->special_from[256] = at;
}

static enum elm_status make(struct maker *m)
{
    struct elm_str model, pre = ELM_STR("default");
    if (!elm_gguf_string(m->g, "tokenizer.ggml.model", &model))
        return elm_fail(m->err, ELM_CORRUPT, "key 'tokenizer.ggml.model' is missing or no string");
    if (!elm_str_equal(model, ELM_STR("gpt2"))) {
        return elm_fail(m->err, ELM_OUTSIDE, "tokenizer '%.*s' is not read, only 'gpt2' (byte-level "
                        "merges) is", (int)(model.len < 80 ? model.len : 80), model.ptr);
    }
    elm_gguf_string(m->g, "tokenizer.ggml.pre", &pre);
    m->t->passes = words_passes(pre);
    if (m->t->passes == NULL) {
        return elm_fail(m->err, ELM_OUTSIDE, "pre-tokenizer '%.*s' is not read, only 'smollm', "
                        "'gpt-2' and 'default' are", (int)(pre.len < 80 ? pre.len : 80), pre.ptr);
    }
    ELM_TRY(read_tokens(m));
    ELM_TRY(read_merges(m));
    ELM_TRY(read_ids(m));
    index_specials(m->t);
    return ELM_OK;
}

enum elm_status elm_tokenizer_new(const struct elm_gguf *g, struct elm_tokenizer **out,
                                  struct elm_error *err)
{
    struct maker m = {elm_calloc(1, sizeof(struct elm_tokenizer)), g, err, NULL, 0};
    enum elm_status status = make(&m);
    free(m.by_text);
    if (status == ELM_OK)
        *out = m.t;
    else
        elm_tokenizer_free(m.t);
    return status;
}

void elm_tokenizer_free(struct elm_tokenizer *t)
{
    if (t == NULL)
        return;
    free(t->merges);
    elm_arena_release(&t->arena);
    free(t);
}
