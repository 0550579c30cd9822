/*
 * llama: any GGUF of a decoder through llama.cpp, on a GPU where it was built with CUDA. Only in a
 * build after `make llama`; every call of llama.cpp is in this file.
 *
 * One context and one thread per lane. The requests of a call are decoded together, each in a slot
 * of its own; the tokens that all of them begin with are computed once and copied into the slots.
 * Slots in use stand side by side, because llama.cpp splits a batch at every gap.
 *
 * Equal requests get equal answers, whatever else is in a call, on a processor: how llama.cpp sums
 * depends on the number of tokens that it is given, so prompts are read in the same pieces always,
 * and everything else in multiples of COMPANY tokens, some of them for nothing.
 */
#include "elm/backend.h"
#include "elm/mask.h"
#include "elm/models.h"

#include <llama.h>

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SLOTS_MAX 64
#define PROMPT_BYTES_MAX (64u << 20)
#define LANE_BYTES (1ull << 30)    /* of keys and values */
#define WIDTH_STEP 256             /* llama.cpp rounds the length of a slot up to this */
#define CHUNK 64                   /* tokens of a prompt at a time, and what is shared in */
#define COMPANY 4

/* A chat around a prompt, cut where the words go: what the template writes is read with its control
 * tokens, the words never are. */
struct frame {
    char *text;
    size_t system, prompt;     /* where they go; system SIZE_MAX: before the prompt */
};

struct lane {
    struct engine *engine;
    struct llama_context *ctx;
    struct llama_batch batch;
    uint32_t slots, width;     /* COMPANY - 1 more for company, and one: */
    llama_seq_id beginning;    /* what all requests of a call begin with */
    float *weights;            /* [vocabulary] */
    uint8_t *mask;
    uint32_t cancels;          /* of the engine when the call began */
};

struct engine {
    struct llama_model *model;
    const struct llama_vocab *vocab;
    struct llama_adapter_lora *adapter;
    uint32_t vocabulary, context_max;
    bool chat;                         /* the model has a template */
    struct frame with_system, without_system;
    struct elm_vocabulary_trie *trie;
    uint64_t tokens_budget;
    struct lane *lanes;
    uint32_t lane_count;
    atomic_uint cancels;
    pthread_mutex_t lock;              /* of what follows */
    struct elm_backend_totals totals;
    uint64_t tokens_held;              /* spent, and promised to what is being answered */
};

/* A request being answered. */
struct slot {
    const struct elm_request *request;
    struct elm_reply *reply;
    struct elm_grammar_state state;
    llama_token last;
    uint32_t count, end;       /* tokens in the slot, and where it is full */
    uint64_t held;
};

/* What complete works on. */
struct work {
    struct engine *e;
    struct lane *lane;
    const struct elm_request *requests;
    struct elm_reply *replies;
    uint32_t count, next;      /* the next one to start */
    struct elm_buf *prompts;   /* [count] llama_token each; empty: nothing to answer any more */
    const struct elm_buf *first;
    uint32_t shared;           /* tokens that all of them begin with */
    struct slot slots[SLOTS_MAX];
    uint32_t used;
    int64_t from_us;
    bool spent;                /* the budget */
};

/* llama.cpp has one logger in a process; the first error that it tells a thread stays here until the
 * thread opens something. All else goes nowhere. */
static _Thread_local char complaint[200];

static void hear(enum ggml_log_level level, const char *text, void *unused)
{
    (void)unused;
    if (level == GGML_LOG_LEVEL_ERROR && complaint[0] == '\0')
        snprintf(complaint, sizeof(complaint), "%.*s", (int)strcspn(text, "\n"), text);
}

static enum elm_status refuse(const char *what, const char *path, struct elm_error *err)
{
    return elm_fail(err, ELM_CORRUPT, "%s '%s': llama.cpp can't use it: %s", what, path,
                    complaint[0] != '\0' ? complaint : "no reason given");
}

