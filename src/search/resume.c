/*
 * resume: the state of a stored run from its newest snapshot and the event log after it, in the
 * very order of asks and tells in which it came about. Replay is the same without a snapshot.
 */
#include "search/state.h"

#include <stdlib.h>
#include <string.h>

struct restore {
    struct elm_search *s;
    struct batch *open;           /* the batch being read */
    int64_t asked_already;        /* batches below this are part of the snapshot's asks */
    bool seeded;
    enum elm_status status;
    struct elm_error *err;
};

/* Frees programs that neither archive, queue nor window refers to. */
static void drop_unreferenced(struct elm_search *s)
{
    for (uint32_t i = 0; i < s->held.cap; i++) {
        struct held *h = s->held.slots[i];
        if (h == NULL || h->refs > 0)
            continue;
        h->refs = 1;
        held_unref(&s->held, h);
        /* deletion may have moved another one into this slot */
        i--;
    }
}

static enum elm_status refer(struct elm_search *s, struct batch *b, struct elm_error *err)
{
    for (uint32_t i = 0; i < b->count; i++) {
        struct candidate *c = &b->items[i];
        bool rematch = (c->attempt.flags & ELM_ATTEMPT_REMATCH) != 0;
        struct held *first = held_find(&s->held, c->attempt.parents[0]);
        struct held *opponent = held_find(&s->held, c->attempt.opponent);
        if (first == NULL || (rematch && opponent == NULL) ||
            (!rematch && c->attempt.operator_index >= s->operator_count)) {
            return elm_fail(err, ELM_CORRUPT, "attempt %lld has a parent that the snapshot lacks",
                            (long long)c->attempt.id);
        }
        if (rematch)
            c->again = held_ref(first);
        else
            c->parent = held_ref(first);
        if (c->attempt.opponent >= 0)
            c->opponent = held_ref(opponent);
    }
    return ELM_OK;
}

static enum elm_status close_batch(struct restore *r)
{
    struct elm_search *s = r->s;
    struct batch *b = r->open;
    r->open = NULL;
    if (b == NULL)
        return ELM_OK;
    enum elm_status status = ELM_OK;
    bool counted = b->number < r->asked_already;
    if (!counted && b->number - s->next_tell >= ELM_SEARCH_LAG) {
        struct batch *told = s->window[s->next_tell % ELM_SEARCH_LAG];
        s->window[s->next_tell % ELM_SEARCH_LAG] = NULL;
        status = told == NULL ? elm_fail(r->err, ELM_CORRUPT, "batch %lld is missing",
                                         (long long)s->next_tell)
                              : search_tell(s, told, r->err);
        batch_free(&s->held, told);
    }
    struct batch **place = &s->window[b->number % ELM_SEARCH_LAG];
    if (status == ELM_OK && (*place != NULL || (!counted && b->number != s->next_ask)))
        status = elm_fail(r->err, ELM_CORRUPT, "batch %lld is out of order", (long long)b->number);
    if (status == ELM_OK)
        status = counted ? refer(s, b, r->err) : search_ask_stored(s, b, r->err);
    if (status != ELM_OK) {
        batch_free(&s->held, b);
        return status;
    }
    *place = b;
    return ELM_OK;
}

