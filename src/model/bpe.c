/* bpe: words with how often they stand, pairs with how often they stand, and merges until enough. */
#include "model/bpe.h"

#include "elm/gguf.h"
#include "model/words.h"

#include <stdlib.h>
#include <string.h>

#define PRE "smollm"
#define END "<|endoftext|>"
#define WORD_MOST 4096           /* bytes: longer ones are cut */

struct word {
    uint32_t first, len;         /* of its symbols */
    uint32_t text_len;
    const char *text;
    uint64_t count;
};
struct pair {
    uint32_t left, right;
    int64_t count;               /* 0 with both 0: an empty slot */
    bool used, barred;           /* barred: what it makes is a token already */
};
struct bpe {
    struct elm_arena arena;
    struct word *words;
    uint32_t word_count, word_room;
    uint32_t *slots;             /* hash of words: index + 1 */
    uint32_t slot_mask;
    uint32_t *symbols;
    struct pair *pairs;
    uint32_t pair_mask, pair_count;
    struct elm_str *texts;       /* of each token */
    uint32_t *merges;            /* left, right, left, right ... */
    uint32_t token_count;
};

struct bpe *bpe_new(void)
{
    struct bpe *b = elm_calloc(1, sizeof(*b));
    b->slot_mask = 1023;
    b->slots = elm_calloc(b->slot_mask + 1, sizeof(*b->slots));
    return b;
}

void bpe_free(struct bpe *b)
{
    elm_arena_release(&b->arena);
    free(b->words);
    free(b->slots);
    free(b->symbols);
    free(b->pairs);
    free(b->texts);
    free(b->merges);
    free(b);
}

static uint32_t *slot_of(struct bpe *b, struct elm_str text)
{
    uint64_t at = elm_hash(text.ptr, text.len, 1);
    for (;; at++) {
        uint32_t *slot = &b->slots[at & b->slot_mask];
        const struct word *w = *slot == 0 ? NULL : &b->words[*slot - 1];
        if (w == NULL || (w->text_len == text.len && memcmp(w->text, text.ptr, text.len) == 0))
            return slot;
    }
}

static void grow_words(struct bpe *b)
{
    b->word_room = b->word_room == 0 ? 512 : 2 * b->word_room;
    b->words = elm_realloc(b->words, b->word_room * sizeof(*b->words));
    free(b->slots);
    b->slot_mask = 4 * b->word_room - 1;
    b->slots = elm_calloc((size_t)b->slot_mask + 1, sizeof(*b->slots));
    for (uint32_t i = 0; i < b->word_count; i++)
        *slot_of(b, (struct elm_str){b->words[i].text, b->words[i].text_len}) = i + 1;
}

static void add_word(struct bpe *b, struct elm_str text)
{
    if (b->word_count == b->word_room)
        grow_words(b);
    uint32_t *slot = slot_of(b, text);
    if (*slot == 0) {
        char *copy = elm_arena_alloc(&b->arena, text.len);
        memcpy(copy, text.ptr, text.len);
        b->words[b->word_count] = (struct word){.text = copy, .text_len = (uint32_t)text.len};
        *slot = ++b->word_count;
    }
    b->words[*slot - 1].count++;
}

static void cut(struct bpe *b, struct elm_str text, const uint8_t *passes)
{
    while (text.len > 0) {
        size_t len = passes[0] == WORDS_END ? text.len : words_piece(passes[0], text);
        if (passes[0] == WORDS_END && len > WORD_MOST)
            len = WORD_MOST;
        if (passes[0] == WORDS_END)
            add_word(b, (struct elm_str){text.ptr, len});
        else
            cut(b, (struct elm_str){text.ptr, len}, passes + 1);
        text = (struct elm_str){text.ptr + len, text.len - len};
    }
}

void bpe_text(struct bpe *b, struct elm_str text)
{
    cut(b, text, words_passes(ELM_STR(PRE)));
}

/* ---- pairs ---- */

