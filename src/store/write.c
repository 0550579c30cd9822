/*
 * write: what the writer's thread does with a list of messages. Attempts go into packed rows of
 * up to 1,024. Each commit writes the new ones as a small row of their own; once 1,024 are
 * there, one full row takes the place of the small ones, in the same transaction as the next.
 */
#include "store/store.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

enum elm_status store_drop_rows(struct elm_store *s, int64_t first, int64_t before,
                                struct elm_error *err)
{
    sqlite3_stmt *drop;
    ELM_TRY(sql_get(s, SQL_PACK_DROP, &drop, err));
    sqlite3_bind_int64(drop, 1, first);
    sqlite3_bind_int64(drop, 2, before);
    return sql_do(s, drop, err);
}

enum elm_status store_put_row(struct elm_store *s, const struct elm_attempt *attempts,
                              uint32_t count, struct elm_error *err)
{
    struct writer *w = s->writer;
    const struct elm_attempt *last = &attempts[count - 1];
    sqlite3_stmt *put;
    elm_buf_clear(&w->packed);
    pack_encode(w->packer, attempts, count, &w->packed);
    struct elm_str bytes = elm_buf_str(&w->packed);
    ELM_TRY(sql_get(s, SQL_PACK_PUT, &put, err));
    sqlite3_bind_int64(put, 1, attempts[0].id);
    sqlite3_bind_int64(put, 2, last->id);
    sqlite3_bind_int64(put, 3, last->batch);
    sqlite3_bind_int64(put, 4, count);
    sqlite3_bind_int64(put, 5, store_row_sum(attempts[0].id, last->id, last->batch, count, bytes));
    sql_bind_bytes(put, 6, bytes);
    w->run.packed_bytes += (int64_t)bytes.len;
    return sql_do(s, put, err);
}

void store_tail_clear(struct tail *t)
{
    t->count = t->written = 0;
    t->bytes = 0;
    t->packed_bytes = 0;
    elm_arena_clear(&t->arena);
}

/* The attempts of the tail that no row holds yet, as an open row. */
static enum elm_status write_open_row(struct elm_store *s, struct elm_error *err)
{
    struct tail *t = &s->writer->tail;
    if (t->written == t->count)
        return ELM_OK;
    int64_t before = s->writer->run.packed_bytes;
    ELM_TRY(store_put_row(s, t->items + t->written, t->count - t->written, err));
    t->packed_bytes += s->writer->run.packed_bytes - before;
    t->written = t->count;
    return ELM_OK;
}

/* One row with all of the tail in the place of its open rows; the tail is empty after. */
static enum elm_status close_row(struct elm_store *s, struct elm_error *err)
{
    struct writer *w = s->writer;
    struct tail *t = &w->tail;
    if (t->count == 0)
        return ELM_OK;
    if (t->written > 0) {
        ELM_TRY(store_drop_rows(s, w->run.tail_first, w->run.next_id, err));
        w->run.packed_bytes -= t->packed_bytes;
    }
    ELM_TRY(store_put_row(s, t->items, t->count, err));
    w->run.tail_first = t->items[t->count - 1].id + 1;
    store_tail_clear(t);
    return ELM_OK;
}

static enum elm_status add_tallies(struct elm_store *s, struct elm_error *err)
{
    struct writer *w = s->writer;
    sqlite3_stmt *add;
    ELM_TRY(sql_get(s, SQL_TALLY_ADD, &add, err));
    for (uint32_t i = 0; i < w->tally_count; i++) {
        const struct tally *t = &w->tally[i];
        sqlite3_bind_int(add, 1, t->operator_index);
        sqlite3_bind_int(add, 2, t->status);
        sqlite3_bind_int(add, 3, t->outcome);
        sqlite3_bind_int(add, 4, t->better);
        sqlite3_bind_int64(add, 5, t->count);
        ELM_TRY(sql_do(s, add, err));
    }
    w->tally_count = 0;
    return ELM_OK;
}

