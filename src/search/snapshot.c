/*
 * snapshot: the state after the tell of batch next_tell - 1 and the ask of batch next_ask - 1, as
 * bytes. It may be stored once batch next_ask - 1 is: what was asked by then is part of it.
 */
#include "search/state.h"

#include <stdlib.h>
#include <string.h>

#define FORMAT 3

/* Names that came up in the run, in their order: what holds names by number, the pool and lines of
 * ancestors, means the same when they are added again. */
static void save_names(const struct elm_search *s, struct elm_buf *out)
{
    uint32_t count = elm_names_count(s->problem->names);
    elm_buf_varint(out, s->stable_names);
    elm_buf_varint(out, count - s->stable_names);
    for (uint32_t i = s->stable_names; i < count; i++) {
        struct elm_str name = elm_names_text(s->problem->names, i);
        elm_buf_varint(out, name.len);
        elm_buf_add_str(out, name);
    }
}

static enum elm_status load_names(struct elm_search *s, struct elm_reader *r,
                                  struct elm_error *err)
{
    uint64_t stable = elm_read_varint(r), count = elm_read_varint(r);
    if (stable != elm_names_count(s->problem->names))
        return elm_fail(err, ELM_NOT_FOUND, "the names in the snapshot begin with others");
    for (uint64_t i = 0; i < count; i++) {
        struct elm_str name = {.len = elm_read_varint(r)};
        name.ptr = elm_read_bytes(r, name.len);
        if (r->bad || elm_names_add(s->problem->names, name) != stable + i)
            return elm_fail(err, ELM_CORRUPT, "the names in the snapshot are malformed");
    }
    return ELM_OK;
}

static void save_held(const struct elm_search *s, struct elm_buf *out)
{
    elm_buf_varint(out, s->held.count);
    for (uint32_t i = 0; i < s->held.cap; i++) {
        const struct held *h = s->held.slots[i];
        if (h == NULL)
            continue;
        struct elm_buf text = {0};
        if (h->tree.count > 0)
            elm_tree_print(&h->tree, s->problem->names, &text);
        else
            elm_buf_add_str(&text, elm_buf_str(&h->text));
        elm_buf_varint(out, (uint64_t)h->id);
        elm_buf_byte(out, h->tree.count > 0);
        elm_buf_varint(out, text.len);
        elm_buf_add(out, text.ptr, text.len);
        elm_buf_add(out, &h->evaluation, sizeof(h->evaluation));
        elm_buf_varint(out, h->gone_count);
        elm_buf_add(out, h->gone, h->gone_count * sizeof(h->gone[0]));
        elm_buf_varint(out, h->broken.len);
        elm_buf_add(out, h->broken.ptr, h->broken.len);
        elm_buf_add(out, h->broken_why, sizeof(h->broken_why));
        elm_buf_release(&text);
    }
}

static enum elm_status load_one_held(struct elm_search *s, struct elm_reader *r,
                                     struct elm_error *err)
{
    int64_t id = (int64_t)elm_read_varint(r);
    bool is_tree = elm_read_byte(r) != 0;
    struct elm_str text = {.len = elm_read_varint(r)};
    text.ptr = elm_read_bytes(r, text.len);
    const void *evaluation_bytes = elm_read_bytes(r, sizeof(struct elm_evaluation));
    uint64_t gone_count = elm_read_varint(r);
    const void *gone = gone_count <= HELD_GONE_MAX
                           ? elm_read_bytes(r, gone_count * sizeof(uint64_t))
                           : NULL;
    struct elm_str broken = {.len = elm_read_varint(r)};
    broken.ptr = elm_read_bytes(r, broken.len);
    const char *broken_why = elm_read_bytes(r, sizeof(((struct held *)0)->broken_why));
    if (r->bad || gone == NULL || held_find(&s->held, id) != NULL)
        return elm_fail(err, ELM_CORRUPT, "a program in the snapshot is malformed");
    struct elm_evaluation evaluation;
    memcpy(&evaluation, evaluation_bytes, sizeof(evaluation));
    struct elm_tree tree = {0};
    if (is_tree) {
        ELM_TRY(elm_tree_parse(text, s->problem->names, &tree, err));
        enum elm_status status = elm_tree_check(&tree, s->problem->names, err);
        if (status != ELM_OK) {
            elm_tree_release(&tree);
            return status;
        }
    }
    struct held *h = held_new(&s->held, id, &tree, text, s->problem->names, &evaluation);
    h->gone_count = (uint32_t)gone_count;
    memcpy(h->gone, gone, gone_count * sizeof(h->gone[0]));
    elm_buf_add_str(&h->broken, broken);
    memcpy(h->broken_why, broken_why, sizeof(h->broken_why));
    /* references are counted again by what refers: the archive, the queue, the window */
    h->refs = 0;
    return ELM_OK;
}

