/*
 * mask: which tokens a grammar admits in a state, found in a trie over the bytes of a vocabulary's
 * tokens. A mask is a bit per token (bit i of byte i/8), padded to 64 bytes. It takes some 10 us.
 */
#ifndef ELM_MASK_H
#define ELM_MASK_H

#include "elm/grammar.h"
#include "elm/tokenizer.h"

struct elm_vocabulary_trie;    /* constant; any thread */
/* Control tokens, and tokens of more than 64 bytes or of bytes that core C has no use for, are never
 * admitted. Copies what it needs. */
struct elm_vocabulary_trie *elm_vocabulary_trie_new(const struct elm_tokenizer *t);
struct elm_vocabulary_trie *elm_vocabulary_trie_of(const struct elm_str *tokens, uint32_t count);
void elm_vocabulary_trie_free(struct elm_vocabulary_trie *v);

/* Bytes of a mask. */
size_t elm_mask_bytes(const struct elm_vocabulary_trie *v);
/* Writes the mask of a state. False: nothing is admitted. */
bool elm_mask_make(const struct elm_vocabulary_trie *v, const struct elm_grammar *g,
                   const struct elm_grammar_state *s, uint8_t *bits);

/* Masks made before, some 4 MB of them: of one thread. Answers of one model to one question come by the
 * same states again and again (three of four masks of the operator compose were made before). `v` must
 * outlive it. */
struct elm_mask_memory;
struct elm_mask_memory *elm_mask_memory_new(const struct elm_vocabulary_trie *v);
void elm_mask_memory_free(struct elm_mask_memory *m);
/* As elm_mask_make. `grammar`: elm_grammar_hash(g). */
bool elm_mask_recall(struct elm_mask_memory *m, const struct elm_grammar *g, uint64_t grammar,
                     const struct elm_grammar_state *s, uint8_t *bits);

/* Steps a state by a token's bytes. False: not admitted. */
bool elm_mask_step(const struct elm_vocabulary_trie *v, const struct elm_grammar *g,
                   struct elm_grammar_state *s, uint32_t token);

#endif
