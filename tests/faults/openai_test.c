/* openai against servers that fail in every way they can. Whatever happens: a typed reply, nothing
 * charged twice, no hanging. */
#include "../openai_rig.h"

#include <time.h>

#include <jansson.h>

/* ---- what is sent and what comes back ---- */
static void serve_raw_document(struct fake *f, int fd, uint32_t number, const char *request)
{
    (void)f;
    (void)number;
    (void)request;
    fake_status(fd, "200 OK", "Content-Type: application/json\r\n",
                "{\"choices\":[{\"text\":\" a;}\",\"finish_reason\":\"length\"}]}");
}

static void a_request_and_its_answer(void **state)
{
    (void)state;
    struct fake f;
    struct rig r;
    setenv("ELM_TEST_KEY", KEY "\n", 1);
    fake_start(&f, serve_well, NULL);
    rig_init(&r, f.port);
    r.def.endpoints[0].key_env = "ELM_TEST_KEY";
    r.def.endpoints[0].money_in = 1e6;
    r.def.endpoints[0].money_out = 2e6;
    rig_open(&r);
    /* the key is in memory by now: what starts later need not see it */
    unsetenv("ELM_TEST_KEY");
    r.requests[0].stop = "a;";
    elm_buf_add_str(&r.requests[0].system, ELM_STR("write C"));
    assert_int_equal(rig_ask(&r, 1), ELM_OK);
    assert_text(&r.replies[0], "return ");
    assert_int_equal(r.replies[0].end, ELM_REPLY_DONE);
    assert_true(r.replies[0].prompt_tokens == 11 && r.replies[0].tokens == 7);
    assert_true(r.replies[0].money == 11 + 14);
    const char *body = strstr(f.requests[0], "\r\n\r\n"), *key = strstr(f.requests[0], KEY);
    assert_non_null(strstr(f.requests[0], "POST /v1/chat/completions HTTP/1.1\r\n"));
    assert_non_null(strstr(f.requests[0], "\r\nIdempotency-Key: elm-0000000000000001-"));
    /* once, in one header */
    assert_memory_equal(key - 24, "\r\nAuthorization: Bearer ", 24);
    assert_true(key < body && strstr(key + 1, KEY) == NULL);
    json_t *sent = json_loads(body + 4, 0, NULL);
    assert_non_null(sent);
    assert_string_equal(json_string_value(json_object_get(sent, "model")), "m");
    json_decref(sent);
    rig_close(&r);
    fake_stop(&f);
}

static void a_raw_request(void **state)
{
    (void)state;
    struct fake f;
    struct rig r;
    fake_start(&f, serve_raw_document, NULL);
    rig_init(&r, f.port);
    rig_open(&r);
    r.requests[0].raw = true;
    assert_int_equal(rig_ask(&r, 1), ELM_OK);
    assert_text(&r.replies[0], " a;}");
    assert_int_equal(r.replies[0].end, ELM_REPLY_LENGTH);
    /* nobody counted: a quarter of the bytes */
    assert_true(r.replies[0].prompt_tokens == 3 && r.replies[0].tokens == 1);
    assert_non_null(strstr(f.requests[0], "POST /v1/completions "));
    assert_null(strstr(f.requests[0], "Authorization"));
    rig_close(&r);
    fake_stop(&f);
}

/* ---- answers that are none ---- */
static void serve_table(struct fake *f, int fd, uint32_t number, const char *request)
{
    (void)number;
    (void)request;
    fake_say(fd, f->ctx);
}

static void malformed_answers_fail_once(void **state)
{
    (void)state;
    static const struct { const char *bytes, *why; } cases[] = {
        {OK_HEAD "data: {\n\ndata: [DONE]\n\n", "not JSON"},
        {OK_HEAD "data: {\"choices\":[{\"delta\":{\"content\":\"\xe2\x82\"}}]}\n\n", "not JSON"},
        {OK_HEAD "<html><body>Bad gateway</body></html>", "web page"},
        {OK_HEAD "{\"choices\":[]}", "no choices"},
        {OK_HEAD "{\"choices\":{}}", "not an array"},
        {OK_HEAD "{\"choices\":[{\"message\":{\"content\":null}}]}", "null"},
        {OK_HEAD "{\"choices\":[{\"message\":{\"content\":null,\"tool_calls\":[{}]}}]}", "tool call"},
        {OK_HEAD "{\"choices\":[{\"message\":{\"content\":{}}}]}", "not a string"},
        {"HTTP/1.1 400 Bad\r\nContent-Length: 27\r\n\r\n{\"error\":\"context is full\"}", "400: context is full"},
        {"HTTP/1.1 413 Large\r\nContent-Length: 0\r\n\r\n", "413"},
        {"HTTP/1.1 501 No\r\nContent-Length: 0\r\n\r\n", "501"},
    };
    for (size_t i = 0; i < ELM_COUNT(cases); i++) {
        struct fake f;
        struct rig r;
        fake_start(&f, serve_table, (void *)(uintptr_t)cases[i].bytes);
        rig_init(&r, f.port);
        rig_open(&r);
        assert_int_equal(rig_ask(&r, 1), ELM_OK);
        assert_why(&r.replies[0], cases[i].why);
        assert_int_equal(r.totals.failed, 1);
        assert_int_equal(r.totals.retried, 0);
        assert_int_equal(fake_connections(&f), 1);
        rig_close(&r);
        fake_stop(&f);
    }
}