static void save_counts(const struct elm_search *s, struct elm_buf *out)
{
    struct elm_search_stats stats = s->stats;
    elm_buf_add(out, &stats.attempts, sizeof(stats.attempts));
    elm_buf_add(out, &stats.evaluations, sizeof(stats.evaluations));
    elm_buf_add(out, &stats.ok, sizeof(stats.ok));
    elm_buf_add(out, &stats.batches, sizeof(stats.batches));
    elm_buf_add(out, stats.by_status, sizeof(stats.by_status));
    for (uint32_t i = 0; i < s->operator_count; i++) {
        const struct elm_operator_stats *o = &s->operator_stats[i];
        uint64_t counts[4] = {o->attempts, o->evaluations, o->better, o->admitted};
        elm_buf_add(out, counts, sizeof(counts));
    }
}

static void read_into(struct elm_reader *r, void *to, size_t bytes)
{
    const void *from = elm_read_bytes(r, bytes);
    if (from != NULL)
        memcpy(to, from, bytes);
}

static void load_counts(struct elm_search *s, struct elm_reader *r)
{
    read_into(r, &s->stats.attempts, sizeof(s->stats.attempts));
    read_into(r, &s->stats.evaluations, sizeof(s->stats.evaluations));
    read_into(r, &s->stats.ok, sizeof(s->stats.ok));
    read_into(r, &s->stats.batches, sizeof(s->stats.batches));
    read_into(r, s->stats.by_status, sizeof(s->stats.by_status));
    for (uint32_t i = 0; i < s->operator_count; i++) {
        uint64_t counts[4] = {0};
        read_into(r, counts, sizeof(counts));
        struct elm_operator_stats *o = &s->operator_stats[i];
        o->attempts = counts[0];
        o->evaluations = counts[1];
        o->better = counts[2];
        o->admitted = counts[3];
    }
}

/* What only some programs have. */
static bool has_rest(const struct held *h)
{
    return h != NULL && (h->group != 0 || h->passes.len != 0);
}

static void save_rest(const struct elm_search *s, struct elm_buf *out)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < s->held.cap; i++)
        count += has_rest(s->held.slots[i]);
    elm_buf_varint(out, count);
    for (uint32_t i = 0; i < s->held.cap; i++) {
        const struct held *h = s->held.slots[i];
        if (!has_rest(h))
            continue;
        elm_buf_varint(out, (uint64_t)h->id);
        elm_buf_varint(out, h->group);
        elm_buf_varint(out, h->passes.len);
        elm_buf_add(out, h->passes.bits, h->passes.len);
    }
}

static enum elm_status load_rest(struct elm_search *s, struct elm_reader *r,
                                 struct elm_error *err)
{
    uint64_t count = elm_read_varint(r);
    for (uint64_t i = 0; i < count && !r->bad; i++) {
        struct held *h = held_find(&s->held, (int64_t)elm_read_varint(r));
        uint64_t group = elm_read_varint(r);
        struct elm_str passes = {.len = elm_read_varint(r)};
        passes.ptr = elm_read_bytes(r, passes.len);
        if (h == NULL || group >= ELM_GROUPS_MAX || passes.len > ELM_CASES_MAX / 8 || r->bad)
            return elm_fail(err, ELM_CORRUPT, "a program in the snapshot is malformed");
        h->group = (uint32_t)group;
        passes_load(&h->passes, passes);
    }
    return ELM_OK;
}

