/*
 * sample: many rows' answers at once. Rows are taken in the order of their prompts, so that one that
 * begins like another stands beside it: it waits until the other has computed what both begin with,
 * and shares those pages.
 */
#include "model/sampling.h"

#include <stdlib.h>
#include <string.h>

#define SHARED_LEAST 8           /* fewer tokens are computed again */
#define PAGE_BYTES_MAX ((size_t)1 << 30)    /* of rows that are sampled at once, if none shared */

struct call {
    struct sampler sampler;
    struct elm_sample_row **order;    /* by prompt */
    uint32_t count, next;        /* rows, and the first that no slot has taken */
    struct slot **slots;         /* in the same order; finished ones among them until the next pass */
    uint32_t slot_count;
    size_t pages_max;
    struct line *lines;
    uint32_t *which;             /* lines whose logits are wanted */
    uint8_t *mask;               /* tokens that any of them may draw; a bit each, all panels */
    size_t mask_bytes;
};

static enum elm_status check_row(const struct elm_session *s, const struct elm_sample_row *row,
                                 const struct elm_vocabulary_trie *trie, struct elm_error *err)
{
    const struct elm_model_config *c = &s->model->config;
    if (row->count == 0)
        return elm_fail(err, ELM_USAGE, "a prompt of no tokens");
    if (row->count >= c->context_max)
        return elm_fail(err, ELM_RANGE, "a prompt of %u tokens leaves no room in a context of %u",
                        row->count, c->context_max);
    for (uint32_t i = 0; i < row->count; i++) {
        if (row->tokens[i] >= c->vocabulary)
            return elm_fail(err, ELM_USAGE, "token %u, the model knows %u", row->tokens[i],
                            c->vocabulary);
    }
    if (row->grammar != NULL && (trie == NULL || s->model->tokenizer == NULL))
        return elm_fail(err, ELM_USAGE, "a grammar needs a model with a tokenizer, and its trie");
    return ELM_OK;
}

static uint32_t common_beginning(const uint32_t *a, uint32_t a_count, const uint32_t *b,
                                 uint32_t b_count)
{
    uint32_t most = a_count < b_count ? a_count : b_count, i = 0;
    while (i < most && a[i] == b[i])
        i++;
    return i;
}

static int by_prompt(const void *left, const void *right)
{
    const struct elm_sample_row *a = *(struct elm_sample_row *const *)left;
    const struct elm_sample_row *b = *(struct elm_sample_row *const *)right;
    uint32_t same = common_beginning(a->tokens, a->count, b->tokens, b->count);
    if (same < a->count && same < b->count)
        return a->tokens[same] < b->tokens[same] ? -1 : 1;
    if (a->count != b->count)
        return a->count < b->count ? -1 : 1;
    return a < b ? -1 : a > b;
}

/* Whose beginning a new slot takes over: its neighbour's, which no other's exceeds. */
static void find_source(struct slot *slot, struct slot *neighbour)
{
    uint32_t common = common_beginning(slot->tokens, slot->row->count, neighbour->tokens,
                                       neighbour->row->count);
    if (neighbour->source != NULL && common > neighbour->common &&
        common - neighbour->common < SHARED_LEAST)
        common = neighbour->common;
    if (common < SHARED_LEAST || (neighbour->finished && neighbour->held < common))
        return;
    slot->source = neighbour;
    slot->common = common;
}

/* Is there a place and memory for one more row? The first always has them. */
static bool has_room(const struct call *c)
{
    uint32_t busy = 0;
    size_t pages = slot_pages(&c->sampler, c->order[c->next]);
    for (uint32_t i = 0; i < c->slot_count; i++) {
        busy += !c->slots[i]->finished;
        pages += slot_pages(&c->sampler, c->slots[i]->row);
    }
    return busy == 0 || (busy < c->sampler.session->rows_max && pages <= c->pages_max);
}

static void admit(struct call *c)
{
    for (; c->next < c->count && has_room(c); c->next++) {
        struct slot *slot = slot_new(&c->sampler, c->order[c->next]);
        if (slot->finished) {
            slot_free(c->sampler.session, slot);
            continue;
        }
        if (c->slot_count > 0)
            find_source(slot, c->slots[c->slot_count - 1]);
        c->slots[c->slot_count++] = slot;
    }
    for (uint32_t i = 0; i < c->slot_count; i++) {
        struct slot *slot = c->slots[i];
        if (slot->source != NULL && slot->source->held >= slot->common)
            slot_share(c->sampler.session, slot);
    }
}

static void drop_finished(struct call *c)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < c->slot_count; i++) {
        struct slot *slot = c->slots[i];
        if (slot->finished)
            slot_free(c->sampler.session, slot);
        else
            c->slots[kept++] = slot;
    }
    c->slot_count = kept;
}

