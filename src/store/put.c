/* put: meta, progress, archive and snapshots, as the writer's thread writes them. */
#include "store/store.h"

#include <string.h>
#include <zstd.h>

#define PART_BYTES ((size_t)4 * 1024 * 1024)
/* most of a snapshot is hashes, which nothing makes smaller */
#define LEVEL 1

int64_t store_meta_sum(struct elm_str key, struct elm_str value)
{
    return (int64_t)elm_hash(value.ptr, value.len, elm_hash(key.ptr, key.len, 0));
}

int64_t store_snapshot_sum(int64_t batch, int part, int parts, struct elm_str packed)
{
    uint64_t place = elm_hash_mix((uint64_t)batch, (uint64_t)part << 32 | (uint32_t)parts);
    return (int64_t)elm_hash(packed.ptr, packed.len, place);
}

/* "semantic,tree" names operators 0 and 1 in the views. */
static enum elm_status put_operators(struct elm_store *s, struct elm_str list,
                                     struct elm_error *err)
{
    sqlite3_stmt *put;
    for (int code = 0; list.len > 0 && code < 255; code++) {
        const char *comma = memchr(list.ptr, ',', list.len);
        size_t len = comma == NULL ? list.len : (size_t)(comma - list.ptr);
        ELM_TRY(sql_get(s, SQL_WORD_PUT, &put, err));
        sqlite3_bind_text(put, 1, "operator", -1, SQLITE_STATIC);
        sqlite3_bind_int(put, 2, code);
        sqlite3_bind_text64(put, 3, list.ptr, len, SQLITE_STATIC, SQLITE_UTF8);
        ELM_TRY(sql_do(s, put, err));
        len += comma != NULL;
        list = (struct elm_str){list.ptr + len, list.len - len};
    }
    return ELM_OK;
}

enum elm_status store_put_meta(struct elm_store *s, const struct message *m, struct elm_error *err)
{
    sqlite3_stmt *put;
    ELM_TRY(sql_get(s, SQL_META_PUT, &put, err));
    sqlite3_bind_text64(put, 1, m->key.ptr, m->key.len, SQLITE_STATIC, SQLITE_UTF8);
    sql_bind_bytes(put, 2, m->value);
    sqlite3_bind_int64(put, 3, store_meta_sum(m->key, m->value));
    ELM_TRY(sql_do(s, put, err));
    return elm_str_equal(m->key, ELM_STR("operators")) ? put_operators(s, m->value, err) : ELM_OK;
}

enum elm_status store_put_progress(struct elm_store *s, const struct message *m,
                                   struct elm_error *err)
{
    const struct elm_progress_row *r = &m->progress;
    sqlite3_stmt *put;
    ELM_TRY(sql_get(s, SQL_PROGRESS_PUT, &put, err));
    sqlite3_bind_int64(put, 1, r->attempts);
    sqlite3_bind_int64(put, 2, r->evaluations);
    sqlite3_bind_double(put, 3, r->best);
    sqlite3_bind_double(put, 4, r->mean);
    sqlite3_bind_double(put, 5, r->coverage);
    sqlite3_bind_double(put, 6, r->qd_score);
    sqlite3_bind_int64(put, 7, r->wall_us);
    return sql_do(s, put, err);
}

/* The text in the clear, for readers that only speak SQL. */
static enum elm_status put_elite(struct elm_store *s, const struct elm_archive_row *r,
                                 struct elm_buf *text, struct elm_error *err)
{
    sqlite3_stmt *put;
    struct elm_str found;
    elm_buf_clear(text);
    ELM_TRY(store_text_find(s, r->program, text, NULL, &found, err));
    ELM_TRY(sql_get(s, SQL_ARCHIVE_PUT, &put, err));
    sqlite3_bind_int64(put, 1, r->niche);
    sqlite3_bind_int64(put, 2, r->program);
    sqlite3_bind_double(put, 3, r->fitness);
    for (int k = 0; k < ELM_MEASURES_MAX; k++)
        sqlite3_bind_double(put, 4 + k, r->measures[k]);
    if (found.ptr != NULL)
        sql_bind_bytes(put, 8, found);
    else
        sqlite3_bind_null(put, 8);
    return sql_do(s, put, err);
}

enum elm_status store_put_archive(struct elm_store *s, const struct message *m,
                                  struct elm_error *err)
{
    struct elm_buf text = {0};
    enum elm_status status = sql_run(s, SQL_ARCHIVE_CLEAR, err);
    for (uint32_t i = 0; i < m->count && status == ELM_OK; i++)
        status = put_elite(s, &m->rows[i], &text, err);
    elm_buf_release(&text);
    return status;
}

static enum elm_status put_part(struct elm_store *s, int64_t batch, int part, int parts,
                                struct elm_str plain, struct elm_error *err)
{
    struct elm_buf packed = {0};
    sqlite3_stmt *put;
    elm_buf_reserve(&packed, ZSTD_compressBound(plain.len));
    packed.len = ZSTD_compress(packed.ptr, packed.cap, plain.ptr, plain.len, LEVEL);
    ELM_ASSERT(!ZSTD_isError(packed.len));
    enum elm_status status = sql_get(s, SQL_SNAPSHOT_PUT, &put, err);
    if (status == ELM_OK) {
        struct elm_str bytes = elm_buf_str(&packed);
        sqlite3_bind_int64(put, 1, batch);
        sqlite3_bind_int(put, 2, part);
        sqlite3_bind_int(put, 3, parts);
        sqlite3_bind_int64(put, 4, (int64_t)plain.len);
        sqlite3_bind_int64(put, 5, store_snapshot_sum(batch, part, parts, bytes));
        sql_bind_bytes(put, 6, bytes);
        status = sql_do(s, put, err);
    }
    elm_buf_release(&packed);
    return status;
}

enum elm_status store_snapshot_before(struct elm_store *s, int64_t batch, int64_t *before,
                                      struct elm_error *err)
{
    sqlite3_stmt *get;
    bool found;
    ELM_TRY(sql_get(s, SQL_SNAPSHOT_BEFORE, &get, err));
    sqlite3_bind_int64(get, 1, batch);
    ELM_TRY(sql_row(s, get, &found, err));
    *before = found && sqlite3_column_type(get, 0) != SQLITE_NULL ? sqlite3_column_int64(get, 0)
                                                                  : -1;
    sqlite3_reset(get);
    return ELM_OK;
}

enum elm_status store_put_snapshot(struct elm_store *s, const struct message *m,
                                   struct elm_error *err)
{
    sqlite3_stmt *drop;
    ELM_TRY(sql_get(s, SQL_SNAPSHOT_DROP, &drop, err));
    sqlite3_bind_int64(drop, 1, m->batch);
    ELM_TRY(sql_do(s, drop, err));
    size_t parts = m->value.len == 0 ? 1 : (m->value.len + PART_BYTES - 1) / PART_BYTES;
    for (size_t i = 0; i < parts; i++) {
        size_t at = i * PART_BYTES, left = m->value.len - at;
        struct elm_str plain = {m->value.ptr + at, left < PART_BYTES ? left : PART_BYTES};
        ELM_TRY(put_part(s, m->batch, (int)i, (int)parts, plain, err));
    }
    int64_t before;
    if (m->keep != ELM_KEEP_STATS)
        return ELM_OK;
    ELM_TRY(store_snapshot_before(s, m->batch, &before, err));
    return before >= 0 ? store_thin(s, before, err) : ELM_OK;
}
