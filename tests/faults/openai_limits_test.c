/* openai within its limits: servers that are to be left, keys, budgets, requests in flight, several
 * servers, answers that come twice, and the end of it all. */
#include "../openai_rig.h"

#include <netinet/in.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* ---- servers that no second try mends ---- */
struct refusal {
    const char *line, *headers, *body, *note;
};

static void serve_refusal(struct fake *f, int fd, uint32_t number, const char *request)
{
    const struct refusal *r = f->ctx;
    (void)number;
    (void)request;
    fake_status(fd, r->line, r->headers, r->body);
}

static void hopeless_servers_are_left(void **state)
{
    (void)state;
    static const struct refusal cases[] = {
        {"401 Unauthorized", "", "{\"error\":{\"message\":\"wrong key " KEY "\"}}", "401, it wants a key"},
        {"402 Payment Required", "", "", "no credit"},
        {"403 Forbidden", "", "<html>", "403"},
        {"404 Not Found", "", "{\"detail\":\"Not Found\"}", "404, no such path or model"},
        {"429 Too Many Requests", "Retry-After: 1\r\n",
         "{\"error\":{\"code\":\"insufficient_quota\",\"message\":\"pay\"}}", "no credit"},
    };
    for (size_t i = 0; i < ELM_COUNT(cases); i++) {
        struct fake f;
        struct rig r;
        fake_start(&f, serve_refusal, (void *)(uintptr_t)&cases[i]);
        rig_init(&r, f.port);
        r.def.in_flight = 2;
        rig_open(&r);
        assert_int_equal(rig_ask(&r, 16), ELM_OK);
        /* only those that were under way */
        assert_in_range(fake_connections(&f), 1, 2);
        for (int k = 0; k < 16; k++)
            assert_why(&r.replies[k], cases[i].note);
        assert_non_null(strstr(r.totals.note, cases[i].note));
        assert_int_equal(r.totals.retried, 0);
        assert_int_equal(r.totals.tokens, 0);
        assert_int_equal(rig_ask(&r, 16), ELM_OK);
        assert_in_range(r.took_ms, 0, 1000);
        assert_in_range(fake_connections(&f), 1, 2);
        rig_close(&r);
        fake_stop(&f);
    }
}

static void serve_redirect(struct fake *f, int fd, uint32_t number, const char *request)
{
    const struct fake *other = f->ctx;
    char headers[100];
    (void)number;
    (void)request;
    snprintf(headers, sizeof(headers), "Location: http://127.0.0.1:%u/v1/chat/completions\r\n",
             other->port);
    fake_status(fd, "308 Permanent Redirect", headers, "");
}

/* A key goes where it was meant to go. */
static void redirects_are_not_followed(void **state)
{
    (void)state;
    struct fake f, other;
    struct rig r;
    fake_start(&other, serve_well, NULL);
    fake_start(&f, serve_redirect, &other);
    rig_init(&r, f.port);
    rig_open(&r);
    assert_int_equal(rig_ask(&r, 1), ELM_OK);
    assert_why(&r.replies[0], "redirects");
    assert_non_null(strstr(r.totals.note, "redirects"));
    assert_int_equal(fake_connections(&other), 0);
    rig_close(&r);
    fake_stop(&f);
    fake_stop(&other);
}

static void another_server_takes_over(void **state)
{
    (void)state;
    static const struct refusal gone = {"404 Not Found", "", "", ""};
    struct fake f, well;
    struct rig r;
    fake_start(&f, serve_refusal, (void *)(uintptr_t)&gone);
    fake_start(&well, serve_well, NULL);
    rig_init(&r, f.port);
    for (int i = 0; i < 6; i++)
        rig_server(&r, f.port);
    rig_server(&r, well.port);
    rig_open(&r);
    assert_int_equal(rig_ask(&r, 16), ELM_OK);
    for (int k = 0; k < 16; k++)
        assert_text(&r.replies[k], "return a;");
    assert_int_equal(r.totals.failed, 0);
    assert_non_null(strstr(r.totals.note, "404"));
    rig_close(&r);
    fake_stop(&f);
    fake_stop(&well);
}

static void serve_picky(struct fake *f, int fd, uint32_t number, const char *request)
{
    if (strstr(request, "\"seed\"") != NULL)
        fake_status(fd, "422 Unprocessable", "", "{\"detail\":[{\"type\":\"extra_forbidden\",\"loc\":"
                    "[\"body\",\"seed\"],\"msg\":\"Extra inputs are not permitted\"}]}");
    else if (strstr(request, "\"max_tokens\"") != NULL)
        fake_status(fd, "400 Bad", "", "{\"error\":{\"message\":\"'max_tokens' is not supported, use"
                    " 'max_completion_tokens'\"}}");
    else
        serve_well(f, fd, number, request);
}

