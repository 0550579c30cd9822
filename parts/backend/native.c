/*
 * native: small models of the llama architecture, run in this process. One session per lane; the
 * weights are shared. All requests of a call are sampled together.
 */
#include "elm/backend.h"

#include "elm/model.h"
#include "elm/models.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_MAX 64
#define CONTEXT_LEAST 16
#define PROMPT_BYTES_MAX ((size_t)64 << 20)

struct lane {
    struct elm_session *session;
    bool busy;                         /* under the lock */
    volatile bool stopped;
};

struct native {
    struct elm_model *model;
    const struct elm_tokenizer *tokenizer;
    struct elm_vocabulary_trie *trie;
    uint32_t context_max;
    bool chat;                         /* the vocabulary has ChatML's tokens */
    struct lane *lanes;
    uint32_t lane_count;
    uint64_t tokens_budget;
    pthread_mutex_t lock;              /* of what follows */
    struct elm_backend_totals totals;
    uint64_t tokens_held;              /* spent, and promised to what is being answered */
};

/* ---- prompts ---- */

static void encode(const struct native *n, const char *text, size_t len, bool special,
                   struct elm_buf *ids)
{
    elm_tokenizer_encode(n->tokenizer, (struct elm_str){text, len}, special, ids);
}

/* One message of a chat. The words are read without control tokens, whatever they spell. */
static void encode_message(const struct native *n, const char *role, const struct elm_buf *text,
                           struct elm_buf *words, struct elm_buf *ids)
{
    elm_buf_clear(words);
    elm_buf_printf(words, "%s\n", role);
    elm_buf_add(words, text->ptr, text->len);
    encode(n, "<|im_start|>", 12, true, ids);
    encode(n, words->ptr, words->len, false, ids);
    encode(n, "<|im_end|>", 10, true, ids);
    encode(n, "\n", 1, false, ids);
}

static void encode_chat(const struct native *n, const struct elm_request *r, struct elm_buf *ids)
{
    struct elm_buf words = {0};
    if (r->system.len > 0)
        encode_message(n, "system", &r->system, &words, ids);
    encode_message(n, "user", &r->prompt, &words, ids);
    encode(n, "<|im_start|>", 12, true, ids);
    encode(n, "assistant\n", 10, false, ids);
    elm_buf_release(&words);
}

/* A model that knows no chat reads the words one after the other. */
static void encode_plain(const struct native *n, const struct elm_request *r, struct elm_buf *ids)
{
    struct elm_buf words = {0};
    if (!r->raw && r->system.len > 0) {
        elm_buf_add(&words, r->system.ptr, r->system.len);
        elm_buf_add_str(&words, ELM_STR("\n\n"));
    }
    elm_buf_add(&words, r->prompt.ptr, r->prompt.len);
    if (!r->raw)
        elm_buf_add_str(&words, ELM_STR("\n\n"));
    encode(n, words.ptr, words.len, false, ids);
    elm_buf_release(&words);
}

static uint32_t token_count(const struct elm_buf *ids)
{
    return (uint32_t)(ids->len / sizeof(uint32_t));
}

/* Leaves room for the answer, half the context at most: the front of the prompt goes. */
static void cut_front(const struct native *n, const struct elm_request *r, struct elm_buf *ids)
{
    uint32_t half = n->context_max / 2;
    uint32_t answer = r->tokens_max < half ? r->tokens_max + 1 : half;
    size_t most = (n->context_max - answer) * sizeof(uint32_t);
    if (ids->len <= most)
        return;
    memmove(ids->ptr, ids->ptr + (ids->len - most), most);
    ids->len = most;
}

static void encode_request(const struct native *n, const struct elm_request *r,
                           struct elm_buf *ids)
{
    int32_t bos = elm_tokenizer_bos(n->tokenizer);
    if (elm_tokenizer_add_bos(n->tokenizer) && bos >= 0)
        elm_buf_add(ids, &bos, sizeof(bos));
    if (n->chat && !r->raw)
        encode_chat(n, r, ids);
    else
        encode_plain(n, r, ids);
    /* a model needs something to go on from */
    if (ids->len == 0 && bos >= 0)
        elm_buf_add(ids, &bos, sizeof(bos));
    cut_front(n, r, ids);
}

/* ---- answering ---- */

struct work {
    struct native *n;
    const struct elm_request *requests;
    struct elm_reply *replies;
    uint32_t count;
    struct elm_buf *prompts;           /* [count] */
    struct elm_sample_row *rows;       /* those that can be answered */
    uint32_t *of;                      /* whose they are */
    uint32_t row_count;
    uint64_t held;
    bool spent;
};

static void fail_reply(struct elm_reply *r, const char *why)
{
    r->end = ELM_REPLY_FAILED;
    snprintf(r->why, sizeof(r->why), "%.95s", why);
}

