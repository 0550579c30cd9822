/* admit: the row of an admitted program, for the views, with its text. */
#include "store/store.h"

/* The attempt that made the program. A rematch carries it as its first parent, and is not an
 * ancestor's child itself. */
static enum elm_status find_origin(struct elm_store *s, const struct elm_attempt *a,
                                   struct elm_attempt *out, struct elm_error *err)
{
    const struct tail *t = &s->writer->tail;
    *out = *a;
    if ((a->flags & ELM_ATTEMPT_REMATCH) == 0)
        return ELM_OK;
    int64_t id = a->parents[0];
    out->parents[0] = out->parents[1] = -1;
    for (uint32_t i = t->count; i-- > 0 && t->items[i].id >= id;) {
        if (t->items[i].id == id) {
            *out = t->items[i];
            return ELM_OK;
        }
    }
    struct elm_arena arena = {0};
    struct packed_row row;
    enum elm_status status = store_read_row(s, id, &arena, &row, err);
    for (uint32_t i = 0; status == ELM_OK && i < row.count; i++) {
        if (row.attempts[i].id == id)
            *out = row.attempts[i];
    }
    elm_arena_release(&arena);
    return status;
}

static void bind_id(sqlite3_stmt *put, int index, int64_t id)
{
    if (id >= 0)
        sqlite3_bind_int64(put, index, id);
    else
        sqlite3_bind_null(put, index);
}

static void bind_text(sqlite3_stmt *put, struct elm_str text, const struct packed_text *packed)
{
    sqlite3_bind_int64(put, 17, (int64_t)text.len);
    bind_id(put, 18, packed->base);
    sqlite3_bind_int64(put, 19, packed->sum);
    if (text.ptr == NULL)
        sqlite3_bind_null(put, 20);
    else
        sql_bind_bytes(put, 20, packed->bytes);
}

static void bind_passes(sqlite3_stmt *put, struct elm_str passes)
{
    if (passes.ptr == NULL)
        sqlite3_bind_null(put, 21);
    else
        sql_bind_bytes(put, 21, passes);
}

enum elm_status store_admit(struct elm_store *s, const struct elm_attempt *a, struct elm_error *err)
{
    struct elm_attempt origin;
    struct packed_text packed = {.base = -1};
    sqlite3_stmt *put;
    ELM_TRY(find_origin(s, a, &origin, err));
    if (a->text.ptr != NULL)
        ELM_TRY(store_text_pack(s, &s->writer->text, a, origin.parents[0], &packed, err));
    ELM_TRY(sql_get(s, SQL_PROGRAM_PUT, &put, err));
    sqlite3_bind_int64(put, 1, a->id);
    sqlite3_bind_int64(put, 2, origin.id);
    sqlite3_bind_int64(put, 3, a->batch);
    sqlite3_bind_int(put, 4, origin.operator_index);
    sqlite3_bind_int(put, 5, a->outcome);
    sqlite3_bind_int(put, 6, a->better);
    bind_id(put, 7, origin.parents[0]);
    bind_id(put, 8, origin.parents[1]);
    bind_id(put, 9, a->opponent);
    sqlite3_bind_double(put, 10, a->fitness);
    for (int k = 0; k < ELM_MEASURES_MAX; k++) {
        if (k < (int)a->measure_count)
            sqlite3_bind_double(put, 11 + k, a->measures[k]);
        else
            sqlite3_bind_null(put, 11 + k);
    }
    sqlite3_bind_int64(put, 15, (int64_t)a->steps);
    sqlite3_bind_int64(put, 16, a->arrival_us);
    bind_text(put, a->text, &packed);
    bind_passes(put, a->passes);
    return sql_do(s, put, err);
}