static void what_a_server_refuses_is_left_out(void **state)
{
    (void)state;
    struct fake f;
    struct rig r;
    fake_start(&f, serve_picky, NULL);
    rig_init(&r, f.port);
    rig_open(&r);
    assert_int_equal(rig_ask(&r, 4), ELM_OK);
    for (int k = 0; k < 4; k++)
        assert_text(&r.replies[k], "return a;");
    uint32_t asked = fake_connections(&f);
    assert_in_range(asked, 6, 12);
    /* learned */
    assert_int_equal(rig_ask(&r, 4), ELM_OK);
    assert_int_equal(fake_connections(&f), asked + 4);
    rig_close(&r);
    fake_stop(&f);
}

/* ---- names, proxies, TLS ---- */
static void names_and_certificates_fail_clearly(void **state)
{
    (void)state;
    struct fake f;
    struct rig r;
    fake_start(&f, serve_well, NULL);
    rig_init(&r, f.port);
    r.def.chunk_timeout_ms = 160;
    snprintf(r.urls[0], sizeof(r.urls[0]), "http://nowhere.invalid:%u/v1", f.port);
    rig_open(&r);
    assert_int_equal(rig_ask(&r, 1), ELM_OK);
    assert_why(&r.replies[0], "nowhere.invalid");
    assert_in_range(r.took_ms, 0, 3000);
    rig_close(&r);
    /* no TLS there */
    rig_init(&r, f.port);
    r.def.chunk_timeout_ms = 160;
    snprintf(r.urls[0], sizeof(r.urls[0]), "https://127.0.0.1:%u/v1", f.port);
    rig_open(&r);
    assert_int_equal(rig_ask(&r, 1), ELM_OK);
    assert_int_equal(r.replies[0].end, ELM_REPLY_FAILED);
    assert_int_equal(r.totals.tokens, 0);
    rig_close(&r);
    fake_stop(&f);
}

/* A TLS server with a certificate of its own making; -1 where there is no openssl program. */
static pid_t start_tls(const char *folder, uint16_t port)
{
    char command[600];
    snprintf(command, sizeof(command), "cd %s && openssl req -x509 -newkey rsa:2048 -nodes -keyout k -out"
             " c -days 1 -subj /CN=127.0.0.1 >/dev/null 2>&1", folder);
    if (system(command) != 0)
        return -1;
    pid_t child = fork();
    if (child == 0) {
        char at[40];
        snprintf(at, sizeof(at), "127.0.0.1:%u", port);
        if (chdir(folder) != 0 || freopen("log", "w", stdout) == NULL || freopen("log", "w", stderr) == NULL)
            _exit(1);
        execlp("openssl", "openssl", "s_server", "-accept", at, "-key", "k", "-cert", "c", "-www", NULL);
        _exit(1);
    }
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)},
                             .sin_port = htons(port)};
    for (int i = 0; i < 500; i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        bool there = connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0;
        close(fd);
        if (there)
            break;
        usleep(10000);
    }
    return child;
}

static void an_unknown_certificate_is_refused(void **state)
{
    (void)state;
    char folder[] = "/tmp/elm-tls-XXXXXX", command[64];
    uint16_t port;
    struct rig r;
    assert_non_null(mkdtemp(folder));
    close(fake_listen(1, &port));
    pid_t server = start_tls(folder, port);
    if (server > 0) {
        rig_init(&r, port);
        r.def.chunk_timeout_ms = 20000;
        snprintf(r.urls[0], sizeof(r.urls[0]), "https://127.0.0.1:%u/v1", port);
        rig_open(&r);
        assert_int_equal(rig_ask(&r, 1), ELM_OK);
        assert_why(&r.replies[0], "certificate");
        assert_non_null(strstr(r.totals.note, "certificate"));
        assert_int_equal(r.totals.retried, 0);
        rig_close(&r);
        kill(server, SIGKILL);
        waitpid(server, NULL, 0);
    }
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    assert_int_equal(system(command), 0);
    if (server < 0) {
        print_message("no openssl here to make a certificate and serve it\n");
        skip();
    }
}

