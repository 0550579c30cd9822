/*
 * read: attempts, texts and everything else of a store. Each row is read in a short transaction
 * of its own and no lock is held during callbacks, so neither a writer nor a checkpoint waits
 * for a slow reader. Rows may be merged meanwhile: reading goes by attempt id, not by row.
 */
#include "store/store.h"

#include <string.h>
#include <sys/stat.h>

enum elm_status store_run_get(struct elm_store *s, struct run *out, struct elm_error *err)
{
    sqlite3_stmt *get;
    bool found = false;
    sql_lock(s);
    enum elm_status status = sql_get(s, SQL_RUN_GET, &get, err);
    if (status == ELM_OK)
        status = sql_row(s, get, &found, err);
    if (found) {
        *out = (struct run){sqlite3_column_int64(get, 0), sqlite3_column_int64(get, 1),
                            sqlite3_column_int64(get, 2), sqlite3_column_int64(get, 3),
                            sqlite3_column_int64(get, 4), sqlite3_column_int64(get, 5),
                            sqlite3_column_int64(get, 6), sqlite3_column_int64(get, 7)};
        sqlite3_reset(get);
    } else if (status == ELM_OK) {
        status = elm_fail(err, ELM_CORRUPT, "table run of '%s' is empty", s->path);
    }
    sql_unlock(s);
    return status;
}

int64_t store_row_sum(int64_t first, int64_t last, int64_t last_batch, uint32_t count,
                      struct elm_str bytes)
{
    uint64_t place = elm_hash_mix(elm_hash_mix((uint64_t)first, (uint64_t)last),
                                  elm_hash_mix((uint64_t)last_batch, count));
    return (int64_t)elm_hash(bytes.ptr, bytes.len, place);
}

static enum elm_status check_pack(struct elm_store *s, sqlite3_stmt *get, struct elm_arena *arena,
                                  struct packed_row *out, struct elm_error *err)
{
    int64_t first = sqlite3_column_int64(get, 0), last = sqlite3_column_int64(get, 1);
    int64_t last_batch = sqlite3_column_int64(get, 2), count = sqlite3_column_int64(get, 3);
    struct elm_str bytes = sql_bytes(get, 5);
    /* what is unpacked may lie in the row itself, which SQLite takes back */
    void *mine = elm_arena_alloc(arena, bytes.len);
    if (bytes.len > 0)
        bytes.ptr = memcpy(mine, bytes.ptr, bytes.len);
    bool good = count > 0 && count <= PACK_ATTEMPTS_MAX &&
                store_row_sum(first, last, last_batch, (uint32_t)count, bytes) ==
                    sqlite3_column_int64(get, 4) &&
                pack_decode(bytes, first, (uint32_t)count, arena, &out->attempts);
    if (good) {
        out->count = (uint32_t)count;
        out->bytes = (int64_t)bytes.len;
        const struct elm_attempt *end = &out->attempts[count - 1];
        good = end->id == last && end->batch == last_batch;
    }
    if (!good) {
        out->count = 0;
        return elm_fail(err, ELM_CORRUPT, "the row of attempts %lld to %lld in '%s' fails its "
                        "checksum; restore the file from a copy", (long long)first,
                        (long long)last, s->path);
    }
    return ELM_OK;
}

enum elm_status store_read_row(struct elm_store *s, int64_t id, struct elm_arena *arena,
                               struct packed_row *out, struct elm_error *err)
{
    sqlite3_stmt *get;
    bool found = false;
    out->count = 0;
    sql_lock(s);
    enum elm_status status = sql_get(s, SQL_PACK_FROM, &get, err);
    if (status == ELM_OK) {
        sqlite3_bind_int64(get, 1, id);
        status = sql_row(s, get, &found, err);
    }
    if (found) {
        status = check_pack(s, get, arena, out, err);
        sqlite3_reset(get);
    }
    sql_unlock(s);
    return status;
}

enum elm_status store_first_of_batch(struct elm_store *s, int64_t batch, int64_t *first,
                                     struct elm_error *err)
{
    sqlite3_stmt *get;
    bool found = false;
    *first = -1;
    sql_lock(s);
    enum elm_status status = sql_get(s, SQL_PACK_OF_BATCH, &get, err);
    if (status == ELM_OK) {
        sqlite3_bind_int64(get, 1, batch);
        status = sql_row(s, get, &found, err);
    }
    if (found) {
        *first = sqlite3_column_int64(get, 0);
        sqlite3_reset(get);
    }
    sql_unlock(s);
    return status;
}

struct reader {
    struct elm_store *s;
    int64_t from, from_batch;        /* from: the next id wanted */
    bool (*each)(void *ctx, const struct elm_attempt *a);
    void *ctx;
    struct elm_arena arena;
    struct elm_buf text, passes;
    bool go_on;
};

/* The texts and passes of a row's admitted attempts, in one transaction. */
static enum elm_status find_texts(struct reader *r, const struct packed_row *row,
                                  struct elm_error *err)
{
    enum elm_status status = sql_run(r->s, SQL_BEGIN_READ, err);
    struct place {
        size_t text, passes;
    } *at = elm_arena_alloc(&r->arena, row->count * sizeof(at[0]));
    elm_buf_clear(&r->text);
    elm_buf_clear(&r->passes);
    for (uint32_t i = 0; i < row->count && status == ELM_OK; i++) {
        struct elm_attempt *a = &row->attempts[i];
        at[i] = (struct place){r->text.len, r->passes.len};
        if (a->outcome >= ELM_OUTCOME_IMPROVED && a->id >= r->from && a->batch >= r->from_batch)
            status = store_text_find(r->s, a->id, &r->text, &r->passes, &a->text, err);
        a->passes.len = r->passes.len - at[i].passes;
    }
    sql_run(r->s, SQL_COMMIT, NULL);
    for (uint32_t i = 0; i < row->count && status == ELM_OK; i++) {
        struct elm_attempt *a = &row->attempts[i];
        if (a->text.ptr != NULL)
            a->text.ptr = r->text.ptr + at[i].text;
        if (a->passes.len > 0)
            a->passes.ptr = r->passes.ptr + at[i].passes;
    }
    return status;
}