/* Sets the worst case of a request aside. False: the budget is spent. */
static bool hold(struct work *w, uint64_t tokens)
{
    struct native *n = w->n;
    pthread_mutex_lock(&n->lock);
    bool fits = n->tokens_budget == 0 || n->tokens_held + tokens <= n->tokens_budget;
    if (fits)
        n->tokens_held += tokens;
    pthread_mutex_unlock(&n->lock);
    w->held += fits ? tokens : 0;
    return fits;
}

static void prepare(struct work *w)
{
    for (uint32_t i = 0; i < w->count; i++) {
        const struct elm_request *r = &w->requests[i];
        struct elm_buf *ids = &w->prompts[i];
        if (r->system.len + r->prompt.len > PROMPT_BYTES_MAX) {
            fail_reply(&w->replies[i], "the prompt has more than 64 MiB");
            continue;
        }
        encode_request(w->n, r, ids);
        if (ids->len == 0) {
            fail_reply(&w->replies[i], "the prompt is empty");
            continue;
        }
        w->spent = w->spent || !hold(w, (uint64_t)token_count(ids) + r->tokens_max);
        if (w->spent) {
            fail_reply(&w->replies[i], "the token budget is spent");
            continue;
        }
        w->of[w->row_count] = i;
        w->rows[w->row_count++] = (struct elm_sample_row){
            .tokens = (const uint32_t *)(const void *)ids->ptr, .count = token_count(ids),
            .seed = r->seed, .tokens_max = r->tokens_max, .temperature = r->temperature,
            .grammar = r->grammar, .stop = elm_str(r->stop),
        };
    }
}

static void write_reply(const struct native *n, struct elm_sample_row *row, struct elm_reply *out)
{
    const uint32_t *ids = (const uint32_t *)(const void *)row->ids.ptr;
    out->prompt_tokens = row->count;
    out->tokens = token_count(&row->ids);
    out->end = row->done ? ELM_REPLY_DONE : ELM_REPLY_LENGTH;
    elm_tokenizer_decode(n->tokenizer, ids, out->tokens, &out->text);
    if (row->stop.len > 0 && out->text.len > 0) {
        char *at = memmem(out->text.ptr, out->text.len, row->stop.ptr, row->stop.len);
        if (at != NULL) {
            out->text.len = (size_t)(at - out->text.ptr);
            *at = 0;
        }
    }
    elm_buf_add(&out->token_ids, row->ids.ptr, row->ids.len);
    elm_buf_add(&out->logprobs, row->logprobs.ptr, row->logprobs.len);
}

/* Replies and counts. What a stopped call has not answered counts for nothing. */
static void finish(struct work *w, const char *why, int64_t from_us)
{
    struct native *n = w->n;
    struct elm_backend_totals sum = {.requests = w->count};
    for (uint32_t i = 0; i < w->row_count; i++) {
        struct elm_reply *reply = &w->replies[w->of[i]];
        if (why == NULL)
            write_reply(n, &w->rows[i], reply);
        else
            fail_reply(reply, why);
        reply->wall_us = elm_clock_us() - from_us;
        elm_buf_release(&w->rows[i].ids);
        elm_buf_release(&w->rows[i].logprobs);
    }
    for (uint32_t i = 0; i < w->count; i++) {
        sum.failed += w->replies[i].end == ELM_REPLY_FAILED;
        sum.prompt_tokens += w->replies[i].prompt_tokens;
        sum.tokens += w->replies[i].tokens;
        elm_buf_release(&w->prompts[i]);
    }
    pthread_mutex_lock(&n->lock);
    n->totals.requests += sum.requests;
    n->totals.failed += sum.failed;
    n->totals.prompt_tokens += sum.prompt_tokens;
    n->totals.tokens += sum.tokens;
    n->tokens_held -= w->held - sum.prompt_tokens - sum.tokens;
    pthread_mutex_unlock(&n->lock);
    free(w->prompts);
    free(w->rows);
    free(w->of);
}

static void set_busy(struct native *n, struct lane *lane, bool busy)
{
    pthread_mutex_lock(&n->lock);
    lane->busy = busy;
    __atomic_store_n(&lane->stopped, false, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&n->lock);
}

static enum elm_status native_complete(void *self, uint32_t lane,
                                       const struct elm_request *requests, uint32_t count,
                                       struct elm_reply *replies, struct elm_error *err)
{
    struct native *n = self;
    ELM_ASSERT(lane < n->lane_count);
    int64_t from_us = elm_clock_us();
    struct elm_error why = {0};
    struct work w = {.n = n, .requests = requests, .replies = replies, .count = count,
                     .prompts = elm_calloc(count, sizeof(*w.prompts)),
                     .rows = elm_calloc(count, sizeof(*w.rows)),
                     .of = elm_calloc(count, sizeof(*w.of))};
    struct lane *own = &n->lanes[lane];
    set_busy(n, own, true);
    prepare(&w);
    enum elm_status status = elm_session_sample(own->session, w.rows, w.row_count, n->trie,
                                                &own->stopped, &why);
    set_busy(n, own, false);
    finish(&w, status == ELM_OK ? NULL : why.message, from_us);
    if (status != ELM_OK)
        return elm_fail(err, status, "%s", why.message);
    if (w.spent)
        return elm_fail(err, ELM_RANGE, "the token budget of %llu is spent",
                        (unsigned long long)n->tokens_budget);
    return ELM_OK;
}

