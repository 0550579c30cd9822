/* bpe: learns the merges of a byte-level tokenizer. */
#ifndef MODEL_BPE_H
#define MODEL_BPE_H

#include "elm/base.h"

struct bpe;
struct bpe *bpe_new(void);
void bpe_free(struct bpe *b);
/* Counts the words of a text. */
void bpe_text(struct bpe *b, struct elm_str text);
/* Merges the most frequent pairs, the smaller ids first among equals, until there are `tokens` tokens
 * (bytes and merges, then <|endoftext|>) or no pair stands twice; appends a GGUF with the tokenizer. */
void bpe_learn(struct bpe *b, uint32_t tokens, struct elm_buf *gguf);

#endif