/* ::1 swallows connections, 127.0.0.1 answers. */
static void an_ipv6_black_hole_is_bypassed(void **state)
{
    (void)state;
    struct fake f;
    struct rig r;
    int fds[5];
    fake_start(&f, serve_well, NULL);
    struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT,
                              .sin6_port = htons(f.port)};
    for (int i = 0; i < 5; i++)
        fds[i] = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool hole = bind(fds[0], (struct sockaddr *)&at, sizeof(at)) == 0 && listen(fds[0], 0) == 0;
    for (int i = 1; hole && i < 5; i++)
        connect(fds[i], (struct sockaddr *)&at, sizeof(at));
    rig_init(&r, f.port);
    snprintf(r.urls[0], sizeof(r.urls[0]), "http://localhost:%u/v1", f.port);
    rig_open(&r);
    assert_int_equal(rig_ask(&r, 2), ELM_OK);
    assert_text(&r.replies[0], "return a;");
    assert_text(&r.replies[1], "return a;");
    assert_int_equal(r.totals.retried, 0);
    rig_close(&r);
    for (int i = 0; i < 5; i++)
        close(fds[i]);
    fake_stop(&f);
    if (!hole) {
        print_message("no ::1 here\n");
        skip();
    }
}

static void proxies_are_used_but_not_for_this_machine(void **state)
{
    (void)state;
    struct fake f, proxy;
    struct rig r;
    char url[64];
    fake_start(&f, serve_well, NULL);
    fake_start(&proxy, serve_well, NULL);
    snprintf(url, sizeof(url), "http://127.0.0.1:%u", proxy.port);
    setenv("http_proxy", url, 1);
    rig_init(&r, f.port);
    rig_open(&r);
    assert_int_equal(rig_ask(&r, 1), ELM_OK);
    assert_text(&r.replies[0], "return a;");
    assert_int_equal(fake_connections(&proxy), 0);
    rig_close(&r);
    rig_init(&r, f.port);
    strcpy(r.urls[0], "http://nowhere.invalid/v1");
    rig_open(&r);
    assert_int_equal(rig_ask(&r, 1), ELM_OK);
    assert_text(&r.replies[0], "return a;");
    assert_non_null(strstr(proxy.requests[0], "POST http://nowhere.invalid/v1/chat/completions "));
    rig_close(&r);
    unsetenv("http_proxy");
    fake_stop(&f);
    fake_stop(&proxy);
}

/* ---- keys ---- */
static void serve_echo(struct fake *f, int fd, uint32_t number, const char *request)
{
    (void)f;
    (void)request;
    if (number == 0)
        fake_answer(fd, "your key is " KEY, 1, 1);
    else if (number == 1)
        fake_status(fd, "400 Bad", "", "{\"error\":{\"message\":\"unknown header Authorization: Bearer " KEY "\"}}");
    else
        fake_status(fd, "200 OK", "", "{\"error\":\"12345678901234567890123456789012345678901234567890 " KEY "\"}");
}

static void a_key_that_is_echoed_is_hidden(void **state)
{
    (void)state;
    struct fake f;
    struct rig r;
    char path[] = "/tmp/elm-key-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, "  " KEY "\n", sizeof(KEY) + 2) == sizeof(KEY) + 2);
    assert_int_equal(fchmod(fd, 0640), 0);
    close(fd);
    fake_start(&f, serve_echo, NULL);
    rig_init(&r, f.port);
    r.def.endpoints[0].key_file = path;
    rig_open(&r);
    unlink(path);
    for (int i = 0; i < 3; i++) {
        /* rig_ask looks for the key in `why` and the note */
        assert_int_equal(rig_ask(&r, 1), ELM_OK);
        assert_null(r.replies[0].text.len == 0 ? NULL : strstr(r.replies[0].text.ptr, KEY));
        assert_non_null(strstr(r.totals.note, "chmod 600"));
        const char *key = strstr(f.requests[i], "Authorization: Bearer " KEY "\r\n");
        assert_true(key != NULL && strstr(key + 23, KEY) == NULL);
    }
    assert_why(&r.replies[0], "***");
    rig_close(&r);
    fake_stop(&f);
}

static void open_refuses(const struct rig *r, enum elm_status status, const char *says)
{
    void *self = NULL;
    struct elm_error err = {0};
    if (kind->open(&r->def, &self, &err) != status || strstr(err.message, says) == NULL)
        fail_msg("no '%s' but: %s", says, err.message);
    assert_null(self);
    assert_null(strstr(err.message, KEY));
}