/* ---- opening ---- */

static void native_close(void *self)
{
    struct native *n = self;
    for (uint32_t i = 0; n->lanes != NULL && i < n->lane_count; i++)
        elm_session_free(n->lanes[i].session);
    free(n->lanes);
    elm_vocabulary_trie_free(n->trie);
    elm_model_close(n->model);
    pthread_mutex_destroy(&n->lock);
    free(n);
}

/* Of 135M parameters a child takes some 24 ms of one core for its prompt and 0.8 ms a token, and time
 * goes with size. */
static double native_price_us(const void *self, uint32_t tokens)
{
    const struct elm_model_config *c = elm_model_config(((const struct native *)self)->model);
    double attention = 2.0 * c->width * c->head_width * (c->heads + c->kv_heads);
    double layer = attention + 3.0 * c->width * c->hidden;
    return (180e-6 + 6e-6 * tokens) * (layer * c->layers + (double)c->width * c->vocabulary);
}

static bool knows_chat(const struct native *n)
{
    struct elm_buf ids = {0};
    encode(n, "<|im_start|><|im_end|>", 22, true, &ids);
    bool two = token_count(&ids) == 2;
    elm_buf_release(&ids);
    return two;
}

static enum elm_status load(struct native *n, const char *model, const char *models_path,
                            struct elm_error *err)
{
    struct elm_buf path = {0};
    enum elm_status status = elm_model_find(model, models_path, &path, err);
    if (status == ELM_OK)
        status = elm_model_open(path.ptr, ELM_BF16, ELM_KERNEL_AUTO, &n->model, err);
    elm_buf_release(&path);
    if (status != ELM_OK)
        return status;
    n->tokenizer = elm_model_tokenizer(n->model);
    if (n->tokenizer == NULL)
        return elm_fail(err, ELM_CORRUPT, "model '%s' has no tokenizer", model);
    n->context_max = elm_model_config(n->model)->context_max;
    if (n->context_max < CONTEXT_LEAST)
        return elm_fail(err, ELM_OUTSIDE, "model '%s' has a context of %u, %u are needed", model,
                        n->context_max, CONTEXT_LEAST);
    n->chat = knows_chat(n);
    return ELM_OK;
}

static enum elm_status native_open(const struct elm_backend_def *def, void **self,
                                   struct elm_error *err)
{
    if (def->model == NULL)
        return elm_fail(err, ELM_USAGE, "the backend 'native' needs a model: --model NAME or a "
                        "path (elm models lists them)");
    struct native *n = elm_calloc(1, sizeof(*n));
    pthread_mutex_init(&n->lock, NULL);
    n->tokens_budget = def->tokens_budget;
    n->tokens_held = def->tokens_spent;
    enum elm_status status = load(n, def->model, def->models_path, err);
    if (status == ELM_OK && def->adapter != NULL)
        status = elm_model_adapt(n->model, def->adapter, err);
    if (status != ELM_OK) {
        native_close(n);
        return status;
    }
    n->trie = elm_vocabulary_trie_new(n->tokenizer);
    n->lane_count = def->lanes > 0 ? def->lanes : 1;
    n->lanes = elm_calloc(n->lane_count, sizeof(*n->lanes));
    for (uint32_t i = 0; i < n->lane_count; i++)
        n->lanes[i].session = elm_session_new(n->model, ROWS_MAX);
    *self = n;
    return ELM_OK;
}

static void native_cancel(void *self)
{
    struct native *n = self;
    pthread_mutex_lock(&n->lock);
    for (uint32_t i = 0; i < n->lane_count; i++)
        __atomic_store_n(&n->lanes[i].stopped, n->lanes[i].busy, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&n->lock);
}

static void native_totals(void *self, struct elm_backend_totals *out)
{
    struct native *n = self;
    pthread_mutex_lock(&n->lock);
    *out = n->totals;
    pthread_mutex_unlock(&n->lock);
}

const struct elm_backend_kind elm_backend_native = {
    .name = "native",
    .summary = "small llama models in this process, with masks: `elm models pull` brings one",
    .masks = true,
    .local = true,
    .small = true,
    .open = native_open,
    .price_us = native_price_us,
    .close = native_close,
    .complete = native_complete,
    .cancel = native_cancel,
    .totals = native_totals,
};
