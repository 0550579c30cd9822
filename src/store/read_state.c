/* read_state: meta, snapshots, progress and archive of a store. */
#include "store/store.h"

#include <string.h>
#include <zstd.h>

#define PART_BYTES_MAX ((int64_t)64 * 1024 * 1024)

static enum elm_status get_meta(struct elm_store *s, struct elm_str key, struct elm_buf *value,
                                struct elm_error *err)
{
    sqlite3_stmt *get;
    bool found;
    ELM_TRY(sql_get(s, SQL_META_GET, &get, err));
    sqlite3_bind_text64(get, 1, key.ptr, key.len, SQLITE_STATIC, SQLITE_UTF8);
    ELM_TRY(sql_row(s, get, &found, err));
    if (!found) {
        return elm_fail(err, ELM_NOT_FOUND, "the run in '%s' does not say its '%.*s'", s->folder,
                        (int)key.len, key.ptr);
    }
    struct elm_str bytes = sql_bytes(get, 0);
    enum elm_status status = ELM_OK;
    if (store_meta_sum(key, bytes) == sqlite3_column_int64(get, 1)) {
        elm_buf_add_str(value, bytes);
    } else {
        status = elm_fail(err, ELM_CORRUPT, "what '%s' says of its '%.*s' fails its checksum",
                          s->path, (int)key.len, key.ptr);
    }
    sqlite3_reset(get);
    return status;
}

enum elm_status elm_store_meta_get(struct elm_store *s, const char *key, struct elm_buf *value,
                                   struct elm_error *err)
{
    ELM_TRY(elm_store_flush(s, err));
    sql_lock(s);
    enum elm_status status = get_meta(s, elm_str(key), value, err);
    sql_unlock(s);
    return status;
}

/* ---- snapshots ---- */
static enum elm_status damaged(struct elm_store *s, int64_t batch, struct elm_error *err)
{
    return elm_fail(err, ELM_CORRUPT, "the snapshot after batch %lld in '%s' is damaged",
                    (long long)batch, s->path);
}

static bool expand(struct elm_str packed, int64_t length, struct elm_buf *state)
{
    if (length < 0 || length > PART_BYTES_MAX)
        return false;
    elm_buf_reserve(state, (size_t)length);
    size_t got = ZSTD_decompress(state->ptr + state->len, (size_t)length, packed.ptr, packed.len);
    if (ZSTD_isError(got) || got != (size_t)length)
        return false;
    state->len += got;
    state->ptr[state->len] = '\0';
    return true;
}

static enum elm_status get_part(struct elm_store *s, int64_t batch, int part, int *parts,
                                struct elm_buf *state, struct elm_error *err)
{
    sqlite3_stmt *get;
    bool found;
    ELM_TRY(sql_get(s, SQL_SNAPSHOT_PART, &get, err));
    sqlite3_bind_int64(get, 1, batch);
    sqlite3_bind_int(get, 2, part);
    ELM_TRY(sql_row(s, get, &found, err));
    if (!found)
        return damaged(s, batch, err);
    *parts = sqlite3_column_int(get, 0);
    struct elm_str packed = sql_bytes(get, 3);
    bool good = store_snapshot_sum(batch, part, *parts, packed) == sqlite3_column_int64(get, 2) &&
                expand(packed, sqlite3_column_int64(get, 1), state);
    sqlite3_reset(get);
    return good ? ELM_OK : damaged(s, batch, err);
}

static enum elm_status get_snapshot(struct elm_store *s, int64_t batch, struct elm_buf *state,
                                    struct elm_error *err)
{
    int parts = 1;
    for (int part = 0; part < parts; part++)
        ELM_TRY(get_part(s, batch, part, &parts, state, err));
    return ELM_OK;
}

static enum elm_status newest_good(struct elm_store *s, int64_t *batch, struct elm_buf *state,
                                   struct elm_error *err)
{
    struct elm_error why = {0};
    size_t start = state->len;
    int64_t at = INT64_MAX;
    for (;;) {
        ELM_TRY(store_snapshot_before(s, at, &at, err));
        if (at < 0)
            break;
        if (get_snapshot(s, at, state, &why) == ELM_OK) {
            *batch = at;
            return ELM_OK;
        }
        state->len = start;
    }
    if (why.status == ELM_OK)
        return elm_fail(err, ELM_NOT_FOUND, "the run in '%s' has no snapshot", s->folder);
    /* the log alone makes up for damaged snapshots, where it is whole */
    struct run run;
    ELM_TRY(store_run_get(s, &run, err));
    if (run.thinned_batch >= 0)
        return elm_fail(err, ELM_CORRUPT, "%s, and so is the one before", why.message);
    return elm_fail(err, ELM_NOT_FOUND, "%s, and so is the one before", why.message);
}

enum elm_status elm_store_snapshot_get(struct elm_store *s, int64_t *batch, struct elm_buf *state,
                                       struct elm_error *err)
{
    ELM_TRY(elm_store_flush(s, err));
    sql_lock(s);
    enum elm_status status = newest_good(s, batch, state, err);
    sql_unlock(s);
    return status;
}

/* ---- progress and archive: row by row, as with attempts ---- */
static enum elm_status next_row(struct elm_store *s, enum sql which, int64_t after, int64_t *place,
                                void (*take)(void *row, sqlite3_stmt *get), void *row,
                                struct elm_error *err)
{
    sqlite3_stmt *get;
    bool found = false;
    sql_lock(s);
    enum elm_status status = sql_get(s, which, &get, err);
    if (status == ELM_OK) {
        sqlite3_bind_int64(get, 1, after);
        status = sql_row(s, get, &found, err);
    }
    *place = -1;
    if (found) {
        *place = sqlite3_column_int64(get, 0);
        take(row, get);
        sqlite3_reset(get);
    }
    sql_unlock(s);
    return status;
}

static void take_progress(void *row, sqlite3_stmt *get)
{
    *(struct elm_progress_row *)row = (struct elm_progress_row){
        sqlite3_column_int64(get, 1), sqlite3_column_int64(get, 2), sql_double(get, 3),
        sql_double(get, 4), sql_double(get, 5), sql_double(get, 6), sqlite3_column_int64(get, 7),
    };
}

enum elm_status elm_store_each_progress(struct elm_store *s,
                                        bool (*each)(void *ctx, const struct elm_progress_row *r),
                                        void *ctx, struct elm_error *err)
{
    struct elm_progress_row row;
    int64_t place = -1;
    ELM_TRY(elm_store_flush(s, err));
    do {
        ELM_TRY(next_row(s, SQL_PROGRESS_NEXT, place, &place, take_progress, &row, err));
    } while (place >= 0 && each(ctx, &row));
    return ELM_OK;
}

static void take_elite(void *row, sqlite3_stmt *get)
{
    struct elm_archive_row *r = row;
    *r = (struct elm_archive_row){(uint32_t)sqlite3_column_int64(get, 1),
                                  sqlite3_column_int64(get, 2), sql_double(get, 3), {0}};
    for (int k = 0; k < ELM_MEASURES_MAX; k++)
        r->measures[k] = sql_double(get, 4 + k);
}

enum elm_status elm_store_each_archive(struct elm_store *s,
                                       bool (*each)(void *ctx, const struct elm_archive_row *r),
                                       void *ctx, struct elm_error *err)
{
    struct elm_archive_row row;
    int64_t place = -1;
    ELM_TRY(elm_store_flush(s, err));
    do {
        ELM_TRY(next_row(s, SQL_ARCHIVE_NEXT, place, &place, take_elite, &row, err));
    } while (place >= 0 && each(ctx, &row));
    return ELM_OK;
}