void snapshot_take(struct elm_search *s, struct elm_buf *out)
{
    elm_buf_clear(out);
    elm_buf_byte(out, FORMAT);
    save_names(s, out);
    elm_buf_varint(out, (uint64_t)s->next_ask);
    elm_buf_varint(out, (uint64_t)s->next_tell);
    elm_buf_varint(out, (uint64_t)s->next_attempt);
    elm_buf_varint(out, s->barren);
    elm_buf_add(out, &s->seed_fitness, sizeof(s->seed_fitness));
    elm_buf_add(out, &s->bandit, sizeof(s->bandit));
    save_counts(s, out);
    save_held(s, out);
    elm_buf_varint(out, s->rematch_count);
    for (uint32_t i = 0; i < s->rematch_count; i++) {
        elm_buf_varint(out, (uint64_t)s->rematches[i].child->id);
        elm_buf_varint(out, (uint64_t)s->rematches[i].opponent->id);
        elm_buf_varint(out, s->rematches[i].met);
    }
    s->archive_kind->save(s->archive, out);
    elm_pool_save(s->pool, out);
    elm_buf_varint(out, s->seen.count);
    for (uint64_t i = 0; i < s->seen.cap; i++) {
        if (s->seen.slots[i] != 0)
            elm_buf_add(out, &s->seen.slots[i], sizeof(uint64_t));
    }
    save_rest(s, out);
}

static enum elm_status load_rematches(struct elm_search *s, struct elm_reader *r,
                                      struct elm_error *err)
{
    uint64_t count = elm_read_varint(r);
    for (uint64_t i = 0; i < count && !r->bad; i++) {
        struct held *child = held_find(&s->held, (int64_t)elm_read_varint(r));
        struct held *opponent = held_find(&s->held, (int64_t)elm_read_varint(r));
        uint32_t met = (uint32_t)elm_read_varint(r);
        if (child == NULL || opponent == NULL)
            return elm_fail(err, ELM_CORRUPT, "a rematch in the snapshot lacks its programs");
        s->rematches = elm_realloc(s->rematches, (i + 1) * sizeof(s->rematches[0]));
        s->rematches[i] = (struct rematch){held_ref(child), held_ref(opponent), met};
        s->rematch_count = s->rematch_cap = (uint32_t)i + 1;
    }
    return ELM_OK;
}

static enum elm_status load_archive(struct elm_search *s, struct elm_reader *r,
                                    struct elm_error *err)
{
    s->archive = s->archive_kind->make(s->problem, s->seed_fitness);
    ELM_TRY(s->archive_kind->load(s->archive, r, err));
    uint32_t count = s->archive_kind->count(s->archive);
    for (uint32_t i = 0; i < count; i++) {
        struct held *h = held_find(&s->held, s->archive_kind->at(s->archive, i)->id);
        if (h == NULL)
            return elm_fail(err, ELM_CORRUPT, "an elite in the snapshot lacks its program");
        held_ref(h);
    }
    return elm_pool_load(s->pool, s->problem->names, r, err);
}

enum elm_status snapshot_restore(struct elm_search *s, struct elm_str state,
                                 struct elm_error *err)
{
    struct elm_reader r = elm_reader(state.ptr, state.len);
    if (elm_read_byte(&r) != FORMAT)
        return elm_fail(err, ELM_NOT_FOUND, "the snapshot has another format");
    ELM_TRY(load_names(s, &r, err));
    s->next_ask = (int64_t)elm_read_varint(&r);
    s->next_tell = (int64_t)elm_read_varint(&r);
    s->next_attempt = (int64_t)elm_read_varint(&r);
    s->barren = (uint32_t)elm_read_varint(&r);
    read_into(&r, &s->seed_fitness, sizeof(s->seed_fitness));
    struct bandit listed = s->bandit;
    read_into(&r, &s->bandit, sizeof(s->bandit));
    if (s->bandit.count != listed.count)
        return elm_fail(err, ELM_CORRUPT, "the snapshot has another number of operators");
    load_counts(s, &r);
    uint64_t held = elm_read_varint(&r);
    for (uint64_t i = 0; i < held && !r.bad; i++)
        ELM_TRY(load_one_held(s, &r, err));
    ELM_TRY(load_rematches(s, &r, err));
    ELM_TRY(load_archive(s, &r, err));
    uint64_t seen = elm_read_varint(&r);
    for (uint64_t i = 0; i < seen && !r.bad; i++) {
        uint64_t hash = 0;
        read_into(&r, &hash, sizeof(hash));
        if (hash != 0)
            seen_add(&s->seen, hash);
    }
    ELM_TRY(load_rest(s, &r, err));
    s->snapshot_attempts = (int64_t)s->stats.attempts;
    return r.bad ? elm_fail(err, ELM_CORRUPT, "the snapshot is cut short") : ELM_OK;
}