static struct pair *pair_slot(const struct bpe *b, uint32_t left, uint32_t right)
{
    uint64_t at = elm_hash_mix(left, right);
    for (;; at++) {
        struct pair *p = &b->pairs[at & b->pair_mask];
        if (!p->used || (p->left == left && p->right == right))
            return p;
    }
}

static void grow_pairs(struct bpe *b)
{
    struct pair *old = b->pairs;
    const uint32_t room = old == NULL ? 0 : b->pair_mask + 1;
    b->pair_mask = room == 0 ? 4095 : 2 * room - 1;
    b->pairs = elm_calloc((size_t)b->pair_mask + 1, sizeof(*b->pairs));
    for (uint32_t i = 0; i < room; i++) {
        if (old[i].used)
            *pair_slot(b, old[i].left, old[i].right) = old[i];
    }
    free(old);
}

static void count_pair(struct bpe *b, uint32_t left, uint32_t right, int64_t by)
{
    if (b->pair_count * 2 > b->pair_mask)
        grow_pairs(b);
    struct pair *p = pair_slot(b, left, right);
    if (!p->used) {
        *p = (struct pair){.left = left, .right = right, .used = true};
        b->pair_count++;
    }
    p->count += by;
}

static void spread_words(struct bpe *b)
{
    size_t bytes = 0, at = 0;
    for (uint32_t i = 0; i < b->word_count; i++)
        bytes += b->words[i].text_len;
    ELM_ASSERT(bytes < UINT32_MAX);
    b->symbols = elm_malloc((bytes + 1) * sizeof(*b->symbols));
    grow_pairs(b);
    for (uint32_t i = 0; i < b->word_count; i++) {
        struct word *w = &b->words[i];
        w->first = (uint32_t)at;
        w->len = w->text_len;
        for (uint32_t j = 0; j < w->len; j++)
            b->symbols[at++] = (uint8_t)w->text[j];
        for (uint32_t j = 1; j < w->len; j++)
            count_pair(b, b->symbols[w->first + j - 1], b->symbols[w->first + j],
                       (int64_t)w->count);
    }
}

static struct pair *most_frequent(const struct bpe *b)
{
    struct pair *best = NULL;
    for (uint32_t i = 0; i <= b->pair_mask; i++) {
        struct pair *p = &b->pairs[i];
        if (!p->used || p->barred || p->count < 2)
            continue;
        bool first = best != NULL && (p->left < best->left ||
                                      (p->left == best->left && p->right < best->right));
        if (best == NULL || p->count > best->count || (p->count == best->count && first))
            best = p;
    }
    return best;
}

/* One word after a merge; the counts of its pairs follow. */
static void merge_word(struct bpe *b, struct word *w, uint32_t left, uint32_t right, uint32_t into)
{
    uint32_t *s = b->symbols + w->first, kept = 0, j = 0;
    bool there = false;
    for (; j + 1 < w->len && !there; j++)
        there = s[j] == left && s[j + 1] == right;
    if (!there)
        return;
    for (j = 1; j < w->len; j++)
        count_pair(b, s[j - 1], s[j], -(int64_t)w->count);
    for (j = 0; j < w->len; j++) {
        bool both = j + 1 < w->len && s[j] == left && s[j + 1] == right;
        s[kept++] = both ? into : s[j];
        j += both;
    }
    w->len = kept;
    for (j = 1; j < w->len; j++)
        count_pair(b, s[j - 1], s[j], (int64_t)w->count);
}

/* ---- the file ---- */

/* As vocabularies spell a byte: itself where it can be seen, else a character from U+0100 on. */
static void spell(struct elm_buf *out, uint8_t byte)
{
    uint32_t point = byte;
    if (byte <= 32)
        point = 256u + byte;
    else if (byte >= 127 && byte <= 160)
        point = 256u + 33 + (byte - 127u);
    else if (byte == 173)
        point = 256u + 67;
    if (point < 128) {
        elm_buf_byte(out, (uint8_t)point);
    } else {
        elm_buf_byte(out, (uint8_t)(0xc0 | point >> 6));
        elm_buf_byte(out, (uint8_t)(0x80 | (point & 63)));
    }
}

