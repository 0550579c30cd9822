/*
 * words: how a text is cut into words before its bytes are merged (llama.cpp's regexes of three
 * pre-tokenizers, by hand). A pre-tokenizer is a list of passes; each cuts the pieces of the one
 * before.
 */
#ifndef ELM_MODEL_WORDS_H
#define ELM_MODEL_WORDS_H

#include "elm/base.h"

enum words_pass {
    WORDS_END,        /* of the list */
    WORDS_DIGIT,      /* \p{N} */
    WORDS_GPT2,       /* 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+ */
    WORDS_MARKS,      /* [\p{P}$+<=>^~|]+ */
    WORDS_NUMBERS,    /* \p{N}+ */
    WORDS_TRIPLES,    /* [0-9][0-9][0-9] */
};
/* The passes of a pre-tokenizer, or NULL. */
const uint8_t *words_passes(struct elm_str pre_tokenizer);
/* Bytes of the first piece (a match, or what lies before the next one) of a text that is not empty. */
size_t words_piece(enum words_pass pass, struct elm_str text);

#endif