static void wrong_definitions_are_refused(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, 1);
    setenv("ELM_TEST_KEY", KEY, 1);
    r.def.endpoints[0].url = "http://example.com/v1";
    r.def.endpoints[0].key_env = "ELM_TEST_KEY";
    open_refuses(&r, ELM_USAGE, "in clear");
    r.def.endpoints[0].url = "http://" KEY "@127.0.0.1/v1";
    open_refuses(&r, ELM_USAGE, "user name");
    setenv("ELM_TEST_KEY", KEY " " KEY, 1);
    r.def.endpoints[0].url = "http://127.0.0.1/v1";
    open_refuses(&r, ELM_USAGE, "ELM_TEST_KEY");
    unsetenv("ELM_TEST_KEY");
    open_refuses(&r, ELM_NOT_FOUND, "ELM_TEST_KEY");
    r.def.endpoints[0].key_env = NULL;
    r.def.endpoints[0].weight = 0;
    open_refuses(&r, ELM_USAGE, "weight");
    r.def.endpoint_count = 0;
    open_refuses(&r, ELM_USAGE, "--endpoint");
    rig_init(&r, 1);
    r.def.lanes = 0;
    open_refuses(&r, ELM_USAGE, "lanes");
    rig_init(&r, 1);
    r.def.money_budget = -1;
    open_refuses(&r, ELM_USAGE, "money");
    rig_init(&r, 1);
    rig_open(&r);
    assert_int_equal(rig_ask(&r, 0), ELM_OK);
    rig_close(&r);
}

/* ---- answers that come twice or late ---- */
static void serve_twice(struct fake *f, int fd, uint32_t number, const char *request)
{
    (void)f;
    (void)request;
    char body[200];
    snprintf(body, sizeof(body), "{\"choices\":[{\"message\":{\"content\":\"%u\"},\"finish_reason\":\"stop\"}],"
             "\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2}}", number);
    fake_status(fd, "200 OK", "Connection: keep-alive\r\n", body);
    fake_status(fd, "200 OK", "Connection: keep-alive\r\n", body);
    fake_hold(fd);
}

static void an_answer_that_comes_twice_is_taken_once(void **state)
{
    (void)state;
    struct fake f;
    struct rig r;
    fake_start(&f, serve_twice, NULL);
    rig_init(&r, f.port);
    rig_open(&r);
    static const char *const texts[] = {"0", "1", "2", "3"};
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(rig_ask(&r, 1), ELM_OK);
        assert_text(&r.replies[0], texts[i]);
        assert_int_equal(r.totals.tokens, 2 * (i + 1));
    }
    rig_close(&r);
    fake_stop(&f);
}

static void serve_late(struct fake *f, int fd, uint32_t number, const char *request)
{
    /* the first is given up by then */
    if (number == 0)
        usleep(700000);
    serve_well(f, fd, number, request);
}

static void an_answer_that_comes_late_is_not_taken(void **state)
{
    (void)state;
    struct fake f;
    struct rig r;
    fake_start(&f, serve_late, NULL);
    rig_init(&r, f.port);
    r.def.chunk_timeout_ms = 200;
    r.def.endpoints[0].money_out = 1;
    rig_open(&r);
    assert_int_equal(rig_ask(&r, 1), ELM_OK);
    assert_text(&r.replies[0], "return a;");
    /* the server knows it again by its key */
    assert_int_equal(fake_connections(&f), 2);
    const char *one = strstr(f.requests[0], "Idempotency-Key: "), *two = strstr(f.requests[1], "Idempotency-Key: ");
    assert_true(one != NULL && two != NULL);
    assert_memory_equal(one, two, 17 + 4 + 16 + 1 + 16 + 2);
    /* once at its worst, because nobody knows; once as counted */
    assert_int_equal(r.totals.tokens, 20 + 7);
    rig_close(&r);
    fake_stop(&f);
}

/* ---- budgets ---- */
static void a_token_budget_stops(void **state)
{
    (void)state;
    struct fake f;
    struct rig r;
    fake_start(&f, serve_well, NULL);
    rig_init(&r, f.port);
    /* a request is 18 tokens, 23 at its worst: three fit, one after another */
    r.def.tokens_budget = 1000;
    r.def.tokens_spent = 1000 - 18 - 18 - 23;
    rig_open(&r);
    assert_int_equal(rig_ask(&r, 8), ELM_RANGE);
    assert_non_null(strstr(r.err.message, "--tokens"));
    for (int i = 0; i < 3; i++)
        assert_text(&r.replies[i], "return a;");
    for (int i = 3; i < 8; i++)
        assert_why(&r.replies[i], "budget");
    assert_int_equal(fake_connections(&f), 3);
    assert_int_equal(r.totals.tokens + r.totals.prompt_tokens, 3 * 18);
    assert_int_equal(rig_ask(&r, 1), ELM_RANGE);
    assert_int_equal(fake_connections(&f), 3);
    /* a smaller one would fit */
    r.requests[0].tokens_max = 2;
    assert_int_equal(rig_ask(&r, 1), ELM_OK);
    rig_close(&r);
    fake_stop(&f);
}