/* What is no HTTP, or ends too early, may be better the next time. */
static void broken_connections_are_tried_again(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "", "SSH-2.0-OpenSSH\r\n", "HTTP/1.1 200 OK\r\n", OK_HEAD, OK_HEAD ": ping\n\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"choices\":[",
        OK_HEAD "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        OK_HEAD "data: {\"error\":{\"code\":503,\"message\":\"busy\"}}\n\n",
    };
    for (size_t i = 0; i < ELM_COUNT(cases); i++) {
        struct fake f;
        struct rig r;
        fake_start(&f, serve_table, (void *)(uintptr_t)cases[i]);
        rig_init(&r, f.port);
        r.def.chunk_timeout_ms = 160;    /* short pauses */
        rig_open(&r);
        assert_int_equal(rig_ask(&r, 1), ELM_OK);
        assert_int_equal(r.replies[0].end, ELM_REPLY_FAILED);
        assert_int_equal(r.totals.retried, 4);
        assert_int_equal(fake_connections(&f), 5);
        /* the same request each time */
        assert_string_equal(f.requests[0], f.requests[4]);
        rig_close(&r);
        fake_stop(&f);
    }
}

static void serve_endless(struct fake *f, int fd, uint32_t number, const char *request)
{
    (void)f;
    (void)request;
    char bytes[65536];
    memset(bytes, 'x', sizeof(bytes));
    fake_say(fd, number == 0 ? OK_HEAD "{\"choices\":[{\"message\":{\"content\":\""
                 : number == 1 ? OK_HEAD : "HTTP/1.1 200 OK\r\nX: ");
    for (int i = 0; i < 1600; i++) {
        static const char chunk[] = "data: {\"choices\":[{\"delta\":{\"content\":\"for ever and \"}}]}\n\n";
        if (number == 1)
            fake_say(fd, chunk);
        else
            fake_send(fd, bytes, sizeof(bytes));
    }
}

static void endless_answers_are_cut(void **state)
{
    (void)state;
    struct fake f;
    struct rig r;
    fake_start(&f, serve_endless, NULL);
    rig_init(&r, f.port);
    rig_open(&r);
    assert_int_equal(rig_ask(&r, 1), ELM_OK);
    assert_why(&r.replies[0], "16 MiB");
    assert_int_equal(rig_ask(&r, 1), ELM_OK);
    assert_int_equal(r.replies[0].end, ELM_REPLY_LENGTH);
    assert_int_equal(r.replies[0].text.len, 20 * ELM_ANSWER_TOKEN_BYTES);
    /* more than was allowed, and so it counts */
    assert_in_range(r.replies[0].tokens, 20 * ELM_ANSWER_TOKEN_BYTES / 4,
                    20 * ELM_ANSWER_TOKEN_BYTES / 4 + 5);
    assert_int_equal(rig_ask(&r, 1), ELM_OK);
    assert_int_equal(r.replies[0].end, ELM_REPLY_FAILED);
    rig_close(&r);
    fake_stop(&f);
}

/* ---- too many requests ---- */
static void serve_429(struct fake *f, int fd, uint32_t number, const char *request)
{
    if (number > 0) {
        serve_well(f, fd, number, request);
        return;
    }
    char headers[100];
    time_t later = time(NULL) + 2;
    struct tm t;
    gmtime_r(&later, &t);
    if (f->ctx == NULL)
        strcpy(headers, "Retry-After: 1\r\n");
    else
        strftime(headers, sizeof(headers), "Retry-After: %a, %d %b %Y %H:%M:%S GMT\r\n", &t);
    fake_status(fd, "429 Too Many Requests", headers, "{\"error\":{\"message\":\"slow down\"}}");
}