static enum elm_status deliver(struct reader *r, const struct packed_row *row,
                               struct elm_error *err)
{
    sql_lock(r->s);
    enum elm_status status = find_texts(r, row, err);
    sql_unlock(r->s);
    for (uint32_t i = 0; i < row->count && r->go_on && status == ELM_OK; i++) {
        const struct elm_attempt *a = &row->attempts[i];
        if (a->id >= r->from && a->batch >= r->from_batch)
            r->go_on = r->each(r->ctx, a);
    }
    return status;
}

/* A hole is damage, unless the run was thinned: perhaps only now. */
static enum elm_status check_hole(struct elm_store *s, int64_t id, struct elm_error *err)
{
    struct run run;
    ELM_TRY(store_run_get(s, &run, err));
    if (run.thinned_batch >= 0)
        return ELM_OK;
    return elm_fail(err, ELM_CORRUPT, "the run in '%s' lacks attempt %lld", s->folder,
                    (long long)id);
}

static enum elm_status read_rows(struct reader *r, struct elm_error *err)
{
    struct run run;
    ELM_TRY(store_run_get(r->s, &run, err));
    r->from = r->from < 0 ? 0 : r->from;
    while (r->go_on) {
        struct packed_row row;
        elm_arena_clear(&r->arena);
        ELM_TRY(store_read_row(r->s, r->from, &r->arena, &row, err));
        if (row.count == 0 ? r->from < run.next_id : row.attempts[0].id > r->from)
            ELM_TRY(check_hole(r->s, r->from, err));
        if (row.count == 0)
            break;
        ELM_TRY(deliver(r, &row, err));
        r->from = row.attempts[row.count - 1].id + 1;
    }
    return ELM_OK;
}

static enum elm_status read_attempts(struct reader *r, struct elm_error *err)
{
    r->go_on = true;
    enum elm_status status = read_rows(r, err);
    elm_arena_release(&r->arena);
    elm_buf_release(&r->text);
    elm_buf_release(&r->passes);
    return status;
}

enum elm_status elm_store_each(struct elm_store *s, int64_t from,
                               bool (*each)(void *ctx, const struct elm_attempt *a), void *ctx,
                               struct elm_error *err)
{
    ELM_TRY(elm_store_flush(s, err));
    struct reader r = {.s = s, .from = from, .from_batch = -1, .each = each, .ctx = ctx};
    return read_attempts(&r, err);
}

enum elm_status elm_store_each_batch(struct elm_store *s, int64_t from_batch,
                                     bool (*each)(void *ctx, const struct elm_attempt *a),
                                     void *ctx, struct elm_error *err)
{
    int64_t first;
    ELM_TRY(elm_store_flush(s, err));
    ELM_TRY(store_first_of_batch(s, from_batch, &first, err));
    if (first < 0)
        return ELM_OK;
    struct reader r = {.s = s, .from = first, .from_batch = from_batch, .each = each, .ctx = ctx};
    return read_attempts(&r, err);
}

enum elm_status elm_store_attempt(struct elm_store *s, int64_t id,
                                  bool (*each)(void *ctx, const struct elm_attempt *a), void *ctx,
                                  struct elm_error *err)
{
    struct packed_row row;
    ELM_TRY(elm_store_flush(s, err));
    struct reader r = {.s = s, .from = id, .from_batch = -1, .each = each, .ctx = ctx,
                       .go_on = true};
    enum elm_status status = store_read_row(s, id, &r.arena, &row, err);
    struct packed_row one = {0};
    for (uint32_t i = 0; i < row.count; i++) {
        if (row.attempts[i].id == id)
            one = (struct packed_row){&row.attempts[i], 1, 0};
    }
    if (status == ELM_OK && one.count == 0) {
        status = elm_fail(err, ELM_NOT_FOUND, "the run in '%s' has no attempt %lld", s->folder,
                          (long long)id);
    }
    if (status == ELM_OK)
        status = deliver(&r, &one, err);
    elm_arena_release(&r.arena);
    elm_buf_release(&r.text);
    elm_buf_release(&r.passes);
    return status;
}

enum elm_status elm_store_text(struct elm_store *s, int64_t id, struct elm_buf *text,
                               struct elm_error *err)
{
    ELM_TRY(elm_store_flush(s, err));
    return store_text_get(s, id, text, NULL, err);
}

static int64_t size_of(const char *path, const char *suffix)
{
    struct elm_buf name = {0};
    struct stat st;
    elm_buf_printf(&name, "%s%s", path, suffix);
    int64_t bytes = stat(name.ptr, &st) == 0 ? (int64_t)st.st_size : 0;
    elm_buf_release(&name);
    return bytes;
}

enum elm_status elm_store_totals(struct elm_store *s, struct elm_store_totals *out,
                                 struct elm_error *err)
{
    struct run run;
    ELM_TRY(elm_store_flush(s, err));
    ELM_TRY(store_run_get(s, &run, err));
    *out = (struct elm_store_totals){
        .attempts = run.attempts,
        .batches = run.batches,
        .admitted = run.admitted,
        .file_bytes = size_of(s->path, "") + size_of(s->path, "-wal"),
        .packed_bytes = run.packed_bytes,
        .newest_batch = run.newest_batch,
    };
    return ELM_OK;
}
