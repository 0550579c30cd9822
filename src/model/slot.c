/* slot: writes one row's answer token by token. */
#include "model/sampling.h"

#include <stdlib.h>
#include <string.h>

static uint32_t answered(const struct slot *slot)
{
    return (uint32_t)(slot->row->ids.len / sizeof(uint32_t));
}

static void finish(struct slot *slot, bool done)
{
    slot->finished = true;
    slot->row->done = done;
}

static bool stop_reached(const struct sampler *sampler, struct slot *slot, uint32_t token)
{
    struct elm_str stop = slot->row->stop;
    if (stop.len == 0 || sampler->tokenizer == NULL)
        return false;
    size_t from = slot->text.len >= stop.len ? slot->text.len - stop.len + 1 : 0;
    elm_buf_add_str(&slot->text, elm_tokenizer_bytes(sampler->tokenizer, token));
    return slot->text.len >= stop.len &&
           memmem(slot->text.ptr + from, slot->text.len - from, stop.ptr, stop.len) != NULL;
}

/* Steps the grammar by a token. False: it does not admit it. */
static bool grammar_reads(const struct sampler *sampler, struct slot *slot, uint32_t token)
{
    struct elm_str bytes = elm_tokenizer_bytes(sampler->tokenizer, token);
    for (size_t i = 0; i < bytes.len; i++) {
        if (elm_grammar_ended(slot->row->grammar, &slot->state))
            break;
        if (!elm_grammar_step(slot->row->grammar, &slot->state, (uint8_t)bytes.ptr[i]))
            return false;
    }
    return bytes.len > 0;
}

static void push(const struct sampler *sampler, struct slot *slot, uint32_t token, float logprob)
{
    struct elm_sample_row *row = slot->row;
    elm_buf_add(&row->ids, &token, sizeof(token));
    elm_buf_add(&row->logprobs, &logprob, sizeof(logprob));
    slot->tokens[slot->count++] = token;
    if (stop_reached(sampler, slot, token))
        finish(slot, true);
    else if (row->grammar != NULL && !grammar_reads(sampler, slot, token))
        finish(slot, false);
    else if (row->grammar != NULL && elm_grammar_ended(row->grammar, &slot->state))
        finish(slot, true);
    else if (answered(slot) >= row->tokens_max ||
             slot->count >= sampler->session->model->config.context_max)
        finish(slot, false);
}

/* How many tokens a mask admits, 2 for more; the first of them. */
static uint32_t admitted(const uint8_t *mask, size_t bytes, uint32_t *first)
{
    uint32_t count = 0;
    for (size_t i = 0; i < bytes && count < 2; i += 8) {
        uint64_t word;
        memcpy(&word, mask + i, sizeof(word));
        if (word != 0 && count == 0)
            *first = (uint32_t)(i * 8) + (uint32_t)__builtin_ctzll(word);
        count += (word != 0) + ((word & (word - 1)) != 0);
    }
    return count;
}

/* Writes what the grammar leaves no choice about, up to the next token that there is a choice of. */
static void follow_grammar(const struct sampler *sampler, struct slot *slot)
{
    while (slot->row->grammar != NULL && !slot->finished) {
        uint32_t only = 0;
        bool any = elm_mask_recall(sampler->session->masks, slot->row->grammar, slot->grammar,
                                   &slot->state, slot->mask);
        uint32_t count = any ? admitted(slot->mask, sampler->mask_bytes, &only) : 0;
        if (count > 1)
            return;
        if (count == 0)
            finish(slot, false);
        else
            push(sampler, slot, only, 0);
    }
}

void slot_draw(const struct sampler *sampler, struct slot *slot, float *logits)
{
    struct elm_rng rng = elm_rng(slot->row->seed, answered(slot));
    const struct drawing d = {
        .logits = logits, .mask = slot->mask, .count = sampler->vocabulary,
        .temperature = slot->row->temperature, .unit = elm_rng_unit(&rng),
        .sums = sampler->session->draw_sums,
    };
    float logprob;
    uint32_t token = sampler->session->model->kernel.draw(&d, &logprob);
    if (slot->row->grammar == NULL && sampler->tokenizer != NULL &&
        elm_tokenizer_ends(sampler->tokenizer, token)) {
        finish(slot, true);
        return;
    }
    push(sampler, slot, token, logprob);
    follow_grammar(sampler, slot);
}

static uint32_t tokens_most(const struct sampler *sampler, const struct elm_sample_row *row)
{
    const uint32_t context = sampler->session->model->config.context_max;
    return context - row->count < row->tokens_max ? context : row->count + row->tokens_max;
}

uint32_t slot_pages(const struct sampler *sampler, const struct elm_sample_row *row)
{
    return tokens_most(sampler, row) / BLOCK + 1;
}

struct slot *slot_new(const struct sampler *sampler, struct elm_sample_row *row)
{
    struct slot *slot = elm_calloc(1, sizeof(*slot));
    slot->row = row;
    slot->tokens = elm_malloc(tokens_most(sampler, row) * sizeof(*slot->tokens));
    slot->pages = elm_calloc(slot_pages(sampler, row), sizeof(*slot->pages));
    slot->count = row->count;
    memcpy(slot->tokens, row->tokens, row->count * sizeof(*row->tokens));
    if (row->tokens_max == 0)
        finish(slot, false);
    if (row->grammar != NULL) {
        slot->mask = elm_malloc(sampler->mask_bytes);
        slot->grammar = elm_grammar_hash(row->grammar);
        elm_grammar_start(row->grammar, &slot->state);
        if (elm_grammar_ended(row->grammar, &slot->state))
            finish(slot, true);
        follow_grammar(sampler, slot);
    }
    return slot;
}

void slot_free(struct elm_session *s, struct slot *slot)
{
    for (uint32_t i = 0; i < slot->page_count; i++)
        page_drop(s, slot->pages[i]);
    elm_buf_release(&slot->text);
    free(slot->tokens);
    free(slot->pages);
    free(slot->mask);
    free(slot);
}

void slot_share(struct elm_session *s, struct slot *slot)
{
    const struct slot *source = slot->source;
    ELM_ASSERT(slot->computed == 0 && source->held >= slot->common);
    uint32_t whole = slot->common / BLOCK;
    for (uint32_t i = 0; i < whole; i++) {
        slot->pages[i] = source->pages[i];
        slot->pages[i]->references++;
    }
    slot->page_count = whole;
    if (slot->common % BLOCK != 0)
        slot->pages[slot->page_count++] = page_copy(s, source->pages[whole]);
    /* the last token is computed in any case, for its logits: in a shared page it leaves what is there */
    slot->held = slot->common;
    slot->computed = slot->common < slot->row->count ? slot->common : slot->row->count - 1;
    slot->source = NULL;
}