static void a_money_budget_stops(void **state)
{
    (void)state;
    struct fake f;
    struct rig r;
    fake_start(&f, serve_well, NULL);
    rig_init(&r, f.port);
    /* 11 + 7 * 2 = 25 a request, 3 + 20 * 2 = 43 at its worst */
    r.def.endpoints[0].money_in = 1e6;
    r.def.endpoints[0].money_out = 2e6;
    r.def.money_budget = 100;
    r.def.money_spent = 30;
    rig_open(&r);
    assert_int_equal(rig_ask(&r, 8), ELM_RANGE);
    assert_int_equal(fake_connections(&f), 2);
    assert_true(r.totals.money == 50);
    rig_close(&r);
    fake_stop(&f);
}

/* ---- requests in flight ---- */
struct gate {
    uint32_t wanted;     /* nobody is answered before so many have come */
    uint32_t open, most; /* at a time; under the server's lock */
};

static void serve_together(struct fake *f, int fd, uint32_t number, const char *request)
{
    struct gate *g = f->ctx;
    pthread_mutex_lock(&f->lock);
    g->open++;
    g->most = g->open > g->most ? g->open : g->most;
    pthread_mutex_unlock(&f->lock);
    for (int i = 0; i < 200 && fake_connections(f) < g->wanted; i++)
        usleep(5000);
    usleep(20000);
    pthread_mutex_lock(&f->lock);
    g->open--;
    pthread_mutex_unlock(&f->lock);
    serve_well(f, fd, number, request);
}

static void ten_are_in_flight(void **state)
{
    (void)state;
    struct fake f;
    struct rig r;
    struct gate g = {.wanted = 10};
    fake_start(&f, serve_together, &g);
    rig_init(&r, f.port);
    r.def.chunk_timeout_ms = 5000;
    rig_open(&r);
    assert_int_equal(rig_ask(&r, 10), ELM_OK);
    for (int i = 0; i < 10; i++)
        assert_text(&r.replies[i], "return a;");
    assert_int_equal(g.most, 10);
    rig_close(&r);
    fake_stop(&f);
}

struct lane_call {
    struct rig *rig;
    uint32_t lane, count;
    enum elm_status status;
    struct elm_error err;
    int64_t end_us;
};

static void *call_lane(void *ctx)
{
    struct lane_call *c = ctx;
    uint32_t first = c->lane * c->count;
    c->status = kind->complete(c->rig->backend, c->lane, c->rig->requests + first, c->count,
                               c->rig->replies + first, &c->err);
    c->end_us = elm_clock_us();
    return NULL;
}

static void lanes_share_the_slots(void **state)
{
    (void)state;
    struct fake f;
    struct rig r;
    struct gate g = {.wanted = 0};
    pthread_t threads[4];
    struct lane_call calls[4];
    fake_start(&f, serve_together, &g);
    rig_init(&r, f.port);
    r.def.lanes = 4;
    r.def.in_flight = 3;
    r.def.chunk_timeout_ms = 5000;
    /* and a budget in which few fit at a time */
    r.def.tokens_budget = 48 * 18 + 23;
    rig_open(&r);
    int64_t start = elm_clock_us();
    for (uint32_t i = 0; i < 4; i++) {
        calls[i] = (struct lane_call){.rig = &r, .lane = i, .count = 12};
        assert_int_equal(pthread_create(&threads[i], NULL, call_lane, &calls[i]), 0);
    }
    for (uint32_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(calls[i].status, ELM_OK);
    }
    for (int i = 0; i < 48; i++)
        assert_text(&r.replies[i], "return a;");
    assert_int_equal(g.most, 3);
    /* 16 turns of 20 ms: nobody sleeps while a slot is free */
    assert_in_range(elm_clock_us() - start, 320000, 4000000);
    kind->totals(r.backend, &r.totals);
    assert_int_equal(r.totals.tokens, 48 * 7);
    rig_close(&r);
    fake_stop(&f);
}

