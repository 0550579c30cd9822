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
/* Control tokens, and tokens of more than 64 bytes or of bytes that core C has no use for, are never
 * admitted. Copies what it needs. */
struct elm_vocabulary_trie *elm_vocabulary_trie_new(const struct elm_tokenizer *t);
struct elm_vocabulary_trie *elm_vocabulary_trie_of(const struct elm_str *tokens, uint32_t count);
void elm_vocabulary_trie_free(struct elm_vocabulary_trie *v);

struct elm_mask_cache;         /* one thread */
/* bytes_max: memory of the masks kept; the oldest leave. */
struct elm_mask_cache *elm_mask_cache_new(const struct elm_vocabulary_trie *v, size_t bytes_max);
void elm_mask_cache_free(struct elm_mask_cache *c);
/* The mask of a state; borrowed until the next call. NULL: nothing is admitted. */
const uint8_t *elm_mask_get(struct elm_mask_cache *c, const struct elm_grammar *g,
                            const struct elm_grammar_state *s);
void elm_mask_counts(const struct elm_mask_cache *c, uint64_t *asked, uint64_t *found);
/* Steps a state by a token's bytes. False: not admitted. */
bool elm_mask_step(const struct elm_vocabulary_trie *v, const struct elm_grammar *g,
                   struct elm_grammar_state *s, uint32_t token);

#endif