static enum elm_status count(struct elm_store *s, const struct elm_attempt *a,
                             struct elm_error *err)
{
    struct writer *w = s->writer;
    w->run.attempts++;
    w->run.admitted += a->outcome >= ELM_OUTCOME_IMPROVED;
    for (uint32_t i = 0; i < w->tally_count; i++) {
        struct tally *t = &w->tally[i];
        if (t->operator_index == a->operator_index && t->status == a->status &&
            t->outcome == a->outcome && t->better == a->better) {
            t->count++;
            return ELM_OK;
        }
    }
    if (w->tally_count == ELM_COUNT(w->tally))
        ELM_TRY(add_tallies(s, err));
    w->tally[w->tally_count++] =
        (struct tally){a->operator_index, a->status, a->outcome, a->better, 1};
    return ELM_OK;
}

/* Is the edit worth keeping when not all are? That of a program which was admitted, or may yet
 * be: it waits for its next opponent. */
static bool keeps_edit(const struct elm_attempt *a)
{
    return a->outcome >= ELM_OUTCOME_IMPROVED || (a->outcome == ELM_OUTCOME_NONE && a->hash != 0);
}

void store_tail_add(struct tail *t, const struct elm_attempt *a, enum elm_keep keep)
{
    struct elm_attempt *mine = &t->items[t->count++];
    *mine = *a;
    mine->text = mine->passes = (struct elm_str){0};
    if (keep != ELM_KEEP_ALL && !keeps_edit(a))
        mine->edit = (struct elm_str){0};
    if (mine->edit.len == 0)
        return;
    char *edit = elm_arena_alloc(&t->arena, mine->edit.len);
    memcpy(edit, mine->edit.ptr, mine->edit.len);
    mine->edit.ptr = edit;
    t->bytes += mine->edit.len;
}

static enum elm_status write_batch(struct elm_store *s, const struct message *m,
                                   struct elm_error *err)
{
    struct writer *w = s->writer;
    if (w->tail.count + m->count > PACK_ATTEMPTS_MAX)
        ELM_TRY(close_row(s, err));
    for (uint32_t i = 0; i < m->count; i++) {
        const struct elm_attempt *a = &m->attempts[i];
        /* only a batch too large for one row is split; it is in one transaction still */
        if (w->tail.count == PACK_ATTEMPTS_MAX || w->tail.bytes >= PACK_BYTES_AIM)
            ELM_TRY(close_row(s, err));
        store_tail_add(&w->tail, a, m->keep);
        ELM_TRY(count(s, a, err));
        if (a->outcome >= ELM_OUTCOME_IMPROVED)
            ELM_TRY(store_admit(s, a, err));
    }
    w->run.batches++;
    w->run.newest_batch = m->attempts[0].batch;
    w->run.next_id = m->attempts[m->count - 1].id + 1;
    return ELM_OK;
}

static enum elm_status write_message(struct elm_store *s, const struct message *m,
                                     struct elm_error *err)
{
    switch (m->kind) {
    case MESSAGE_BATCH:
        return write_batch(s, m, err);
    case MESSAGE_META:
        return store_put_meta(s, m, err);
    case MESSAGE_PROGRESS:
        return store_put_progress(s, m, err);
    case MESSAGE_ARCHIVE:
        return store_put_archive(s, m, err);
    case MESSAGE_SNAPSHOT:
        return store_put_snapshot(s, m, err);
    case MESSAGE_CALLS:
        return store_put_calls(s, m, err);
    }
    return ELM_OK;
}

static enum elm_status run_put(struct elm_store *s, struct elm_error *err)
{
    const struct run *r = &s->writer->run;
    const int64_t values[] = {r->attempts, r->batches, r->admitted, r->packed_bytes, r->next_id,
                              r->newest_batch, r->tail_first, r->thinned_batch};
    sqlite3_stmt *put;
    ELM_TRY(sql_get(s, SQL_RUN_PUT, &put, err));
    for (int i = 0; i < (int)ELM_COUNT(values); i++)
        sqlite3_bind_int64(put, i + 1, values[i]);
    return sql_do(s, put, err);
}