static void retry_after_is_honoured(void **state)
{
    (void)state;
    for (int date = 0; date < 2; date++) {
        struct fake f;
        struct rig r;
        fake_start(&f, serve_429, date ? &f : NULL);
        rig_init(&r, f.port);
        r.def.in_flight = 1;
        rig_open(&r);
        /* the second one waits, too: the server asked all */
        assert_int_equal(rig_ask(&r, 2), ELM_OK);
        assert_text(&r.replies[0], "return a;");
        assert_text(&r.replies[1], "return a;");
        assert_in_range(r.took_ms, 995, 3500);
        assert_int_equal(r.totals.retried, 1);
        assert_int_equal(r.totals.tokens, 14);
        rig_close(&r);
        fake_stop(&f);
    }
}

static void serve_busy_for_hours(struct fake *f, int fd, uint32_t number, const char *request)
{
    (void)f;
    (void)number;
    (void)request;
    fake_status(fd, "429 Too Many Requests", "Retry-After: 7200\r\n", "");
}

static void a_long_wait_is_not_waited_for(void **state)
{
    (void)state;
    struct fake f, other;
    struct rig r;
    fake_start(&f, serve_busy_for_hours, NULL);
    fake_start(&other, serve_well, NULL);
    rig_init(&r, f.port);
    rig_open(&r);
    assert_int_equal(rig_ask(&r, 3), ELM_OK);
    assert_why(&r.replies[0], "asks to wait 72");
    assert_int_equal(rig_ask(&r, 3), ELM_OK);
    assert_in_range(r.took_ms, 0, 1000);
    assert_int_equal(r.totals.tokens, 0);
    rig_close(&r);
    /* nor where there is another server */
    rig_init(&r, f.port);
    rig_server(&r, other.port);
    rig_open(&r);
    assert_int_equal(rig_ask(&r, 10), ELM_OK);
    for (int i = 0; i < 10; i++)
        assert_text(&r.replies[i], "return a;");
    rig_close(&r);
    fake_stop(&f);
    fake_stop(&other);
}

/* ---- servers that fail for a while ---- */
static void serve_failures(struct fake *f, int fd, uint32_t number, const char *request)
{
    static const char *const lines[] = {"500 Internal Server Error", "502 Bad Gateway",
                                        "503 Service Unavailable", "529 Overloaded"};
    if (number < ELM_COUNT(lines))
        fake_status(fd, lines[number], "", "<html>sorry</html>");
    else
        serve_well(f, fd, number, request);
}

static void four_failures_are_survived(void **state)
{
    (void)state;
    struct fake f;
    struct rig r;
    fake_start(&f, serve_failures, NULL);
    rig_init(&r, f.port);
    rig_open(&r);
    assert_int_equal(rig_ask(&r, 1), ELM_OK);
    assert_text(&r.replies[0], "return a;");
    assert_int_equal(r.totals.retried, 4);
    /* pauses of 75 ms, doubled, each at least half as long */
    assert_in_range(r.took_ms, 75 * 15 / 2, 3000);
    assert_int_equal(r.totals.tokens, 7);
    rig_close(&r);
    fake_stop(&f);
}

struct outage {
    pthread_mutex_t lock;
    bool over;
};

static void serve_outage(struct fake *f, int fd, uint32_t number, const char *request)
{
    struct outage *o = f->ctx;
    pthread_mutex_lock(&o->lock);
    bool over = o->over;
    pthread_mutex_unlock(&o->lock);
    if (over)
        serve_well(f, fd, number, request);
    else
        fake_status(fd, "503 Service Unavailable", "", "");
}