/* Before it aborts; it would start a debugger itself. */
static void abandon(const char *message)
{
    elm_assert_failed(message, "llama.cpp", 0);
}

static void fail_reply(struct elm_reply *r, const char *why)
{
    r->end = ELM_REPLY_FAILED;
    snprintf(r->why, sizeof(r->why), "%s", why);
}

/* Appends the tokens of text. */
static void tokenize(const struct engine *e, const char *text, size_t len, bool special,
                     struct elm_buf *tokens)
{
    if (len == 0)
        return;
    int32_t room = (int32_t)len + 8;    /* SPM adds a space */
    for (;;) {
        elm_buf_reserve(tokens, (size_t)room * sizeof(llama_token));
        llama_token *at = (llama_token *)(void *)(tokens->ptr + tokens->len);
        int32_t got = llama_tokenize(e->vocab, text, (int32_t)len, at, room, false, special);
        if (got >= 0) {
            tokens->len += (size_t)got * sizeof(llama_token);
            return;
        }
        room = -got;
    }
}

#define SYSTEM_MARK "{elm system}"
#define PROMPT_MARK "{elm prompt}"

static bool frame_make(const char *name, bool system, struct frame *out)
{
    const struct llama_chat_message messages[] = {{"system", SYSTEM_MARK}, {"user", PROMPT_MARK}};
    const struct llama_chat_message *first = system ? messages : messages + 1;
    size_t count = system ? 2 : 1;
    int32_t len = llama_chat_apply_template(name, first, count, true, NULL, 0);
    if (len < 0)
        return false;
    free(out->text);
    out->text = elm_calloc(1, (size_t)len + 1);
    llama_chat_apply_template(name, first, count, true, out->text, len);
    char *at = strstr(out->text, SYSTEM_MARK);
    out->system = SIZE_MAX;
    if (at != NULL) {
        out->system = (size_t)(at - out->text);
        memmove(at, at + strlen(SYSTEM_MARK), strlen(at + strlen(SYSTEM_MARK)) + 1);
    }
    at = strstr(out->text, PROMPT_MARK);
    if (at == NULL)
        return false;
    out->prompt = (size_t)(at - out->text);
    memmove(at, at + strlen(PROMPT_MARK), strlen(at + strlen(PROMPT_MARK)) + 1);
    return true;
}

/* The words of a request as the model reads them. */
static void encode(const struct engine *e, const struct elm_request *r, struct elm_buf *tokens)
{
    const struct elm_buf *system = &r->system, *prompt = &r->prompt;
    const struct frame *f = system->len > 0 ? &e->with_system : &e->without_system;
    llama_token bos = llama_vocab_bos(e->vocab);
    /* a model needs something to go on from */
    if (llama_vocab_get_add_bos(e->vocab) || (r->raw && prompt->len == 0 && bos >= 0))
        elm_buf_add(tokens, &bos, sizeof(bos));
    if (r->raw) {
        tokenize(e, prompt->ptr, prompt->len, false, tokens);
        return;
    }
    size_t at = 0;
    struct elm_buf words = {0};
    if (e->chat && f->system <= f->prompt) {
        tokenize(e, f->text, f->system, true, tokens);
        tokenize(e, system->ptr, system->len, false, tokens);
        at = f->system;
    } else if (system->len > 0) {
        elm_buf_add(&words, system->ptr, system->len);
        elm_buf_add_str(&words, ELM_STR("\n\n"));
    }
    elm_buf_add(&words, prompt->ptr, prompt->len);
    if (e->chat)
        tokenize(e, f->text + at, f->prompt - at, true, tokens);
    else
        elm_buf_add_str(&words, ELM_STR("\n\n"));
    tokenize(e, words.ptr, words.len, false, tokens);
    if (e->chat)
        tokenize(e, f->text + f->prompt, strlen(f->text + f->prompt), true, tokens);
    elm_buf_release(&words);
}

static uint32_t token_count(const struct elm_buf *tokens)
{
    return (uint32_t)(tokens->len / sizeof(llama_token));
}