/* Lines of one slot's tokens that are not computed yet, as far as there is room. */
static uint32_t add_lines(struct call *c, struct slot *slot, uint32_t count)
{
    struct elm_session *s = c->sampler.session;
    slot->line = UINT32_MAX;
    if (slot->source != NULL)
        return count;
    for (; slot->computed < slot->count && count < s->lines_max; slot->computed++) {
        if (slot->computed / BLOCK == slot->page_count)
            slot->pages[slot->page_count++] = page_take(s);
        c->lines[count++] = (struct line){slot->tokens[slot->computed], slot->computed,
                                          slot->pages};
    }
    slot->held = slot->held > slot->computed ? slot->held : slot->computed;
    if (slot->computed == slot->count)
        slot->line = count - 1;
    return count;
}

/* The tokens that rows of this pass may draw; NULL: all. */
static const uint8_t *joint_mask(struct call *c)
{
    memset(c->mask, 0, c->mask_bytes);
    for (uint32_t i = 0; i < c->slot_count; i++) {
        const struct slot *slot = c->slots[i];
        if (slot->line == UINT32_MAX)
            continue;
        if (slot->mask == NULL)
            return NULL;
        for (size_t at = 0; at < c->sampler.mask_bytes; at++)
            c->mask[at] |= slot->mask[at];
    }
    return c->mask;
}

static void pass(struct call *c)
{
    struct elm_session *s = c->sampler.session;
    const size_t stride = s->model->head.panels * PANEL;
    uint32_t count = 0, wanted = 0;
    for (uint32_t i = 0; i < c->slot_count; i++) {
        count = add_lines(c, c->slots[i], count);
        if (c->slots[i]->line != UINT32_MAX)
            c->which[wanted++] = c->slots[i]->line;
    }
    forward(s, c->lines, count);
    if (wanted == 0)
        return;
    forward_head(s, c->which, wanted, joint_mask(c), s->logits, stride);
    wanted = 0;
    for (uint32_t i = 0; i < c->slot_count; i++) {
        if (c->slots[i]->line != UINT32_MAX)
            slot_draw(&c->sampler, c->slots[i], s->logits + stride * wanted++);
    }
}

static enum elm_status run(struct call *c, const volatile bool *stopped, struct elm_error *err)
{
    for (;;) {
        admit(c);
        drop_finished(c);
        if (c->slot_count == 0)
            return ELM_OK;
        if (stopped != NULL && __atomic_load_n(stopped, __ATOMIC_RELAXED))
            return elm_fail(err, ELM_STOPPED, "sampling was stopped");
        pass(c);
    }
}

enum elm_status elm_session_sample(struct elm_session *s, struct elm_sample_row *rows,
                                   uint32_t count, const struct elm_vocabulary_trie *trie,
                                   const volatile bool *stopped, struct elm_error *err)
{
    const struct elm_model *m = s->model;
    for (uint32_t i = 0; i < count; i++)
        ELM_TRY(check_row(s, &rows[i], trie, err));
    if (trie != s->masks_of) {
        elm_mask_memory_free(s->masks);
        s->masks = trie == NULL ? NULL : elm_mask_memory_new(trie);
        s->masks_of = trie;
    }
    struct call c = {.count = count, .pages_max = PAGE_BYTES_MAX / s->page_bytes};
    c.sampler = (struct sampler){.session = s, .tokenizer = m->tokenizer, .trie = trie,
                                 .vocabulary = m->config.vocabulary};
    if (m->tokenizer != NULL) {
        c.sampler.vocabulary = elm_tokenizer_count(m->tokenizer);
        c.sampler.mask_bytes = (c.sampler.vocabulary + 511) / 512 * 64;
    }
    c.mask_bytes = round_up(m->head.panels * PANEL, 512) / 8;
    c.mask = elm_malloc(c.mask_bytes);
    c.order = elm_calloc(count, sizeof(*c.order));
    /* those that finished in a pass stay until their beginnings are shared */
    c.slots = elm_calloc(2 * (size_t)s->rows_max, sizeof(*c.slots));
    c.lines = elm_calloc(s->lines_max, sizeof(*c.lines));
    c.which = elm_calloc(s->rows_max, sizeof(*c.which));
    for (uint32_t i = 0; i < count; i++) {
        rows[i].done = false;
        elm_buf_clear(&rows[i].ids);
        elm_buf_clear(&rows[i].logprobs);
        c.order[i] = &rows[i];
    }
    qsort(c.order, count, sizeof(struct elm_sample_row *), by_prompt);
    enum elm_status status = run(&c, stopped, err);
    for (uint32_t i = 0; i < c.slot_count; i++)
        slot_free(s, c.slots[i]);
    free(c.mask);
    free(c.order);
    free(c.slots);
    free(c.lines);
    free(c.which);
    return status;
}
