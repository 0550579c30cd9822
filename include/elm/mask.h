/*
 * mask: which tokens a grammar admits in a state: the tokens of a vocabulary in a trie over their
 * bytes, and a cache of bit masks by elm_grammar_key. One mask is a bit per token (bit i of byte
 * i/8), padded to 64 bytes.
 */
#ifndef ELM_MASK_H
#define ELM_MASK_H

#include "elm/grammar.h"
#include "elm/tokenizer.h"

struct elm_vocabulary_trie;    /* constant; any thread */
struct elm_vocabulary_trie *elm_vocabulary_trie_new(const struct elm_tokenizer *t);
void elm_vocabulary_trie_free(struct elm_vocabulary_trie *v);

struct elm_mask_cache;         /* one thread */
/* bytes_max: memory of the masks kept; the oldest leave. */
struct elm_mask_cache *elm_mask_cache_new(const struct elm_vocabulary_trie *v, size_t bytes_max);
void elm_mask_cache_free(struct elm_mask_cache *c);
/* The mask of a state; borrowed until the next call. NULL: nothing is admitted. */
const uint8_t *elm_mask_get(struct elm_mask_cache *c, const struct elm_grammar *g,
                            const struct elm_grammar_state *s);
/* Steps a state by a token's bytes. False: not admitted. */
bool elm_mask_step(const struct elm_vocabulary_trie *v, const struct elm_grammar *g,
                   struct elm_grammar_state *s, uint32_t token);

#endif
