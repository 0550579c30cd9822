/* append: what the search hands over becomes messages, each one block of memory. */
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

static struct message *message(struct elm_store *s, enum message_kind kind, size_t payload)
{
    struct message *m = elm_malloc(sizeof(*m) + payload);
    *m = (struct message){.kind = kind, .keep = s->keep, .bytes = sizeof(*m) + payload};
    return m;
}

static struct elm_str copy(char **at, struct elm_str bytes)
{
    if (bytes.ptr == NULL)
        return bytes;
    struct elm_str mine = {*at, bytes.len};
    memcpy(*at, bytes.ptr, bytes.len);
    *at += bytes.len;
    return mine;
}

static enum elm_status writable(const struct elm_store *s, struct elm_error *err)
{
    if (s->mode != ELM_STORE_READ)
        return ELM_OK;
    return elm_fail(err, ELM_USAGE, "the run in '%s' is open for reading only", s->folder);
}

static enum elm_status check(const struct elm_store *s, const struct elm_attempt *attempts,
                             uint32_t count, struct elm_error *err)
{
    ELM_TRY(writable(s, err));
    for (uint32_t i = 0; i < count; i++) {
        const struct elm_attempt *a = &attempts[i];
        if (a->id != s->next_id + i) {
            return elm_fail(err, ELM_USAGE, "attempt %lld follows %lld in the store",
                            (long long)a->id, (long long)s->next_id + i - 1);
        }
        if (a->batch <= s->newest_batch || a->batch != attempts[0].batch) {
            return elm_fail(err, ELM_USAGE, "attempt %lld is of batch %lld, the newest stored is "
                            "%lld", (long long)a->id, (long long)a->batch,
                            (long long)s->newest_batch);
        }
        if (a->status >= ELM_EVAL_STATUSES || a->outcome > ELM_OUTCOME_NEW ||
            a->better > ELM_BETTER_YES || a->measure_count > ELM_MEASURES_MAX) {
            return elm_fail(err, ELM_USAGE, "attempt %lld has a status, outcome or number of "
                            "measures that does not exist", (long long)a->id);
        }
        if (a->passes.len > ELM_CASES_MAX / 8) {
            return elm_fail(err, ELM_RANGE, "attempt %lld passes or fails more than %d cases",
                            (long long)a->id, ELM_CASES_MAX);
        }
        if (a->edit.len > PACK_EDIT_BYTES_MAX || a->text.len > PACK_EDIT_BYTES_MAX) {
            return elm_fail(err, ELM_RANGE, "attempt %lld has more than %zu bytes of text",
                            (long long)a->id, PACK_EDIT_BYTES_MAX);
        }
    }
    return ELM_OK;
}

enum elm_status elm_store_append(struct elm_store *s, const struct elm_attempt *attempts,
                                 uint32_t count, struct elm_error *err)
{
    ELM_TRY(check(s, attempts, count, err));
    if (count == 0)
        return ELM_OK;
    size_t payload = count * sizeof(attempts[0]);
    for (uint32_t i = 0; i < count; i++)
        payload += attempts[i].edit.len + attempts[i].text.len + attempts[i].passes.len;
    struct message *m = message(s, MESSAGE_BATCH, payload);
    m->attempts = (struct elm_attempt *)(m + 1);
    m->count = count;
    char *at = (char *)(m->attempts + count);
    for (uint32_t i = 0; i < count; i++) {
        struct elm_attempt *mine = &m->attempts[i];
        *mine = attempts[i];
        mine->edit = copy(&at, attempts[i].edit);
        mine->text = copy(&at, attempts[i].text);
        mine->passes = copy(&at, attempts[i].passes);
        mine->why[sizeof(mine->why) - 1] = '\0';
    }
    int64_t batch = attempts[0].batch;
    ELM_TRY(store_queue_put(s, m, err));
    s->next_id += count;
    s->newest_batch = batch;
    return ELM_OK;
}

void elm_store_set_keep(struct elm_store *s, enum elm_keep keep)
{
    s->keep = keep;
}

enum elm_status elm_store_meta_put(struct elm_store *s, const char *key, struct elm_str value,
                                   struct elm_error *err)
{
    ELM_TRY(writable(s, err));
    struct elm_str name = elm_str(key);
    struct message *m = message(s, MESSAGE_META, name.len + value.len);
    char *at = (char *)(m + 1);
    m->key = copy(&at, name);
    m->value = copy(&at, value);
    return store_queue_put(s, m, err);
}

enum elm_status elm_store_progress(struct elm_store *s, const struct elm_progress_row *row,
                                   struct elm_error *err)
{
    ELM_TRY(writable(s, err));
    struct message *m = message(s, MESSAGE_PROGRESS, 0);
    m->progress = *row;
    return store_queue_put(s, m, err);
}

enum elm_status elm_store_snapshot_put(struct elm_store *s, int64_t batch, struct elm_str state,
                                       struct elm_error *err)
{
    ELM_TRY(writable(s, err));
    if (batch < 0)
        return elm_fail(err, ELM_USAGE, "a snapshot after batch %lld", (long long)batch);
    struct message *m = message(s, MESSAGE_SNAPSHOT, state.len);
    char *at = (char *)(m + 1);
    m->batch = batch;
    m->value = copy(&at, state);
    return store_queue_put(s, m, err);
}

enum elm_status elm_store_archive_put(struct elm_store *s, const struct elm_archive_row *rows,
                                      uint32_t count, struct elm_error *err)
{
    ELM_TRY(writable(s, err));
    struct message *m = message(s, MESSAGE_ARCHIVE, count * sizeof(rows[0]));
    m->rows = (struct elm_archive_row *)(m + 1);
    m->count = count;
    if (count > 0)
        memcpy(m->rows, rows, count * sizeof(rows[0]));
    return store_queue_put(s, m, err);
}

enum elm_status elm_store_calls(struct elm_store *s, const struct elm_call *calls, uint32_t count,
                                struct elm_error *err)
{
    ELM_TRY(writable(s, err));
    size_t payload = count * sizeof(calls[0]);
    for (uint32_t i = 0; i < count; i++) {
        const struct elm_call *c = &calls[i];
        payload += c->prompt.len + c->answer.len + c->token_ids.len + c->logprobs.len + c->why.len;
    }
    struct message *m = message(s, MESSAGE_CALLS, payload);
    m->calls = (struct elm_call *)(m + 1);
    m->count = count;
    char *at = (char *)(m->calls + count);
    for (uint32_t i = 0; i < count; i++) {
        struct elm_call *mine = &m->calls[i];
        *mine = calls[i];
        mine->prompt = copy(&at, calls[i].prompt);
        mine->answer = copy(&at, calls[i].answer);
        mine->token_ids = copy(&at, calls[i].token_ids);
        mine->logprobs = copy(&at, calls[i].logprobs);
        mine->why = copy(&at, calls[i].why);
    }
    return store_queue_put(s, m, err);
}
