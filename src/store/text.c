/*
 * text: the full text of every admitted program. A child differs little from its parent, so a
 * text is compressed against a base, the text of an ancestor, which itself stands alone: two
 * rows at most are read for one text. A program that has drifted too far becomes a base.
 */
#include <string.h>
#include <zstd.h>

#include "store/store.h"

#define LEVEL 3
#define BASE_BYTES_MAX 65536     /* what a cached base may keep of memory */
#define DRIFT 16     /* beyond this part of its length a text becomes a base */

/* The sum covers the text, so that it vouches for the base as well, and what stands beside it. */
static int64_t text_sum(struct elm_str text, struct elm_str passes, int64_t id)
{
    uint64_t sum = elm_hash(text.ptr, text.len, (uint64_t)id);
    return (int64_t)(passes.len == 0 ? sum : elm_hash(passes.ptr, passes.len, sum));
}

static enum elm_status damaged(int64_t id, struct elm_error *err)
{
    return elm_fail(err, ELM_CORRUPT, "the text of program %lld fails its checksum",
                    (long long)id);
}

struct text_row {
    size_t bytes;              /* of the text */
    int64_t base, sum;         /* base -1: it stands alone */
    struct elm_buf packed;
    struct elm_buf passes;
};

static void row_release(struct text_row *row)
{
    elm_buf_release(&row->packed);
    elm_buf_release(&row->passes);
}

static enum elm_status expand(struct elm_store *s, int64_t id, const struct text_row *row,
                              struct elm_str base, struct elm_buf *text, struct elm_error *err)
{
    elm_buf_reserve(text, row->bytes);
    ZSTD_DCtx_reset(s->unzip, ZSTD_reset_session_only);
    ZSTD_DCtx_refPrefix(s->unzip, base.ptr, base.len);
    size_t got = ZSTD_decompressDCtx(s->unzip, text->ptr + text->len, row->bytes,
                                     row->packed.ptr, row->packed.len);
    if (ZSTD_isError(got) || got != row->bytes)
        return damaged(id, err);
    text->len += row->bytes;
    text->ptr[text->len] = '\0';
    return ELM_OK;
}

static enum elm_status read_row(struct elm_store *s, int64_t id, struct text_row *row,
                                struct elm_error *err)
{
    sqlite3_stmt *get;
    bool found;
    ELM_TRY(sql_get(s, SQL_PROGRAM_TEXT, &get, err));
    sqlite3_bind_int64(get, 1, id);
    ELM_TRY(sql_row(s, get, &found, err));
    if (!found) {
        return elm_fail(err, ELM_NOT_FOUND, "the run in '%s' has no text of program %lld",
                        s->folder, (long long)id);
    }
    int64_t bytes = sqlite3_column_int64(get, 0);
    row->base = sqlite3_column_type(get, 1) == SQLITE_NULL ? -1 : sqlite3_column_int64(get, 1);
    row->sum = sqlite3_column_int64(get, 2);
    elm_buf_add_str(&row->packed, sql_bytes(get, 3));
    elm_buf_add_str(&row->passes, sql_bytes(get, 4));
    sqlite3_reset(get);
    if (bytes < 0 || (uint64_t)bytes > PACK_EDIT_BYTES_MAX ||
        row->passes.len > ELM_CASES_MAX / 8)
        return damaged(id, err);
    row->bytes = (size_t)bytes;
    return ELM_OK;
}

static enum elm_status read_base(struct elm_store *s, int64_t id, struct elm_buf *text,
                                 struct elm_error *err)
{
    struct text_row row = {0};
    enum elm_status status = read_row(s, id, &row, err);
    if (status == ELM_OK && row.base >= 0)
        status = damaged(id, err);
    if (status == ELM_OK)
        status = expand(s, id, &row, (struct elm_str){0}, text, err);
    row_release(&row);
    return status;
}

/* The text borrows until the next call. */
static enum elm_status get_base(struct elm_store *s, int64_t id, struct elm_str *text,
                                struct elm_error *err)
{
    struct base *b = &s->bases[(uint64_t)id % ELM_COUNT(s->bases)];
    if (b->text.len == 0 || b->id != id) {
        elm_buf_clear(&b->text);
        if (b->text.cap > BASE_BYTES_MAX)
            elm_buf_release(&b->text);
        b->id = id;
        ELM_TRY(read_base(s, id, &b->text, err));
    }
    *text = elm_buf_str(&b->text);
    return ELM_OK;
}

