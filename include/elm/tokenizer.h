/*
 * tokenizer: text to token ids and back, from a GGUF's tokenizer.* keys. Byte-level BPE
 * (tokenizer.ggml.model = gpt2; pre-tokenizers smollm, gpt-2, default) as llama.cpp does it: equal
 * ids are a test. Constant once made; any thread.
 */
#ifndef ELM_TOKENIZER_H
#define ELM_TOKENIZER_H

#include "elm/gguf.h"

struct elm_tokenizer;
/* Fails: ELM_OUTSIDE (a kind that elm does not read, named), ELM_CORRUPT. Copies what it needs. */
enum elm_status elm_tokenizer_new(const struct elm_gguf *g, struct elm_tokenizer **out,
                                  struct elm_error *err);
void elm_tokenizer_free(struct elm_tokenizer *t);
uint32_t elm_tokenizer_count(const struct elm_tokenizer *t);
/* The bytes that a token writes; empty for control tokens (<|im_start|> ...). */
struct elm_str elm_tokenizer_bytes(const struct elm_tokenizer *t, uint32_t id);
/* -1 where the model has none. */
int32_t elm_tokenizer_bos(const struct elm_tokenizer *t);
int32_t elm_tokenizer_eos(const struct elm_tokenizer *t);
bool elm_tokenizer_add_bos(const struct elm_tokenizer *t);
bool elm_tokenizer_ends(const struct elm_tokenizer *t, uint32_t id);   /* eos, eot, im_end ... */
/* Appends the ids (uint32_t) of text to `ids`. special: control tokens spelled out in text are read
 * as such (chat templates); false for anything that a problem or a candidate wrote. Never adds bos.
 * Bytes that are no UTF-8 keep their value (llama.cpp reads U+FFFD); bytes that no token of the
 * vocabulary writes (in SmolLM2: some control characters) are left out, as llama.cpp does. */
void elm_tokenizer_encode(const struct elm_tokenizer *t, struct elm_str text, bool special,
                          struct elm_buf *ids);
void elm_tokenizer_decode(const struct elm_tokenizer *t, const uint32_t *ids, size_t count,
                          struct elm_buf *text);

#endif