static void a_circuit_breaks_and_closes(void **state)
{
    (void)state;
    struct fake f;
    struct rig r;
    struct outage o = {.lock = PTHREAD_MUTEX_INITIALIZER};
    fake_start(&f, serve_outage, &o);
    rig_init(&r, f.port);
    r.def.chunk_timeout_ms = 240;      /* base 30 ms, first pause 300 ms */
    rig_open(&r);
    assert_int_equal(rig_ask(&r, 8), ELM_OK);
    uint32_t asked = fake_connections(&f);
    assert_in_range(asked, 5, 40);
    /* left alone: fails at once, with a reason, and asks nobody */
    assert_int_equal(rig_ask(&r, 8), ELM_OK);
    assert_why(&r.replies[7], "left alone");
    assert_non_null(strstr(r.totals.note, "left alone"));
    assert_in_range(r.took_ms, 0, 1000);
    assert_int_equal(fake_connections(&f), asked);
    /* one request tries, the others are spared */
    usleep(320000);
    assert_int_equal(rig_ask(&r, 8), ELM_OK);
    assert_int_equal(fake_connections(&f), asked + 1);
    pthread_mutex_lock(&o.lock);
    o.over = true;
    pthread_mutex_unlock(&o.lock);
    usleep(620000);
    assert_int_equal(rig_ask(&r, 1), ELM_OK);
    assert_text(&r.replies[0], "return a;");
    assert_int_equal(rig_ask(&r, 8), ELM_OK);
    for (int i = 0; i < 8; i++)
        assert_text(&r.replies[i], "return a;");
    assert_string_equal(r.totals.note, "");
    rig_close(&r);
    fake_stop(&f);
}

/* ---- connections ---- */
static void nobody_listens(void **state)
{
    (void)state;
    struct rig r;
    uint16_t port;
    close(fake_listen(1, &port));
    rig_init(&r, port);
    r.def.chunk_timeout_ms = 160;
    rig_open(&r);
    assert_int_equal(rig_ask(&r, 3), ELM_OK);
    assert_why(&r.replies[0], "connect");
    assert_true(r.totals.tokens == 0 && r.totals.prompt_tokens == 0);
    rig_close(&r);
}

/* Fills the queue of a socket that nobody accepts from: further connections get no answer. */
static void fill_queue(uint16_t port, int fds[4])
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)},
                             .sin_port = htons(port)};
    for (int i = 0; i < 4; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        assert_true(fds[i] >= 0);
        connect(fds[i], (struct sockaddr *)&at, sizeof(at));
    }
}

static void a_black_hole_is_left(void **state)
{
    (void)state;
    struct fake f;
    struct rig r;
    uint16_t port;
    int hole = fake_listen(0, &port), fds[4];
    fill_queue(port, fds);
    fake_start(&f, serve_well, NULL);
    rig_init(&r, port);
    r.def.chunk_timeout_ms = 300;
    rig_server(&r, f.port);
    rig_open(&r);
    assert_int_equal(rig_ask(&r, 8), ELM_OK);
    for (int i = 0; i < 8; i++)
        assert_text(&r.replies[i], "return a;");
    /* nothing was asked there, so nothing was spent there */
    assert_int_equal(r.totals.tokens, 8 * 7);
    assert_true(r.totals.retried > 0);
    rig_close(&r);
    fake_stop(&f);
    for (int i = 0; i < 4; i++)
        close(fds[i]);
    close(hole);
}

#define PART OK_HEAD "data: {\"choices\":[{\"delta\":{\"content\":\"hal\"}}]}\n\n"

static void serve_stall(struct fake *f, int fd, uint32_t number, const char *request)
{
    if (number >= 2) {
        serve_well(f, fd, number, request);
        return;
    }
    if (number == 1)
        fake_say(fd, PART);
    fake_hold(fd);
}

static void stall_twice(double money_out, uint64_t tokens)
{
    struct fake f;
    struct rig r;
    fake_start(&f, serve_stall, NULL);
    rig_init(&r, f.port);
    r.def.chunk_timeout_ms = 300;
    r.def.endpoints[0].money_out = money_out;
    rig_open(&r);
    assert_int_equal(rig_ask(&r, 1), ELM_OK);
    assert_text(&r.replies[0], "return a;");
    assert_int_equal(r.totals.retried, 2);
    /* the first byte may take three times as long */
    assert_in_range(r.took_ms, 4 * 300, 4 * 300 + 1500);
    assert_int_equal(r.totals.tokens, tokens);
    assert_int_equal(r.totals.prompt_tokens, 11 + 2 * 3);
    rig_close(&r);
    fake_stop(&f);
}

static void silence_is_a_failure(void **state)
{
    (void)state;
    /* what nobody saw the end of counts at its worst, once each */
    stall_twice(1, 7 + 2 * 20);
    /* where it is free, what was seen counts: "hal" */
    stall_twice(0, 7 + 1);
}

static void serve_one_by_one(struct fake *f, int fd, uint32_t number, const char *request)
{
    pthread_mutex_lock(f->ctx);
    usleep(120000);
    serve_well(f, fd, number, request);
    pthread_mutex_unlock(f->ctx);
}