static bool admitted(const uint8_t *mask, uint32_t i)
{
    return mask == NULL || (mask[i / 8] >> (i % 8) & 1);
}

/* Draws the next token of an answer that has `tokens`; -1 when no logit is a number. mask NULL: all
 * are admitted. Temperature 0: the first of the likeliest. */
static llama_token draw(const struct lane *lane, const float *logits, const uint8_t *mask,
                        const struct elm_request *q, uint32_t tokens, float *logprob)
{
    const uint32_t count = lane->engine->vocabulary;
    struct elm_rng rng = elm_rng(q->seed, tokens);
    llama_token best = -1;
    for (uint32_t i = 0; i < count; i++) {
        if (admitted(mask, i) && logits[i] > -INFINITY && (best < 0 || logits[i] > logits[best]))
            best = (llama_token)i;
    }
    *logprob = 0;
    if (best < 0 || q->temperature <= 0)
        return best;
    double sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        float x = (logits[i] - logits[best]) / q->temperature;
        lane->weights[i] = admitted(mask, i) ? expf(x) : 0;
        sum += (double)lane->weights[i];
    }
    double left = elm_rng_unit(&rng) * sum;
    llama_token drawn = best;          /* where rounding leaves more than there is */
    for (uint32_t i = 0; i < count && left >= 0; i++) {
        left -= (double)lane->weights[i];
        if (left < 0)
            drawn = (llama_token)i;
    }
    *logprob = (float)log((double)lane->weights[drawn] / sum);
    return drawn;
}

