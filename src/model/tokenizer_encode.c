/* tokenizer_encode: text to ids and back. */
#include "model/tokenizer.h"

#include "model/words.h"

#include <stdlib.h>
#include <string.h>

struct symbol {
    uint32_t id;             /* NONE: a byte that no token writes */
    uint32_t prev, next;     /* NONE: the end */
    uint32_t rank, into;     /* of the merge with `next`; rank NONE: there is none */
};
/* What one call of elm_tokenizer_encode works with. */
struct coder {
    const struct elm_tokenizer *t;
    struct elm_buf *ids;
    struct symbol *symbols;    /* of one word */
    uint64_t *heap;            /* merges that may be next: rank << 32 | left symbol */
    size_t cap, heap_count;    /* a word of n bytes has at most 3 n merges */
};

static void push(struct coder *c, uint64_t key)
{
    size_t i = c->heap_count++;
    for (; i > 0 && c->heap[(i - 1) / 2] > key; i = (i - 1) / 2)
        c->heap[i] = c->heap[(i - 1) / 2];
    c->heap[i] = key;
}

static uint64_t pop(struct coder *c)
{
    uint64_t top = c->heap[0], key = c->heap[--c->heap_count];
    size_t i = 0, child;
    for (; (child = i * 2 + 1) < c->heap_count; i = child) {
        child += child + 1 < c->heap_count && c->heap[child + 1] < c->heap[child];
        if (c->heap[child] >= key)
            break;
        c->heap[i] = c->heap[child];
    }
    c->heap[i] = key;
    return top;
}

/* Looks up the merge of a symbol with the one after it. */
static void pair_up(struct coder *c, uint32_t left)
{
    struct symbol *s = &c->symbols[left];
    s->rank = TOKENIZER_NONE;
    if (s->next == TOKENIZER_NONE)
        return;
    const struct tokenizer_merge *m = tokenizer_slot(c->t, s->id, c->symbols[s->next].id);
    if (m->into == TOKENIZER_NONE)
        return;
    s->rank = m->rank;
    s->into = m->into;
    push(c, (uint64_t)m->rank << 32 | left);
}

static void add_id(struct coder *c, uint32_t id)
{
    if (id != TOKENIZER_NONE)
        elm_buf_add(c->ids, &id, sizeof(id));
}

static void merge_word(struct coder *c, struct elm_str word)
{
    uint32_t len = (uint32_t)word.len;
    ELM_ASSERT(word.len < TOKENIZER_NONE / 4);
    if (len > c->cap) {
        c->cap = len + len / 2 + 64;
        c->symbols = elm_realloc(c->symbols, c->cap * sizeof(*c->symbols));
        c->heap = elm_realloc(c->heap, c->cap * 3 * sizeof(*c->heap));
    }
    c->heap_count = 0;
    for (uint32_t i = 0; i < len; i++) {
        c->symbols[i] = (struct symbol){c->t->of_byte[(uint8_t)word.ptr[i]], i - 1,
                                        i + 1 < len ? i + 1 : TOKENIZER_NONE, 0, 0};
    }
    for (uint32_t i = 0; i < len; i++)
        pair_up(c, i);
    while (c->heap_count > 0) {
        uint64_t key = pop(c);
        uint32_t left = (uint32_t)key;
        struct symbol *s = &c->symbols[left];
        if (s->rank != key >> 32)    /* it or its neighbour has been merged since */
            continue;
        struct symbol *gone = &c->symbols[s->next];
        s->id = s->into;
        s->next = gone->next;
        gone->rank = TOKENIZER_NONE;
        if (s->next != TOKENIZER_NONE)
            c->symbols[s->next].prev = left;
        pair_up(c, left);
        if (s->prev != TOKENIZER_NONE)
            pair_up(c, s->prev);
    }
    for (uint32_t i = 0; i != TOKENIZER_NONE; i = c->symbols[i].next)
        add_id(c, c->symbols[i].id);
}

static void cut(struct coder *c, struct elm_str text, const uint8_t *passes)
{
    while (text.len > 0) {
        size_t len = passes[0] == WORDS_END ? text.len : words_piece(passes[0], text);
        struct elm_str piece = {text.ptr, len};
        if (passes[0] != WORDS_END)
            cut(c, piece, passes + 1);
        else if (len == 1)
            add_id(c, c->t->of_byte[(uint8_t)text.ptr[0]]);
        else
            merge_word(c, piece);
        text = (struct elm_str){text.ptr + len, text.len - len};
    }
}

/* The special token that a text starts with, or NONE. */
static uint32_t special_at(const struct elm_tokenizer *t, struct elm_str text, bool control)
{
    uint8_t first = (uint8_t)text.ptr[0];
    for (uint32_t i = t->special_from[first]; i < t->special_from[first + 1]; i++) {
        uint32_t id = t->specials[i];
        struct elm_str s = t->bytes[id];
        if ((control || (t->flags[id] & TOKENIZER_CONTROL) == 0) && s.len <= text.len &&
            memcmp(s.ptr, text.ptr, s.len) == 0)
            return id;
    }
    return TOKENIZER_NONE;
}

void elm_tokenizer_encode(const struct elm_tokenizer *t, struct elm_str text, bool special,
                          struct elm_buf *ids)
{
    struct coder c = {t, ids, NULL, NULL, 0, 0};
    size_t start = 0;
    for (size_t at = 0; at < text.len;) {
        struct elm_str rest = {text.ptr + at, text.len - at};
        uint32_t id = special_at(t, rest, special);
        if (id == TOKENIZER_NONE) {
            at++;
            continue;
        }
        cut(&c, (struct elm_str){text.ptr + start, at - start}, t->passes);
        add_id(&c, id);
        at += t->bytes[id].len;
        start = at;
    }
    if (start < text.len)
        cut(&c, (struct elm_str){text.ptr + start, text.len - start}, t->passes);
    free(c.symbols);
    free(c.heap);
}

void elm_tokenizer_decode(const struct elm_tokenizer *t, const uint32_t *ids, size_t count,
                          struct elm_buf *text)
{
    for (size_t i = 0; i < count; i++)
        elm_buf_add_str(text, elm_tokenizer_bytes(t, ids[i]));
}

uint32_t elm_tokenizer_count(const struct elm_tokenizer *t)
{
    return t->count;
}

struct elm_str elm_tokenizer_bytes(const struct elm_tokenizer *t, uint32_t id)
{
    ELM_ASSERT(id < t->count);
    bool silent = (t->flags[id] & (TOKENIZER_CONTROL | TOKENIZER_UNUSED)) != 0;
    return silent ? ELM_STR("") : t->bytes[id];
}

int32_t elm_tokenizer_bos(const struct elm_tokenizer *t)
{
    return t->bos;
}

int32_t elm_tokenizer_eos(const struct elm_tokenizer *t)
{
    return t->eos;
}

bool elm_tokenizer_add_bos(const struct elm_tokenizer *t)
{
    return t->add_bos;
}

bool elm_tokenizer_ends(const struct elm_tokenizer *t, uint32_t id)
{
    ELM_ASSERT(id < t->count);
    return (t->flags[id] & TOKENIZER_ENDS) != 0;
}