/* The last one hears nothing for a second, but others are heard. */
static void waiting_in_a_queue_is_no_silence(void **state)
{
    (void)state;
    struct fake f;
    struct rig r;
    pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
    fake_start(&f, serve_one_by_one, &turn);
    rig_init(&r, f.port);
    r.def.chunk_timeout_ms = 150;
    rig_open(&r);
    assert_int_equal(rig_ask(&r, 9), ELM_OK);
    for (int i = 0; i < 9; i++)
        assert_text(&r.replies[i], "return a;");
    assert_int_equal(r.totals.retried, 0);
    assert_true(r.took_ms > 2 * 3 * 150);
    rig_close(&r);
    fake_stop(&f);
}

static void serve_reset(struct fake *f, int fd, uint32_t number, const char *request)
{
    if (number == 2) {
        serve_well(f, fd, number, request);
        return;
    }
    if (number == 1) {
        fake_say(fd, PART);
        usleep(50000);
    }
    fake_reset(fd);
}

static void resets_are_tried_again(void **state)
{
    (void)state;
    struct fake f;
    struct rig r;
    fake_start(&f, serve_reset, NULL);
    rig_init(&r, f.port);
    rig_open(&r);
    assert_int_equal(rig_ask(&r, 1), ELM_OK);
    assert_text(&r.replies[0], "return a;");
    assert_int_equal(r.totals.retried, 2);
    rig_close(&r);
    fake_stop(&f);
}

static void serve_slowly(struct fake *f, int fd, uint32_t number, const char *request)
{
    (void)f;
    (void)number;
    (void)request;
    /* bytes one by one, characters in two, for longer than silence may last */
    const char *text = OK_HEAD "data: {\"choices\":[{\"delta\":{\"content\":\"\xc3\xa9\xe2\x82\xac\"},"
                       "\"finish_reason\":\"stop\"}]}\n\n";
    for (size_t i = 0; text[i] != '\0'; i++) {
        fake_send(fd, text + i, 1);
        usleep(8000);
    }
}

static void slow_bytes_are_no_silence(void **state)
{
    (void)state;
    struct fake f;
    struct rig r;
    fake_start(&f, serve_slowly, NULL);
    rig_init(&r, f.port);
    rig_open(&r);
    assert_int_equal(rig_ask(&r, 2), ELM_OK);
    assert_text(&r.replies[0], "\xc3\xa9\xe2\x82\xac");
    assert_text(&r.replies[1], "\xc3\xa9\xe2\x82\xac");
    assert_true(r.took_ms > CHUNK_MS && r.totals.retried == 0);
    rig_close(&r);
    fake_stop(&f);
}

static void serve_drip(struct fake *f, int fd, uint32_t number, const char *request)
{
    (void)f;
    (void)number;
    (void)request;
    fake_say(fd, OK_HEAD);
    for (int i = 0; i < 1000; i++) {
        if (send(fd, ": ping\n", 7, MSG_NOSIGNAL) < 0)
            return;
        usleep(20000);
    }
}

static void a_drip_ends(void **state)
{
    (void)state;
    struct fake f;
    struct rig r;
    fake_start(&f, serve_drip, NULL);
    rig_init(&r, f.port);
    r.def.chunk_timeout_ms = 150;
    rig_open(&r);
    assert_int_equal(rig_ask(&r, 4), ELM_OK);
    assert_why(&r.replies[3], "does not end");
    assert_in_range(r.took_ms, 1400, 3000);
    assert_int_equal(fake_connections(&f), 4);
    rig_close(&r);
    fake_stop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_and_its_answer),
        cmocka_unit_test(a_raw_request),
        cmocka_unit_test(malformed_answers_fail_once),
        cmocka_unit_test(broken_connections_are_tried_again),
        cmocka_unit_test(endless_answers_are_cut),
        cmocka_unit_test(retry_after_is_honoured),
        cmocka_unit_test(a_long_wait_is_not_waited_for),
        cmocka_unit_test(four_failures_are_survived),
        cmocka_unit_test(a_circuit_breaks_and_closes),
        cmocka_unit_test(nobody_listens),
        cmocka_unit_test(a_black_hole_is_left),
        cmocka_unit_test(silence_is_a_failure),
        cmocka_unit_test(waiting_in_a_queue_is_no_silence),
        cmocka_unit_test(resets_are_tried_again),
        cmocka_unit_test(slow_bytes_are_no_silence),
        cmocka_unit_test(a_drip_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
