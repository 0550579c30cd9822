/* sampling: one row while its answer is being written. */
#ifndef MODEL_SAMPLING_H
#define MODEL_SAMPLING_H

#include "model/transformer.h"

struct slot {
    struct elm_sample_row *row;
    uint32_t *tokens;            /* prompt and answer */
    uint32_t count;
    uint32_t computed;           /* of them: passed through the model */
    uint32_t held;               /* of them: their keys and values are in pages */
    struct page **pages;
    uint32_t page_count;
    struct slot *source;         /* whose first `common` tokens are awaited; NULL: none */
    uint32_t common;
    struct elm_grammar_state state;
    uint64_t grammar;            /* its hash */
    uint8_t *mask;               /* of the next token; NULL without a grammar */
    struct elm_buf text;         /* of the answer, where it is searched for the stop string */
    bool finished;
    uint32_t line;               /* of this pass: that of the last token; UINT32_MAX: none */
};

/* What all rows of a call share. */
struct sampler {
    struct elm_session *session;
    const struct elm_tokenizer *tokenizer;    /* nullable */
    const struct elm_vocabulary_trie *trie;   /* nullable */
    uint32_t vocabulary;         /* tokens that may be drawn */
    size_t mask_bytes;
};

/* The most pages that a row may fill. */
uint32_t slot_pages(const struct sampler *sampler, const struct elm_sample_row *row);
struct slot *slot_new(const struct sampler *sampler, struct elm_sample_row *row);
void slot_free(struct elm_session *s, struct slot *slot);
/* Takes the first `common` tokens' keys and values from its source. */
void slot_share(struct elm_session *s, struct slot *slot);
/* Draws the next token from logits, and what the grammar then admits without a choice. */
void slot_draw(const struct sampler *sampler, struct slot *slot, float *logits);

#endif