static bool cancelled(void *lane)
{
    const struct lane *l = lane;
    return atomic_load_explicit(&l->engine->cancels, memory_order_relaxed) != l->cancels;
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static void lane_release(struct lane *lane)
{
    if (lane->ctx == NULL)
        return;
    llama_batch_free(lane->batch);
    llama_free(lane->ctx);
    lane->ctx = NULL;
    lane->slots = lane->width = 0;
}

/* How many slots of `width` tokens the memory of a lane holds. */
static uint32_t slots_for(const struct engine *e, uint32_t width)
{
    const struct llama_model *m = e->model;
    uint64_t heads = (uint64_t)llama_model_n_head(m), kv_heads = (uint64_t)llama_model_n_head_kv(m);
    uint64_t row = (uint64_t)llama_model_n_embd(m) / (heads > 0 ? heads : 1) * kv_heads;
    uint64_t bytes = 4 * row * (uint64_t)llama_model_n_layer(m) * width;    /* f16 key and value */
    uint64_t fit = LANE_BYTES / (bytes > 0 ? bytes : 1);
    return fit <= COMPANY + 1 ? 1 : fit > SLOTS_MAX ? SLOTS_MAX : (uint32_t)fit - COMPANY;
}

static bool lane_adapt(struct lane *lane)
{
    float scale = 1;
    struct llama_adapter_lora *adapter = lane->engine->adapter;
    return llama_set_adapters_lora(lane->ctx, &adapter, adapter != NULL, &scale) == 0;
}

/* A context with slots of at least `width` tokens: `slots` of them, or what memory allows. */
static bool lane_fit(struct engine *e, struct lane *lane, uint32_t slots, uint32_t width)
{
    width = larger((width + WIDTH_STEP - 1) / WIDTH_STEP * WIDTH_STEP, lane->width);
    slots = smaller(larger(slots, lane->slots), slots_for(e, width));
    if (lane->ctx != NULL && width == lane->width && slots <= lane->slots)
        return true;
    lane_release(lane);
    struct llama_context_params p = llama_context_default_params();
    p.n_batch = p.n_ubatch = SLOTS_MAX + COMPANY;
    p.n_threads = p.n_threads_batch = 1;
    p.kv_unified = false;
    p.abort_callback = cancelled;
    p.abort_callback_data = lane;
    for (; slots > 0 && lane->ctx == NULL; slots /= 2) {
        p.n_seq_max = slots + COMPANY;
        p.n_ctx = width * p.n_seq_max;
        p.n_outputs_max = p.n_seq_max;
        lane->slots = slots;
        lane->ctx = llama_init_from_model(e->model, p);
    }
    if (lane->ctx == NULL)
        return false;
    lane->batch = llama_batch_init(CHUNK, 0, 1);
    lane->width = llama_n_ctx_seq(lane->ctx);
    lane->beginning = (llama_seq_id)(lane->slots + COMPANY - 1);
    if (lane_adapt(lane))
        return true;
    lane_release(lane);
    return false;
}

static void batch_add(struct llama_batch *b, llama_token token, uint32_t position,
                      llama_seq_id sequence, bool output)
{
    int32_t i = b->n_tokens++;
    b->token[i] = token;
    b->pos[i] = (llama_pos)position;
    b->n_seq_id[i] = 1;
    b->seq_id[i][0] = sequence;
    b->logits[i] = output;
}

/* Tokens for nothing in the sequences from..to, which are free. output: with logits, because the
 * last layer computes only what has some. */
static void add_company(struct lane *lane, uint32_t from, uint32_t to, uint32_t tokens, bool output)
{
    for (uint32_t sequence = from; sequence < to; sequence++) {
        llama_memory_seq_rm(llama_get_memory(lane->ctx), (llama_seq_id)sequence, -1, -1);
        for (uint32_t i = 0; i < tokens; i++)
            batch_add(&lane->batch, 0, i, (llama_seq_id)sequence, output);
    }
}

/* Reads tokens from..count of a prompt into a sequence; the logits are those after the last. */
static int32_t prefill(struct lane *lane, const struct elm_buf *prompt, uint32_t from,
                       uint32_t count, llama_seq_id sequence)
{
    const llama_token *tokens = (const llama_token *)(const void *)prompt->ptr;
    while (from < count) {
        uint32_t some = smaller(count - from, CHUNK);
        bool alone = some >= COMPANY;
        some -= alone ? some % COMPANY : 0;
        lane->batch.n_tokens = 0;
        for (uint32_t end = from + some; from < end; from++)
            batch_add(&lane->batch, tokens[from], from, sequence, from + 1 == count);
        if (!alone)
            add_company(lane, (uint32_t)sequence + 1, (uint32_t)sequence + COMPANY, some, false);
        int32_t status = llama_decode(lane->ctx, lane->batch);
        if (status != 0)
            return status;
    }
    return 0;
}

/* Sets tokens aside for a request's worst case. False: the budget is spent. */
static bool hold(struct work *w, struct slot *s, uint32_t prompt)
{
    struct engine *e = w->e;
    s->held = (uint64_t)prompt + s->request->tokens_max;
    pthread_mutex_lock(&e->lock);
    bool fits = e->tokens_budget == 0 || e->tokens_held + s->held <= e->tokens_budget;
    if (fits)
        e->tokens_held += s->held;
    pthread_mutex_unlock(&e->lock);
    return fits;
}

/* An answer has ended: gives back what it was held and did not need. */
static void settle(struct work *w, struct slot *s)
{
    struct elm_backend_totals *t = &w->e->totals;
    const struct elm_reply *r = s->reply;
    pthread_mutex_lock(&w->e->lock);
    t->prompt_tokens += r->prompt_tokens;
    t->tokens += r->tokens;
    w->e->tokens_held -= s->held - (r->prompt_tokens + r->tokens);
    pthread_mutex_unlock(&w->e->lock);
    s->reply->wall_us = elm_clock_us() - w->from_us;
    elm_buf_clear(&w->prompts[s->request - w->requests]);
}

/* Appends the bytes of a token. */
static void append(const struct engine *e, llama_token token, struct elm_buf *text)
{
    int32_t room = 64;
    for (;;) {
        elm_buf_reserve(text, (size_t)room);
        int32_t got = llama_token_to_piece(e->vocab, token, text->ptr + text->len, room, 0, false);
        if (got >= 0) {
            text->len += (size_t)got;
            text->ptr[text->len] = 0;
            return;
        }
        room = -got;
    }
}

/* Cuts the text at the stop string, which reaches beyond its first `before` bytes. */
static bool stop_reached(const char *stop, struct elm_buf *text, size_t before)
{
    size_t len = stop != NULL ? strlen(stop) : 0;
    if (len == 0)
        return false;
    size_t from = before >= len ? before - len + 1 : 0;
    char *found = memmem(text->ptr + from, text->len - from, stop, len);
    if (found == NULL)
        return false;
    *found = 0;
    text->len = (size_t)(found - text->ptr);
    return true;
}

/* Adds a token to the reply. True: the answer ends with it. */
static bool push(const struct engine *e, struct slot *s, llama_token token, float logprob)
{
    const struct elm_request *q = s->request;
    struct elm_reply *r = s->reply;
    size_t before = r->text.len;
    elm_buf_add(&r->token_ids, &token, sizeof(token));
    elm_buf_add(&r->logprobs, &logprob, sizeof(logprob));
    append(e, token, &r->text);
    r->tokens++;
    s->last = token;
    r->end = ELM_REPLY_DONE;
    if (stop_reached(q->stop, &r->text, before))
        return true;
    bool reads = q->grammar == NULL || elm_mask_step(e->trie, q->grammar, &s->state,
                                                     (uint32_t)token);
    if (q->grammar != NULL && reads && elm_grammar_ended(q->grammar, &s->state))
        return true;
    r->end = ELM_REPLY_LENGTH;
    return !reads || r->tokens >= q->tokens_max || s->count >= s->end;
}

/* Draws the next token of a slot from the logits of output i. True: the answer has ended. */
static bool step(struct work *w, struct slot *s, int32_t i)
{
    const struct elm_request *q = s->request;
    const float *logits = llama_get_logits_ith(w->lane->ctx, i);
    const uint8_t *mask = q->grammar == NULL ? NULL : w->lane->mask;
    if (mask != NULL && !elm_mask_make(w->e->trie, q->grammar, &s->state, w->lane->mask)) {
        s->reply->end = ELM_REPLY_LENGTH;
        return true;
    }
    float logprob;
    llama_token token = -1;
    if (logits != NULL)
        token = draw(w->lane, logits, mask, q, s->reply->tokens, &logprob);
    if (token < 0) {
        fail_reply(s->reply, "the model's logits are no numbers");
        return true;
    }
    if (q->grammar == NULL && llama_vocab_is_eog(w->e->vocab, token)) {
        s->reply->end = ELM_REPLY_DONE;
        return true;
    }
    return push(w->e, s, token, logprob);
}

/* Begins the next request in the first slot that is free. */
static int32_t start(struct work *w)
{
    const struct elm_buf *prompt = &w->prompts[w->next];
    struct slot *s = &w->slots[w->used];
    llama_memory_t memory = llama_get_memory(w->lane->ctx);
    llama_seq_id sequence = (llama_seq_id)w->used;
    uint32_t i = w->next++, count = token_count(prompt);
    if (prompt->len == 0)
        return 0;
    *s = (struct slot){.request = &w->requests[i], .reply = &w->replies[i], .count = count,
                       .end = smaller(w->lane->width, w->e->context_max)};
    if (s->request->grammar != NULL)
        elm_grammar_start(s->request->grammar, &s->state);
    w->spent = w->spent || !hold(w, s, count);
    if (w->spent)
        return 0;
    w->used++;
    s->reply->prompt_tokens = count;
    if (w->shared > 0)
        llama_memory_seq_cp(memory, w->lane->beginning, sequence, -1, -1);
    else
        llama_memory_seq_rm(memory, sequence, -1, -1);
    int32_t status = prefill(w->lane, prompt, w->shared, count, sequence);
    if (status == 0 && step(w, s, -1)) {
        settle(w, s);
        w->used--;
    }
    return status;
}

/* A token more in every slot. */
static int32_t advance(struct work *w)
{
    struct llama_batch *b = &w->lane->batch;
    b->n_tokens = 0;
    for (uint32_t i = 0; i < w->used; i++)
        batch_add(b, w->slots[i].last, w->slots[i].count++, (llama_seq_id)i, true);
    add_company(w->lane, w->used, (w->used + COMPANY - 1) / COMPANY * COMPANY, 1, true);
    int32_t status = llama_decode(w->lane->ctx, *b);
    if (status != 0)
        return status;
    /* the last slot in use moves into the place of one that has ended */
    for (uint32_t i = w->used; i-- > 0;) {
        if (!step(w, &w->slots[i], (int32_t)i))
            continue;
        settle(w, &w->slots[i]);
        if (i != --w->used) {
            w->slots[i] = w->slots[w->used];
            llama_memory_seq_cp(llama_get_memory(w->lane->ctx), (llama_seq_id)w->used,
                                (llama_seq_id)i, -1, -1);
        }
    }
    return 0;
}

/* How many tokens of b, at most `most`, are those of a. */
static uint32_t same(const struct elm_buf *a, const struct elm_buf *b, uint32_t most)
{
    const llama_token *x = (const llama_token *)(const void *)a->ptr;
    const llama_token *y = (const llama_token *)(const void *)b->ptr;
    uint32_t n = 0;
    while (n < most && x[n] == y[n])
        n++;
    return n;
}

/* Turns the requests into tokens; the replies of those that can't be answered say why. Returns the
 * widest slot needed, 0 when there is nothing to answer. */
static uint32_t prepare(struct work *w)
{
    const struct engine *e = w->e;
    uint32_t widest = 0, answers = 0;
    for (uint32_t i = 0; i < w->count; i++) {
        const struct elm_request *r = &w->requests[i];
        struct elm_buf *tokens = &w->prompts[i];
        if (r->system.len + r->prompt.len < PROMPT_BYTES_MAX)
            encode(e, r, tokens);
        uint32_t count = token_count(tokens);
        if (count == 0 || count >= e->context_max) {
            fail_reply(&w->replies[i], "the prompt is empty or longer than the model's context");
            elm_buf_clear(tokens);
            continue;
        }
        widest = larger(widest, smaller(count + r->tokens_max, e->context_max));
        /* one token is left to read in each slot: its logits are the first to draw from */
        w->shared = answers++ == 0 ? count - 1
                                   : same(w->first, tokens, smaller(w->shared, count - 1));
        w->first = answers == 1 ? tokens : w->first;
    }
    w->shared = answers > 1 ? w->shared / CHUNK * CHUNK : 0;
    return widest;
}

/* Returns what llama.cpp says: 0 when all went well. */
static int32_t answer(struct work *w)
{
    int32_t status = 0;
    llama_memory_clear(llama_get_memory(w->lane->ctx), false);
    if (w->shared > 0)
        status = prefill(w->lane, w->first, 0, w->shared, w->lane->beginning);
    while (status == 0) {
        while (status == 0 && w->used < w->lane->slots && w->next < w->count)
            status = start(w);
        if (status != 0 || w->used == 0)
            break;
        status = advance(w);
    }
    return status;
}

/* The replies that have not come to an end say why. */
static void finish(struct work *w, const char *why)
{
    struct elm_backend_totals *t = &w->e->totals;
    uint64_t failed = 0;
    while (w->used > 0) {
        struct slot *s = &w->slots[--w->used];
        fail_reply(s->reply, why);
        settle(w, s);
    }
    for (uint32_t i = 0; i < w->count; i++) {
        if (w->prompts[i].len > 0)
            fail_reply(&w->replies[i], w->spent ? "the token budget is spent" : why);
        elm_buf_release(&w->prompts[i]);
        failed += w->replies[i].end == ELM_REPLY_FAILED;
    }
    free(w->prompts);
    pthread_mutex_lock(&w->e->lock);
    t->requests += w->count;
    t->failed += failed;
    pthread_mutex_unlock(&w->e->lock);
}

static enum elm_status engine_complete(void *self, uint32_t lane,
                                       const struct elm_request *requests, uint32_t count,
                                       struct elm_reply *replies, struct elm_error *err)
{
    struct engine *e = self;
    ELM_ASSERT(lane < e->lane_count);
    e->lanes[lane].cancels = atomic_load(&e->cancels);
    char why[64] = "no memory for llama.cpp's context";
    struct work w = {.e = e, .lane = &e->lanes[lane], .requests = requests, .replies = replies,
                     .count = count, .from_us = elm_clock_us(),
                     .prompts = elm_calloc(larger(count, 1), sizeof(struct elm_buf))};
    uint32_t widest = prepare(&w);
    if (widest > 0 && lane_fit(e, w.lane, smaller(count, SLOTS_MAX), widest))
        snprintf(why, sizeof(why), "llama.cpp could not decode: %d", answer(&w));
    finish(&w, why);
    if (cancelled(w.lane))
        return elm_fail(err, ELM_STOPPED, "cancelled");
    if (w.spent)
        return elm_fail(err, ELM_RANGE, "the token budget of %llu is spent",
                        (unsigned long long)e->tokens_budget);
    return ELM_OK;
}

static void engine_close(void *self)
{
    struct engine *e = self;
    for (uint32_t i = 0; i < e->lane_count; i++) {
        lane_release(&e->lanes[i]);
        free(e->lanes[i].mask);
        free(e->lanes[i].weights);
    }
    free(e->lanes);
    elm_vocabulary_trie_free(e->trie);
    free(e->with_system.text);
    free(e->without_system.text);
    llama_model_free(e->model);    /* and the adapter */
    pthread_mutex_destroy(&e->lock);
    free(e);
}

static enum elm_status readable(const char *what, const char *path, struct elm_error *err)
{
    complaint[0] = '\0';
    if (access(path, R_OK) == 0)
        return ELM_OK;
    return elm_fail(err, errno == ENOENT ? ELM_NOT_FOUND : ELM_IO, "%s '%s': %s", what, path,
                    strerror(errno));
}

/* What a prompt's tokens were with another adapter is in no lane: each call reads its prompts anew. */
static enum elm_status engine_adapt(void *self, const char *path, struct elm_error *err)
{
    struct engine *e = self;
    struct llama_adapter_lora *old = e->adapter, *new = NULL;
    if (path != NULL) {
        ELM_TRY(readable("adapter", path, err));
        new = llama_adapter_lora_init(e->model, path);
        if (new == NULL)
            return refuse("adapter", path, err);
    }
    e->adapter = new;
    /* a context that can't take it is made anew by the next call */
    for (uint32_t i = 0; i < e->lane_count; i++) {
        if (e->lanes[i].ctx != NULL && !lane_adapt(&e->lanes[i]))
            lane_release(&e->lanes[i]);
    }
    if (old != NULL)
        llama_adapter_lora_free(old);
    return ELM_OK;
}

static enum elm_status load_model(struct engine *e, const char *path, struct elm_error *err)
{
    ELM_TRY(readable("model", path, err));
    e->model = llama_model_load_from_file(path, llama_model_default_params());
    if (e->model == NULL)
        return refuse("model", path, err);
    if (llama_model_has_encoder(e->model) || !llama_model_has_decoder(e->model) ||
        llama_model_is_diffusion(e->model))
        return elm_fail(err, ELM_USAGE, "model '%s': it does not write one token after another; "
                        "llama answers with decoders only", path);
    return ELM_OK;
}

/* The bytes of every token, for masks; none of control tokens. */
static void load_trie(struct engine *e)
{
    struct elm_buf text = {0};
    size_t *starts = elm_calloc(e->vocabulary + 1, sizeof(*starts));
    struct elm_str *tokens = elm_calloc(e->vocabulary, sizeof(*tokens));
    for (uint32_t i = 0; i < e->vocabulary; i++) {
        if (!llama_vocab_is_control(e->vocab, (llama_token)i) &&
            !llama_vocab_is_eog(e->vocab, (llama_token)i))
            append(e, (llama_token)i, &text);
        starts[i + 1] = text.len;
    }
    for (uint32_t i = 0; i < e->vocabulary; i++)
        tokens[i] = (struct elm_str){text.ptr + starts[i], starts[i + 1] - starts[i]};
    e->trie = elm_vocabulary_trie_of(tokens, e->vocabulary);
    elm_buf_release(&text);
    free(tokens);
    free(starts);
}

static enum elm_status engine_open(const struct elm_backend_def *def, void **self,
                                   struct elm_error *err)
{
    if (def->model == NULL || def->lanes == 0)
        return elm_fail(err, ELM_USAGE, "the backend 'llama' needs a model: --model NAME or a "
                        "path (elm models lists them)");
    struct engine *e = elm_calloc(1, sizeof(*e));
    struct elm_buf path = {0};
    pthread_mutex_init(&e->lock, NULL);
    llama_log_set(hear, NULL);
    ggml_set_abort_callback(abandon);
    llama_backend_init();
    enum elm_status status = elm_model_find(def->model, NULL, &path, err);
    if (status == ELM_OK)
        status = load_model(e, path.ptr, err);
    elm_buf_release(&path);
    if (status == ELM_OK)
        status = engine_adapt(e, def->adapter, err);
    if (status != ELM_OK) {
        engine_close(e);
        return status;
    }
    e->vocab = llama_model_get_vocab(e->model);
    e->vocabulary = (uint32_t)llama_vocab_n_tokens(e->vocab);
    load_trie(e);
    e->context_max = (uint32_t)llama_model_n_ctx_train(e->model);
    e->tokens_budget = def->tokens_budget;
    e->tokens_held = def->tokens_spent;
    const char *template = llama_model_chat_template(e->model, NULL);
    e->chat = template != NULL;
    if (e->chat && !(frame_make(template, true, &e->with_system) &&
                     frame_make(template, false, &e->without_system))) {
        /* a template that llama.cpp does not know: the most usual one */
        frame_make("chatml", true, &e->with_system);
        frame_make("chatml", false, &e->without_system);
    }
    e->lane_count = def->lanes;
    e->lanes = elm_calloc(def->lanes, sizeof(e->lanes[0]));
    for (uint32_t i = 0; i < def->lanes; i++) {
        e->lanes[i].engine = e;
        e->lanes[i].weights = elm_calloc(e->vocabulary, sizeof(float));
        e->lanes[i].mask = elm_malloc(elm_mask_bytes(e->trie));
    }
    *self = e;
    return ELM_OK;
}

static void engine_cancel(void *self)
{
    atomic_fetch_add(&((struct engine *)self)->cancels, 1);
}

static void engine_totals(void *self, struct elm_backend_totals *out)
{
    struct engine *e = self;
    pthread_mutex_lock(&e->lock);
    *out = e->totals;
    pthread_mutex_unlock(&e->lock);
}

/* As the native backend's, times 2.5: so much longer takes a token of 135M parameters. */
static double engine_price_us(const void *self, uint32_t tokens)
{
    return (450e-6 + 15e-6 * tokens) *
           (double)llama_model_n_params(((const struct engine *)self)->model);
}

const struct elm_backend_kind elm_backend_llama = {
    .name = "llama",
    .summary = "any GGUF through llama.cpp; a GPU where it was built with CUDA",
    .masks = true,
    .local = true,
    .open = engine_open,
    .price_us = engine_price_us,
    .close = engine_close,
    .complete = engine_complete,
    .adapt = engine_adapt,
    .cancel = engine_cancel,
    .totals = engine_totals,
};
