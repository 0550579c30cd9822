/*
 * call: what models were asked and said. The prompts of a batch begin alike, so they are
 * compressed together: one row of `prompt`, lengths first.
 */
#include "store/store.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define LEVEL 3
#define PROMPTS_BYTES_MAX ((size_t)256 * 1024 * 1024)

static enum elm_status put_prompts(struct elm_store *s, const struct message *m, int64_t *id,
                                   struct elm_error *err)
{
    struct elm_buf plain = {0}, packed = {0};
    sqlite3_stmt *put;
    elm_buf_varint(&plain, m->count);
    for (uint32_t i = 0; i < m->count; i++)
        elm_buf_varint(&plain, m->calls[i].prompt.len);
    for (uint32_t i = 0; i < m->count; i++)
        elm_buf_add_str(&plain, m->calls[i].prompt);
    elm_buf_reserve(&packed, ZSTD_compressBound(plain.len));
    packed.len = ZSTD_compress(packed.ptr, packed.cap, plain.ptr, plain.len, LEVEL);
    ELM_ASSERT(!ZSTD_isError(packed.len));
    enum elm_status status = sql_get(s, SQL_PROMPT_PUT, &put, err);
    if (status == ELM_OK) {
        sqlite3_bind_int64(put, 1, (int64_t)plain.len);
        sqlite3_bind_int64(put, 2, (int64_t)elm_hash(packed.ptr, packed.len, plain.len));
        sql_bind_bytes(put, 3, elm_buf_str(&packed));
        status = sql_do(s, put, err);
        *id = sqlite3_last_insert_rowid(s->db);
    }
    elm_buf_release(&plain);
    elm_buf_release(&packed);
    return status;
}

static double logprob_sum(struct elm_str logprobs)
{
    double sum = 0;
    for (size_t at = 0; at + sizeof(float) <= logprobs.len; at += sizeof(float)) {
        float one;
        memcpy(&one, logprobs.ptr + at, sizeof(one));
        sum += one;
    }
    return logprobs.len == 0 ? NAN : sum;
}

enum elm_status store_put_calls(struct elm_store *s, const struct message *m, struct elm_error *err)
{
    int64_t prompt = 0;
    sqlite3_stmt *put;
    ELM_TRY(put_prompts(s, m, &prompt, err));
    for (uint32_t i = 0; i < m->count; i++) {
        const struct elm_call *c = &m->calls[i];
        ELM_TRY(sql_get(s, SQL_CALL_PUT, &put, err));
        sqlite3_bind_int64(put, 1, c->attempt);
        sqlite3_bind_int64(put, 2, prompt);
        sqlite3_bind_int64(put, 3, i);
        sqlite3_bind_int(put, 4, c->end);
        sqlite3_bind_int64(put, 5, c->prompt_tokens);
        sqlite3_bind_int64(put, 6, c->tokens);
        sqlite3_bind_double(put, 7, c->money);
        sqlite3_bind_double(put, 8, logprob_sum(c->logprobs));
        sqlite3_bind_int64(put, 9, c->wall_us);
        sqlite3_bind_text64(put, 10, c->why.ptr, c->why.len, SQLITE_STATIC, SQLITE_UTF8);
        sql_bind_bytes(put, 11, c->answer);
        sql_bind_bytes(put, 12, c->token_ids);
        sql_bind_bytes(put, 13, c->logprobs);
        ELM_TRY(sql_do(s, put, err));
    }
    return ELM_OK;
}

static struct elm_str keep(struct elm_arena *arena, struct elm_str bytes)
{
    char *mine = elm_arena_alloc(arena, bytes.len + 1);
    if (bytes.len > 0)
        memcpy(mine, bytes.ptr, bytes.len);
    return (struct elm_str){mine, bytes.len};
}

