/* openai_rig: what the tests of the openai backend share: a backend, its requests, and what came of
 * them. */
#ifndef ELM_TESTS_OPENAI_RIG_H
#define ELM_TESTS_OPENAI_RIG_H

#include "fake_server.h"

#include "elm/remote.h"

#define KEY "sk-very-secret-0123456789abcdef"
#define CHUNK_MS 600
#define REQUESTS_MAX 64
#define OK_HEAD "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
#define PROMPT "int f(int a)"      /* 3 tokens by its bytes */

extern const struct elm_backend_kind elm_backend_openai;
static const struct elm_backend_kind *const kind = &elm_backend_openai;

/* A backend, its requests and what came of them. */
struct rig {
    struct elm_backend_def def;
    char urls[ELM_ENDPOINTS_MAX][64];
    void *backend;
    struct elm_request requests[REQUESTS_MAX];
    struct elm_reply replies[REQUESTS_MAX];
    struct elm_backend_totals totals;
    struct elm_error err;
    int64_t took_ms;
};

static inline void rig_server(struct rig *r, uint16_t port)
{
    uint32_t i = r->def.endpoint_count++;
    snprintf(r->urls[i], sizeof(r->urls[i]), "http://127.0.0.1:%u/v1", port);
    r->def.endpoints[i] = (struct elm_endpoint){.url = r->urls[i], .model = "m", .weight = 1};
}

static inline void rig_init(struct rig *r, uint16_t port)
{
    *r = (struct rig){.def = {.lanes = 1, .chunk_timeout_ms = CHUNK_MS}};
    rig_server(r, port);
}

static inline void rig_open(struct rig *r)
{
    if (kind->open(&r->def, &r->backend, &r->err) != ELM_OK)
        fail_msg("%s", r->err.message);
    for (uint32_t i = 0; i < REQUESTS_MAX; i++) {
        r->requests[i] = (struct elm_request){.seed = i + 1, .tokens_max = 20, .temperature = 0.5f};
        elm_buf_add_str(&r->requests[i].prompt, ELM_STR(PROMPT));
    }
}

/* Asks the first `count`; checks that the replies say what the totals say. */
static inline enum elm_status rig_ask(struct rig *r, uint32_t count)
{
    struct elm_backend_totals before;
    uint64_t tokens = 0, prompt_tokens = 0;
    double money = 0;
    kind->totals(r->backend, &before);
    int64_t start = elm_clock_us();
    enum elm_status status = kind->complete(r->backend, 0, r->requests, count, r->replies, &r->err);
    r->took_ms = (elm_clock_us() - start) / 1000;
    kind->totals(r->backend, &r->totals);
    for (uint32_t i = 0; i < count; i++) {
        const struct elm_reply *p = &r->replies[i];
        tokens += p->tokens;
        prompt_tokens += p->prompt_tokens;
        money += p->money;
        assert_int_equal(p->end == ELM_REPLY_FAILED, p->why[0] != '\0');
        assert_null(strstr(p->why, KEY));
    }
    assert_int_equal(r->totals.tokens - before.tokens, tokens);
    assert_int_equal(r->totals.prompt_tokens - before.prompt_tokens, prompt_tokens);
    assert_true(r->totals.money - before.money - money < 1e-9);
    assert_int_equal(r->totals.requests - before.requests, count);
    assert_null(strstr(r->totals.note, KEY));
    return status;
}

static inline void rig_close(struct rig *r)
{
    kind->close(r->backend);
    for (uint32_t i = 0; i < REQUESTS_MAX; i++) {
        elm_request_release(&r->requests[i]);
        elm_reply_release(&r->replies[i]);
    }
}

static inline void assert_text(const struct elm_reply *r, const char *text)
{
    if (r->end == ELM_REPLY_FAILED)
        fail_msg("no '%s' but: %s", text, r->why);
    assert_int_equal(r->text.len, strlen(text));
    assert_memory_equal(r->text.ptr, text, r->text.len);
}

static inline void assert_why(const struct elm_reply *r, const char *why)
{
    if (r->end != ELM_REPLY_FAILED || strstr(r->why, why) == NULL)
        fail_msg("no '%s' but end %d: %s", why, r->end, r->why);
}

static inline void serve_well(struct fake *f, int fd, uint32_t number, const char *request)
{
    (void)f;
    (void)number;
    (void)request;
    fake_answer(fd, "return a;", 11, 7);
}

#endif