static enum elm_status commit(struct elm_store *s, enum elm_status status, struct elm_error *err)
{
    if (status == ELM_OK)
        status = add_tallies(s, err);
    if (status == ELM_OK)
        status = run_put(s, err);
    if (status == ELM_OK)
        status = sql_run(s, SQL_COMMIT, err);
    if (status != ELM_OK)
        sql_run(s, SQL_ROLLBACK, NULL);
    return status;
}

enum elm_status store_commit(struct elm_store *s, const struct message *list, struct elm_error *err)
{
    sql_lock(s);
    enum elm_status status = sql_run(s, SQL_BEGIN, err);
    if (status == ELM_OK) {
        for (; list != NULL && status == ELM_OK; list = list->next)
            status = write_message(s, list, err);
        if (status == ELM_OK)
            status = write_open_row(s, err);
        status = commit(s, status, err);
    }
    sql_unlock(s);
    return status;
}

/* Joins the open rows for a run that ends here; a resumed one opens them again. */
static enum elm_status join_tail(struct elm_store *s, struct elm_error *err)
{
    struct writer *w = s->writer;
    int64_t first = w->run.tail_first;
    ELM_TRY(sql_run(s, SQL_BEGIN, err));
    enum elm_status status = close_row(s, err);
    w->run.tail_first = first;
    return commit(s, status, err);
}

enum elm_status store_finish(struct elm_store *s, struct elm_error *err)
{
    enum elm_status status = ELM_OK;
    sql_lock(s);
    if (s->writer->tail.count > 0)
        status = join_tail(s, err);
    sql_unlock(s);
    return status;
}

/* The open rows of an earlier process, so that they go on to be merged. */
static enum elm_status load_tail(struct elm_store *s, struct elm_error *err)
{
    struct writer *w = s->writer;
    struct tail *t = &w->tail;
    for (int64_t id = w->run.tail_first; id < w->run.next_id;) {
        struct elm_arena arena = {0};
        struct packed_row row;
        enum elm_status status = store_read_row(s, id, &arena, &row, err);
        if (status == ELM_OK && (row.count == 0 || row.attempts[0].id < w->run.tail_first ||
                                 t->count + row.count > PACK_ATTEMPTS_MAX)) {
            status = elm_fail(err, ELM_CORRUPT, "the run in '%s' lacks attempt %lld", s->folder,
                              (long long)id);
        }
        for (uint32_t i = 0; status == ELM_OK && i < row.count; i++)
            store_tail_add(t, &row.attempts[i], ELM_KEEP_ALL);
        if (status == ELM_OK) {
            id = row.attempts[row.count - 1].id + 1;
            t->packed_bytes += row.bytes;
        }
        elm_arena_release(&arena);
        ELM_TRY(status);
    }
    t->written = t->count;
    return ELM_OK;
}

enum elm_status store_writer_open(struct elm_store *s, struct elm_error *err)
{
    struct writer *w = s->writer = elm_calloc(1, sizeof(*w));
    w->packer = packer_new();
    w->text.zip = ZSTD_createCCtx();
    ELM_ASSERT(w->text.zip != NULL);
    ELM_TRY(store_run_get(s, &w->run, err));
    s->next_id = w->run.next_id;
    s->newest_batch = w->run.newest_batch;
    return load_tail(s, err);
}

void store_writer_free(struct writer *w)
{
    if (w == NULL)
        return;
    packer_free(w->packer);
    ZSTD_freeCCtx(w->text.zip);
    elm_buf_release(&w->text.packed);
    elm_buf_release(&w->packed);
    elm_arena_release(&w->tail.arena);
    free(w);
}
