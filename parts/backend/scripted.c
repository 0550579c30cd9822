/*
 * scripted: answers from a file, for tests and for trying a prompt. Answers stand one after the other,
 * a line "%%" between them; which one a request gets depends on its seed alone. Under a grammar the
 * answer is drawn at random from what it admits: the untrained control of every masked operator.
 */
#include "elm/backend.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCRIPT_BYTES_MAX ((size_t)16 << 20)
#define BYTES_A_TOKEN 4

struct scripted {
    struct elm_buf text;
    struct elm_str *answers;
    uint32_t count;
    pthread_mutex_t lock;
    struct elm_backend_totals totals;
};

static bool separates(const char *at, const char *first, const char *end)
{
    return (at == first || at[-1] == '\n') && end - at >= 2 && memcmp(at, "%%", 2) == 0 &&
           (end - at == 2 || at[2] == '\n');
}

static void split(struct scripted *s)
{
    const char *at = s->text.ptr, *end = at + s->text.len;
    for (bool more = true; more;) {
        const char *stop = at;
        while (stop < end && !separates(stop, at, end))
            stop++;
        s->answers = elm_realloc(s->answers, (s->count + 1) * sizeof(s->answers[0]));
        s->answers[s->count++] = (struct elm_str){at, (size_t)(stop - at)};
        more = stop < end;
        at = end - stop > 3 ? stop + 3 : end;
    }
}

static enum elm_status scripted_open(const struct elm_backend_def *def, void **self,
                                     struct elm_error *err)
{
    struct scripted *s = elm_calloc(1, sizeof(*s));
    enum elm_status status = ELM_OK;
    if (def->script != NULL)
        status = elm_file_read(def->script, SCRIPT_BYTES_MAX, &s->text, err);
    if (status != ELM_OK) {
        elm_buf_release(&s->text);
        free(s);
        return status;
    }
    elm_buf_reserve(&s->text, 1);
    split(s);
    pthread_mutex_init(&s->lock, NULL);
    *self = s;
    return ELM_OK;
}

static void scripted_close(void *self)
{
    struct scripted *s = self;
    elm_buf_release(&s->text);
    free(s->answers);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

/* A walk over admitted bytes; false where it is cut off before it ends by itself. */
static bool draw(const struct elm_request *request, struct elm_buf *text)
{
    const struct elm_grammar *g = request->grammar;
    struct elm_rng rng = elm_rng(request->seed, 0);
    struct elm_grammar_state state;
    elm_grammar_start(g, &state);
    size_t most = (size_t)request->tokens_max * BYTES_A_TOKEN;
    while (text->len < most && !elm_grammar_ended(g, &state)) {
        uint8_t admitted[256];
        uint32_t count = 0;
        for (int c = 0; c < 256; c++) {
            struct elm_grammar_state next = state;
            if (elm_grammar_step(g, &next, (uint8_t)c))
                admitted[count++] = (uint8_t)c;
        }
        if (count == 0)
            return false;
        uint8_t byte = admitted[elm_rng_below(&rng, count)];
        elm_grammar_step(g, &state, byte);
        elm_buf_byte(text, byte);
    }
    return elm_grammar_ended(g, &state);
}

static void answer(const struct scripted *s, const struct elm_request *request,
                   struct elm_reply *reply)
{
    reply->end = ELM_REPLY_DONE;
    if (request->grammar != NULL) {
        if (!draw(request, &reply->text))
            reply->end = ELM_REPLY_LENGTH;
    } else {
        struct elm_str text = s->answers[request->seed % s->count];
        const char *stop = request->stop == NULL
                               ? NULL
                               : memmem(text.ptr, text.len, request->stop, strlen(request->stop));
        text.len = stop == NULL ? text.len : (size_t)(stop - text.ptr);
        elm_buf_add_str(&reply->text, text);
    }
    reply->prompt_tokens = (uint32_t)(request->prompt.len / BYTES_A_TOKEN + 1);
    reply->tokens = (uint32_t)(reply->text.len / BYTES_A_TOKEN + 1);
}

static enum elm_status scripted_complete(void *self, uint32_t lane,
                                         const struct elm_request *requests, uint32_t count,
                                         struct elm_reply *replies, struct elm_error *err)
{
    struct scripted *s = self;
    (void)lane;
    (void)err;
    for (uint32_t i = 0; i < count; i++) {
        answer(s, &requests[i], &replies[i]);
        pthread_mutex_lock(&s->lock);
        s->totals.requests++;
        s->totals.prompt_tokens += replies[i].prompt_tokens;
        s->totals.tokens += replies[i].tokens;
        pthread_mutex_unlock(&s->lock);
    }
    return ELM_OK;
}

static void scripted_cancel(void *self)
{
    (void)self;
}

static void scripted_totals(void *self, struct elm_backend_totals *out)
{
    struct scripted *s = self;
    pthread_mutex_lock(&s->lock);
    *out = s->totals;
    pthread_mutex_unlock(&s->lock);
}

static double scripted_price_us(const void *self, uint32_t tokens)
{
    (void)self;
    return 30 + tokens;
}

const struct elm_backend_kind elm_backend_scripted = {
    .name = "scripted",
    .summary = "answers from a file, or drawn at random from a grammar; for tests",
    .masks = true,
    .local = true,
    .open = scripted_open,
    .price_us = scripted_price_us,
    .close = scripted_close,
    .complete = scripted_complete,
    .cancel = scripted_cancel,
    .totals = scripted_totals,
};