static void weights_share_the_requests(void **state)
{
    (void)state;
    struct fake f[2];
    uint32_t first = 0;
    for (int round = 0; round < 2; round++) {
        struct rig r;
        fake_start(&f[0], serve_well, NULL);
        fake_start(&f[1], serve_well, NULL);
        rig_init(&r, f[0].port);
        rig_server(&r, f[1].port);
        r.def.endpoints[0].weight = 3;
        rig_open(&r);
        assert_int_equal(rig_ask(&r, REQUESTS_MAX), ELM_OK);
        uint32_t a = fake_connections(&f[0]), b = fake_connections(&f[1]);
        assert_int_equal(a + b, REQUESTS_MAX);
        /* 48, sd 3.5 */
        assert_in_range(a, 36, 60);
        /* the same requests go the same ways */
        assert_true(round == 0 || a == first);
        first = a;
        rig_close(&r);
        fake_stop(&f[0]);
        fake_stop(&f[1]);
    }
}

/* ---- the end ---- */
static void serve_half(struct fake *f, int fd, uint32_t number, const char *request)
{
    if (number == 0 || number > 6) {
        serve_well(f, fd, number, request);
        return;
    }
    fake_say(fd, OK_HEAD "data: {\"choices\":[{\"delta\":{\"content\":\"hal\"}}]}\n\n");
    fake_hold(fd);
}

static void cancel_ends_calls_at_once(void **state)
{
    (void)state;
    struct fake f;
    struct rig r;
    pthread_t threads[2];
    struct lane_call calls[2];
    fake_start(&f, serve_half, NULL);
    rig_init(&r, f.port);
    r.def.lanes = 2;
    r.def.in_flight = 6;
    r.def.chunk_timeout_ms = 60000;
    r.def.endpoints[0].money_out = 1;
    rig_open(&r);
    for (uint32_t i = 0; i < 2; i++) {
        calls[i] = (struct lane_call){.rig = &r, .lane = i, .count = 5};
        assert_int_equal(pthread_create(&threads[i], NULL, call_lane, &calls[i]), 0);
    }
    for (int i = 0; i < 1000 && fake_connections(&f) < 7; i++)
        usleep(5000);
    usleep(50000);
    /* what is under way counts at its worst, already now */
    kind->totals(r.backend, &r.totals);
    assert_int_equal(r.totals.tokens, 7 + 6 * 23);
    int64_t start = elm_clock_us();
    kind->cancel(r.backend);
    uint32_t answered = 0, sent = 0;
    for (uint32_t i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(calls[i].status, ELM_STOPPED);
        assert_in_range(calls[i].end_us - start, 0, 200000);
    }
    for (int i = 0; i < 10; i++) {
        answered += r.replies[i].end == ELM_REPLY_DONE;
        sent += r.replies[i].tokens == 20;
        if (r.replies[i].end != ELM_REPLY_DONE)
            assert_why(&r.replies[i], "stopped");
    }
    assert_int_equal(answered, 1);
    assert_int_equal(sent, 6);
    kind->totals(r.backend, &r.totals);
    assert_int_equal(r.totals.tokens, 7 + 6 * 20);
    /* later calls are answered as ever */
    assert_int_equal(rig_ask(&r, 3), ELM_OK);
    assert_text(&r.replies[2], "return a;");
    rig_close(&r);
    fake_stop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hopeless_servers_are_left),
        cmocka_unit_test(redirects_are_not_followed),
        cmocka_unit_test(another_server_takes_over),
        cmocka_unit_test(what_a_server_refuses_is_left_out),
        cmocka_unit_test(names_and_certificates_fail_clearly),
        cmocka_unit_test(an_unknown_certificate_is_refused),
        cmocka_unit_test(an_ipv6_black_hole_is_bypassed),
        cmocka_unit_test(proxies_are_used_but_not_for_this_machine),
        cmocka_unit_test(a_key_that_is_echoed_is_hidden),
        cmocka_unit_test(wrong_definitions_are_refused),
        cmocka_unit_test(an_answer_that_comes_twice_is_taken_once),
        cmocka_unit_test(an_answer_that_comes_late_is_not_taken),
        cmocka_unit_test(a_token_budget_stops),
        cmocka_unit_test(a_money_budget_stops),
        cmocka_unit_test(ten_are_in_flight),
        cmocka_unit_test(lanes_share_the_slots),
        cmocka_unit_test(weights_share_the_requests),
        cmocka_unit_test(cancel_ends_calls_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
