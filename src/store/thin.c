/*
 * thin: with ELM_KEEP_STATS only admitted attempts stay. A resumed run still needs every attempt
 * after the older of the two snapshots, so rows are thinned once they lie before it.
 */
#include <stdlib.h>

#include "store/store.h"

static enum elm_status flush(struct elm_store *s, struct tail *kept, struct elm_error *err)
{
    if (kept->count == 0)
        return ELM_OK;
    ELM_TRY(store_put_row(s, kept->items, kept->count, err));
    store_tail_clear(kept);
    return ELM_OK;
}

static enum elm_status thin_row(struct elm_store *s, const struct packed_row *row,
                                struct tail *kept, struct elm_error *err)
{
    ELM_TRY(store_drop_rows(s, row->attempts[0].id, row->attempts[0].id + 1, err));
    s->writer->run.packed_bytes -= row->bytes;
    for (uint32_t i = 0; i < row->count; i++) {
        if (row->attempts[i].outcome < ELM_OUTCOME_IMPROVED)
            continue;
        if (kept->count == PACK_ATTEMPTS_MAX || kept->bytes >= PACK_BYTES_AIM)
            ELM_TRY(flush(s, kept, err));
        store_tail_add(kept, &row->attempts[i], ELM_KEEP_STATS);
    }
    return ELM_OK;
}

static enum elm_status thin_from(struct elm_store *s, int64_t id, int64_t upto_batch,
                                 struct tail *kept, struct elm_error *err)
{
    for (bool more = true; more;) {
        struct elm_arena arena = {0};
        struct packed_row row;
        enum elm_status status = store_read_row(s, id, &arena, &row, err);
        const struct elm_attempt *last = row.count > 0 ? &row.attempts[row.count - 1] : NULL;
        more = status == ELM_OK && last != NULL && last->batch <= upto_batch &&
               last->id < s->writer->run.tail_first;
        if (more) {
            id = last->id + 1;
            status = thin_row(s, &row, kept, err);
        }
        elm_arena_release(&arena);
        ELM_TRY(status);
    }
    return flush(s, kept, err);
}

enum elm_status store_thin(struct elm_store *s, int64_t upto_batch, struct elm_error *err)
{
    struct run *run = &s->writer->run;
    int64_t first;
    ELM_TRY(store_first_of_batch(s, run->thinned_batch + 1, &first, err));
    if (first < 0 || upto_batch <= run->thinned_batch)
        return ELM_OK;
    struct tail *kept = elm_calloc(1, sizeof(*kept));
    enum elm_status status = thin_from(s, first, upto_batch, kept, err);
    elm_arena_release(&kept->arena);
    free(kept);
    run->thinned_batch = upto_batch;
    return status;
}