static bool each_attempt(void *ctx, const struct elm_attempt *a)
{
    struct restore *r = ctx;
    struct elm_search *s = r->s;
    if (a->status >= ELM_EVAL_STATUSES || a->outcome > ELM_OUTCOME_NEW ||
        a->better > ELM_BETTER_YES) {
        r->status = elm_fail(r->err, ELM_CORRUPT, "attempt %lld has a status or outcome that does "
                             "not exist", (long long)a->id);
        return false;
    }
    if (a->id == 0) {
        struct elm_evaluation e = {.status = a->status, .fitness = a->fitness, .steps = a->steps};
        memcpy(e.measures, a->measures, sizeof(e.measures));
        struct passes passes;
        passes_load(&passes, a->passes);
        if (!r->seeded)
            r->status = search_tell_seed(s, &e, &passes, true, r->err);
        r->seeded = true;
        return r->status == ELM_OK;
    }
    if (r->open != NULL && r->open->number != a->batch) {
        r->status = close_batch(r);
        if (r->status != ELM_OK)
            return false;
    }
    if (a->batch < s->next_tell)
        return true;
    if (r->open == NULL) {
        r->open = elm_calloc(1, sizeof(*r->open));
        r->open->number = a->batch;
        r->open->stored = true;
    }
    struct candidate *c = batch_add(r->open);
    c->attempt = *a;
    c->edit_at = r->open->edits.len;
    c->edit_len = a->edit.len;
    elm_buf_add_str(&r->open->edits, a->edit);
    if (a->edit.len == 0) {
        c->text_at = r->open->texts.len;
        c->text_len = a->text.len;
        elm_buf_add_str(&r->open->texts, a->text);
    }
    passes_load(&c->passes, a->passes);
    c->attempt.text = c->attempt.passes = (struct elm_str){0};
    return true;
}

/* The views of the edits were of a buffer that grew. */
static void point_edits(struct batch *b)
{
    for (uint32_t i = 0; b != NULL && i < b->count; i++) {
        struct candidate *c = &b->items[i];
        c->attempt.edit = (struct elm_str){b->edits.ptr + c->edit_at, c->edit_len};
    }
}

static bool each_pointed(void *ctx, const struct elm_attempt *a)
{
    struct restore *r = ctx;
    if (r->open != NULL && r->open->number != a->batch)
        point_edits(r->open);
    return each_attempt(ctx, a);
}

static enum elm_status tell_rest(struct elm_search *s, struct elm_error *err)
{
    enum elm_status status = ELM_OK;
    struct batch *b;
    while (status == ELM_OK && (b = s->window[s->next_tell % ELM_SEARCH_LAG]) != NULL) {
        s->window[b->number % ELM_SEARCH_LAG] = NULL;
        status = search_tell(s, b, err);
        batch_free(&s->held, b);
    }
    return status;
}

static void tell_elites(const struct elm_search *s)
{
    uint32_t count = s->archive_kind->count(s->archive);
    for (uint32_t i = 0; i < count; i++) {
        const struct elm_elite *e = s->archive_kind->at(s->archive, i);
        search_changed(s, (struct elm_change){.kind = ELM_CHANGE_ADDED, .id = e->id, .parent = -1,
                                              .evicted = -1, .nodes = e->nodes});
    }
}

enum elm_status search_restore(struct elm_search *s, enum restore_mode mode,
                               struct elm_error *err)
{
    struct restore r = {.s = s, .err = err};
    int64_t from = 0, at_batch;
    struct elm_buf state = {0};
    enum elm_status status = ELM_NOT_FOUND;
    if (mode != RESTORE_REPLAY)
        status = elm_store_snapshot_get(s->store, &at_batch, &state, err);
    /* one that an older elm wrote is as good as none: the log has it all */
    if (status == ELM_OK)
        status = snapshot_restore(s, elm_buf_str(&state), err);
    if (status == ELM_OK) {
        from = s->next_tell;
        r.asked_already = s->next_ask;
        r.seeded = true;
        tell_elites(s);
    } else if (status == ELM_NOT_FOUND) {
        status = ELM_OK;
    }
    elm_buf_release(&state);
    if (status == ELM_OK)
        status = elm_store_each_batch(s->store, from, each_pointed, &r, err);
    if (status == ELM_OK)
        status = r.status;
    point_edits(r.open);
    if (status == ELM_OK)
        status = close_batch(&r);
    else
        batch_free(&s->held, r.open);
    if (status == ELM_OK && !r.seeded)
        return elm_fail(err, ELM_CORRUPT, "the run holds no seed; start a new one");
    if (status == ELM_OK)
        drop_unreferenced(s);
    return status == ELM_OK && mode != RESTORE_RESUME ? tell_rest(s, err) : status;
}