static struct elm_str joined(struct bpe *b, struct elm_str left, const char *between,
                             struct elm_str right)
{
    const size_t gap = strlen(between);
    char *at = elm_arena_alloc(&b->arena, left.len + gap + right.len);
    memcpy(at, left.ptr, left.len);
    memcpy(at + left.len, between, gap);
    memcpy(at + left.len + gap, right.ptr, right.len);
    return (struct elm_str){at, left.len + gap + right.len};
}

static void write_tokenizer(struct bpe *b, struct elm_buf *gguf)
{
    const uint32_t end = b->token_count, merges = end - 256;
    struct elm_gguf_writer *w = elm_gguf_writer_new();
    struct elm_str *lines = elm_calloc(merges + 1, sizeof(*lines));
    int32_t *types = elm_malloc((end + 1) * sizeof(*types));
    for (uint32_t i = 0; i < merges; i++)
        lines[i] = joined(b, b->texts[b->merges[2 * i]], " ", b->texts[b->merges[2 * i + 1]]);
    for (uint32_t i = 0; i <= end; i++)
        types[i] = i == end ? 3 : 1;    /* control, normal */
    b->texts[end] = ELM_STR(END);
    elm_gguf_put_string(w, "tokenizer.ggml.model", ELM_STR("gpt2"));
    elm_gguf_put_string(w, "tokenizer.ggml.pre", ELM_STR(PRE));
    elm_gguf_put_strings(w, "tokenizer.ggml.tokens", b->texts, end + 1);
    elm_gguf_put_ints(w, "tokenizer.ggml.token_type", types, end + 1);
    elm_gguf_put_strings(w, "tokenizer.ggml.merges", lines, merges);
    elm_gguf_put_int(w, "tokenizer.ggml.bos_token_id", end);
    elm_gguf_put_int(w, "tokenizer.ggml.eos_token_id", end);
    elm_gguf_put_bool(w, "tokenizer.ggml.add_bos_token", false);
    elm_gguf_write_bytes(w, gguf);
    elm_gguf_writer_free(w);
    free(lines);
    free(types);
}

/* Two ways to the same text would be one token with two ids. */
static bool is_token(const struct bpe *b, struct elm_str text)
{
    for (uint32_t i = 0; i < b->token_count; i++) {
        if (elm_str_equal(b->texts[i], text))
            return true;
    }
    return elm_str_equal(text, ELM_STR(END));
}

static void merge_all(struct bpe *b, uint32_t tokens)
{
    struct pair *best;
    while (b->token_count + 1 < tokens && (best = most_frequent(b)) != NULL) {
        const uint32_t left = best->left, right = best->right, into = b->token_count;
        struct elm_str text = joined(b, b->texts[left], "", b->texts[right]);
        best->barred = is_token(b, text);
        if (best->barred)
            continue;
        b->merges[2 * (into - 256)] = left;
        b->merges[2 * (into - 256) + 1] = right;
        b->texts[into] = text;
        b->token_count++;
        for (uint32_t i = 0; i < b->word_count; i++)
            merge_word(b, &b->words[i], left, right, into);
    }
}

void bpe_learn(struct bpe *b, uint32_t tokens, struct elm_buf *gguf)
{
    ELM_ASSERT(tokens >= 257);
    b->texts = elm_calloc(tokens, sizeof(*b->texts));
    b->merges = elm_calloc(2 * (size_t)tokens, sizeof(*b->merges));
    spread_words(b);
    for (b->token_count = 0; b->token_count < 256; b->token_count++) {
        struct elm_buf text = {0};
        spell(&text, (uint8_t)b->token_count);
        b->texts[b->token_count] = joined(b, elm_buf_str(&text), "", ELM_STR(""));
        elm_buf_release(&text);
    }
    merge_all(b, tokens);
    write_tokenizer(b, gguf);
}