static enum elm_status unpack(struct elm_store *s, struct elm_str packed, uint64_t sum,
                              size_t length, uint32_t place, struct elm_arena *arena,
                              struct elm_str *out, struct elm_error *err)
{
    if (length > PROMPTS_BYTES_MAX || sum != elm_hash(packed.ptr, packed.len, length))
        return elm_fail(err, ELM_CORRUPT, "a prompt in '%s' is damaged", s->path);
    char *plain = elm_arena_alloc(arena, length + 1);
    size_t got = ZSTD_decompressDCtx(s->unzip, plain, length, packed.ptr, packed.len);
    struct elm_reader r = elm_reader(plain, length);
    uint64_t count = elm_read_varint(&r), before = 0, len = 0;
    for (uint64_t i = 0; i < count && !r.bad; i++) {
        uint64_t one = elm_read_varint(&r);
        before += i < place ? one : 0;
        len = i == place ? one : len;
    }
    elm_read_bytes(&r, before);
    out->ptr = elm_read_bytes(&r, len);
    out->len = len;
    if (ZSTD_isError(got) || got != length || place >= count || r.bad)
        return elm_fail(err, ELM_CORRUPT, "a prompt in '%s' is damaged", s->path);
    return ELM_OK;
}

static enum elm_status get_prompt(struct elm_store *s, int64_t id, uint32_t place,
                                  struct elm_arena *arena, struct elm_str *out,
                                  struct elm_error *err)
{
    sqlite3_stmt *get;
    bool found;
    ELM_TRY(sql_get(s, SQL_PROMPT_GET, &get, err));
    sqlite3_bind_int64(get, 1, id);
    ELM_TRY(sql_row(s, get, &found, err));
    if (!found)
        return elm_fail(err, ELM_CORRUPT, "the run in '%s' lacks a prompt", s->folder);
    enum elm_status status = unpack(s, sql_bytes(get, 2), (uint64_t)sqlite3_column_int64(get, 1),
                                    (size_t)sqlite3_column_int64(get, 0), place, arena, out, err);
    sqlite3_reset(get);
    return status;
}

static enum elm_status get_call(struct elm_store *s, int64_t attempt, struct elm_arena *arena,
                                struct elm_call *out, struct elm_error *err)
{
    sqlite3_stmt *get;
    bool found;
    ELM_TRY(sql_get(s, SQL_CALL_GET, &get, err));
    sqlite3_bind_int64(get, 1, attempt);
    ELM_TRY(sql_row(s, get, &found, err));
    if (!found)
        return elm_fail(err, ELM_NOT_FOUND, "no model was asked for attempt %lld",
                        (long long)attempt);
    int64_t prompt = sqlite3_column_int64(get, 0);
    uint32_t place = (uint32_t)sqlite3_column_int64(get, 1);
    *out = (struct elm_call){
        .attempt = attempt,
        .end = (uint8_t)sqlite3_column_int(get, 2),
        .prompt_tokens = (uint32_t)sqlite3_column_int64(get, 3),
        .tokens = (uint32_t)sqlite3_column_int64(get, 4),
        .money = sqlite3_column_double(get, 5),
        .wall_us = sqlite3_column_int64(get, 6),
        .why = keep(arena, sql_bytes(get, 7)),
        .answer = keep(arena, sql_bytes(get, 8)),
        .token_ids = keep(arena, sql_bytes(get, 9)),
        .logprobs = keep(arena, sql_bytes(get, 10)),
    };
    sqlite3_reset(get);
    return get_prompt(s, prompt, place, arena, &out->prompt, err);
}

enum elm_status elm_store_call(struct elm_store *s, int64_t attempt, struct elm_arena *arena,
                               struct elm_call *out, struct elm_error *err)
{
    sql_lock(s);
    enum elm_status status = get_call(s, attempt, arena, out, err);
    sql_unlock(s);
    return status;
}

enum elm_status elm_store_call_totals(struct elm_store *s, struct elm_call_totals *out,
                                      struct elm_error *err)
{
    sqlite3_stmt *get;
    bool found = false;
    sql_lock(s);
    enum elm_status status = sql_get(s, SQL_CALL_TOTALS, &get, err);
    if (status == ELM_OK)
        status = sql_row(s, get, &found, err);
    if (status == ELM_OK && found) {
        *out = (struct elm_call_totals){sqlite3_column_int64(get, 0), sqlite3_column_int64(get, 1),
                                        sqlite3_column_double(get, 2)};
        sqlite3_reset(get);
    }
    sql_unlock(s);
    return status;
}