static enum elm_status get(struct elm_store *s, int64_t id, struct elm_buf *text,
                           struct elm_buf *passes, struct elm_error *err)
{
    struct text_row row = {0};
    struct elm_str base = {0};
    size_t start = text->len;
    enum elm_status status = read_row(s, id, &row, err);
    if (status == ELM_OK && row.base >= 0) {
        status = get_base(s, row.base, &base, err);
        if (status == ELM_NOT_FOUND)
            status = damaged(id, err);
    }
    if (status == ELM_OK)
        status = expand(s, id, &row, base, text, err);
    if (status == ELM_OK &&
        text_sum((struct elm_str){text->ptr + start, text->len - start},
                 elm_buf_str(&row.passes), id) != row.sum) {
        text->len = start;
        status = damaged(id, err);
    }
    if (status == ELM_OK && passes != NULL)
        elm_buf_add_str(passes, elm_buf_str(&row.passes));
    row_release(&row);
    return status;
}

enum elm_status store_text_get(struct elm_store *s, int64_t id, struct elm_buf *text,
                               struct elm_buf *passes, struct elm_error *err)
{
    sql_lock(s);
    enum elm_status status = get(s, id, text, passes, err);
    sql_unlock(s);
    return status;
}

enum elm_status store_text_find(struct elm_store *s, int64_t id, struct elm_buf *text,
                                struct elm_buf *passes, struct elm_str *found,
                                struct elm_error *err)
{
    struct elm_error why = {0};
    size_t start = text->len;
    *found = (struct elm_str){0};
    enum elm_status status = store_text_get(s, id, text, passes, &why);
    if (status == ELM_OK)
        *found = (struct elm_str){text->ptr + start, text->len - start};
    else if (status != ELM_NOT_FOUND)
        return elm_fail(err, status, "%s", why.message);
    return ELM_OK;
}

static void squeeze(struct text_packer *p, struct elm_str text, struct elm_str base)
{
    elm_buf_clear(&p->packed);
    elm_buf_reserve(&p->packed, ZSTD_compressBound(text.len));
    ZSTD_CCtx_reset(p->zip, ZSTD_reset_session_only);
    ZSTD_CCtx_setParameter(p->zip, ZSTD_c_compressionLevel, LEVEL);
    ZSTD_CCtx_refPrefix(p->zip, base.ptr, base.len);
    size_t got = ZSTD_compress2(p->zip, p->packed.ptr, p->packed.cap, text.ptr, text.len);
    ELM_ASSERT(!ZSTD_isError(got));
    p->packed.len = got;
}

/* The base of the parent, or the parent where it stands alone; -1 when there is no such text. */
static enum elm_status find_base(struct elm_store *s, int64_t parent, int64_t *base,
                                 struct elm_error *err)
{
    sqlite3_stmt *find;
    bool found;
    *base = -1;
    ELM_TRY(sql_get(s, SQL_PROGRAM_BASE, &find, err));
    sqlite3_bind_int64(find, 1, parent);
    ELM_TRY(sql_row(s, find, &found, err));
    if (found)
        *base = sqlite3_column_int64(find, 0);
    sqlite3_reset(find);
    return ELM_OK;
}

enum elm_status store_text_pack(struct elm_store *s, struct text_packer *p,
                                const struct elm_attempt *a, int64_t parent,
                                struct packed_text *out, struct elm_error *err)
{
    struct elm_str base = {0}, text = a->text;
    ELM_TRY(find_base(s, parent, &out->base, err));
    if (out->base >= 0)
        ELM_TRY(get_base(s, out->base, &base, err));
    squeeze(p, text, base);
    if (out->base >= 0 && p->packed.len > text.len / DRIFT + 32) {
        out->base = -1;
        squeeze(p, text, (struct elm_str){0});
    }
    out->bytes = elm_buf_str(&p->packed);
    out->sum = text_sum(text, a->passes, a->id);
    return ELM_OK;
}
