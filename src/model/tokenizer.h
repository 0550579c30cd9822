/* tokenizer: what making and using a tokenizer share. */
#ifndef ELM_MODEL_TOKENIZER_H
#define ELM_MODEL_TOKENIZER_H

#include "elm/tokenizer.h"

#define TOKENIZER_NONE UINT32_MAX

enum {
    TOKENIZER_CONTROL = 1,    /* writes nothing; read where control tokens may be spelled out */
    TOKENIZER_USER = 2,       /* read as such wherever its text stands */
    TOKENIZER_UNUSED = 4,     /* writes nothing */
    TOKENIZER_ENDS = 8,
};
struct tokenizer_merge {
    uint64_t pair;            /* left << 32 | right */
    uint32_t rank, into;      /* into NONE: an empty slot */
};
struct elm_tokenizer {
    uint32_t count;
    int32_t bos, eos;
    bool add_bos;
    const uint8_t *passes;            /* words.h */
    struct elm_arena arena;
    struct elm_str *bytes;            /* [count] what a token writes; others: how it is spelled */
    uint8_t *flags;                   /* [count] */
    uint32_t of_byte[256];
    struct tokenizer_merge *merges;   /* open addressing */
    uint64_t merge_mask;
    /* tokens that are spelled out in text, by first byte, then the longest first */
    uint32_t *specials;
    uint32_t special_count;
    uint32_t special_from[257];       /* where those of a first byte start */
};

/* The slot of a pair, or the empty one where it would stand. */
static inline struct tokenizer_merge *tokenizer_slot(const struct elm_tokenizer *t, uint32_t left,
                                                     uint32_t right)
{
    uint64_t pair = (uint64_t)left << 32 | right;
    uint64_t at = elm_hash_mix(left, right);
    for (;; at++) {
        struct tokenizer_merge *m = &t->merges[at & t->merge_mask];
        if (m->into == TOKENIZER_NONE || m->pair == pair)
            return m;
    }
}

#endif
