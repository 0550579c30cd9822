/*
 * openai: any server with OpenAI's chat/completions and completions. One libcurl multi handle a
 * lane; complete runs it on the caller's thread. What is common to the lanes (slots, budgets, the
 * health of servers) stands under one lock; a lane that waits for another is woken through its handle.
 */
#include "elm/remote.h"

#include <curl/curl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRIES_MAX 5
#define IN_FLIGHT_EACH 16
#define IN_FLIGHT_MAX 1024
#define CHUNK_MS 60000
#define CHUNK_MS_MAX 3600000
#define CONNECT_MS_MAX 10000
#define BACKOFF_MS_MAX 1000            /* its base */
#define FIRST_CHUNKS 3                 /* silence before the first byte may be that much longer */
#define IDLE_US 10000000               /* wakes tell when there is something to do */
#define HEADER_BYTES_MAX ((size_t)256 * 1024)
#define ERROR_BYTES_MAX ((size_t)64 * 1024)
#define STREAM_CHOICE 0x0a1ull         /* random streams of a request, by try */
#define STREAM_PAUSE 0x0a2ull

struct server {
    struct elm_endpoint prices;        /* and nothing else of it */
    struct elm_place place;
    char *model;                       /* NULL: the server's */
    char *urls[2];                     /* chat, raw */
    struct elm_buf key;
    struct curl_slist *headers;        /* of every request: the key is in here */
    uint32_t without;                  /* enum elm_remote_part */
    _Atomic int64_t heard_us;          /* from it, by any lane */
    char note[192];                    /* why it was stopped or is left alone */
};

struct lane {
    CURLM *multi;
    bool waiting;                      /* for a slot or a hold of another lane */
};

struct openai {
    pthread_mutex_t lock;
    struct lane *lanes;
    uint32_t lane_count;
    struct server servers[ELM_ENDPOINTS_MAX];
    struct elm_health health[ELM_ENDPOINTS_MAX];
    uint32_t server_count;
    uint32_t in_flight, in_flight_max;
    int64_t chunk_us, base_us;
    struct elm_ledger ledger;
    struct elm_backend_totals totals;
    uint64_t cancels;
    char warning[160];                 /* of the keys */
};

enum state { READY, SENT, OVER };
enum cut { CUT_NONE, CUT_SILENT, CUT_ENDLESS, CUT_STOPPED, CUT_BULK };

/* One request on its way. */
struct flight {
    struct openai *o;
    const struct elm_request *request;
    struct elm_reply *reply;
    enum state state;
    enum cut cut;
    uint32_t tries;
    int64_t began_us;                  /* 0: never sent */
    int64_t ready_us[ELM_ENDPOINTS_MAX];
    /* of the try under way */
    uint32_t server, without;
    bool trial;                        /* whether a server is back */
    CURL *easy;
    struct curl_slist idempotency;     /* before the server's headers */
    char idempotency_text[64], curl_text[CURL_ERROR_SIZE];
    struct elm_buf body, error_body;
    struct elm_answer answer;
    struct elm_hold hold;
    int64_t sent_us, heard_us;
    curl_off_t uploaded;
    size_t header_bytes;
};

/* One call of complete. */
struct call {
    struct openai *o;
    struct lane *lane;
    struct flight *flights;
    uint32_t count, left;              /* left: not OVER */
    bool spent;
};

/* ---- opening and closing ---- */
static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void start_curl(void)
{
    CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
    ELM_ASSERT(code == CURLE_OK);
}

static struct curl_slist *with_header(struct curl_slist *list, const char *text)
{
    struct curl_slist *longer = curl_slist_append(list, text);
    ELM_ASSERT(longer != NULL);
    return longer;
}

static enum elm_status open_server(struct openai *o, const struct elm_endpoint *e,
                                   const char *model, struct elm_error *err)
{
    struct server *s = &o->servers[o->server_count++];
    model = e->model != NULL ? e->model : model;
    s->model = model == NULL ? NULL : elm_strdup(model);
    s->prices = (struct elm_endpoint){.money_in = e->money_in, .money_out = e->money_out};
    o->health[o->server_count - 1].weight = e->weight;
    ELM_TRY(elm_endpoint_check(e, &s->place, err));
    ELM_TRY(elm_key_read(e, &s->key, o->warning[0] == '\0' ? o->warning : NULL, err));
    static const char *const ends[2] = {"/chat/completions", "/completions"};
    size_t len = strlen(e->url);
    while (len > 0 && e->url[len - 1] == '/')
        len--;
    for (int i = 0; i < 2; i++) {
        struct elm_buf url = {0};
        elm_buf_add(&url, e->url, len);
        elm_buf_add_str(&url, elm_str(ends[i]));
        s->urls[i] = url.ptr;
    }
    s->headers = with_header(s->headers, "Content-Type: application/json");
    /* no round trip before a long body */
    s->headers = with_header(s->headers, "Expect:");
    if (s->key.len > 0) {
        struct elm_buf header = {0};
        elm_buf_reserve(&header, s->key.len + 64);
        elm_buf_printf(&header, "Authorization: Bearer %s", s->key.ptr);
        s->headers = with_header(s->headers, header.ptr);
        elm_key_wipe(&header);
    }
    return ELM_OK;
}

static void close_openai(void *self)
{
    struct openai *o = self;
    for (uint32_t i = 0; i < o->lane_count; i++)
        curl_multi_cleanup(o->lanes[i].multi);
    for (uint32_t i = 0; i < o->server_count; i++) {
        struct server *s = &o->servers[i];
        for (struct curl_slist *h = s->headers; h != NULL; h = h->next)
            explicit_bzero(h->data, strlen(h->data));
        curl_slist_free_all(s->headers);
        elm_key_wipe(&s->key);
        free(s->urls[0]);
        free(s->urls[1]);
        free(s->model);
    }
    pthread_mutex_destroy(&o->lock);
    free(o->lanes);
    free(o);
}

static enum elm_status check_def(const struct elm_backend_def *def, struct elm_error *err)
{
    if (def->endpoint_count == 0 || def->endpoint_count > ELM_ENDPOINTS_MAX) {
        return elm_fail(err, ELM_USAGE, "openai: %u endpoints, 1..%d are allowed: --endpoint "
                        "http://127.0.0.1:8080/v1", def->endpoint_count, ELM_ENDPOINTS_MAX);
    }
    if (def->lanes == 0 || def->in_flight > IN_FLIGHT_MAX || def->chunk_timeout_ms > CHUNK_MS_MAX) {
        return elm_fail(err, ELM_USAGE, "openai: %u lanes, %u requests in flight, %u ms of silence: "
                        "at least 1, at most %d, at most %d are allowed", def->lanes, def->in_flight,
                        def->chunk_timeout_ms, IN_FLIGHT_MAX, CHUNK_MS_MAX);
    }
    if (!(def->money_budget >= 0 && def->money_budget <= 1e15 && def->money_spent >= 0 &&
          def->money_spent <= 1e15)) {
        return elm_fail(err, ELM_USAGE, "openai: a budget of %g with %g spent: money is 0..1e15",
                        def->money_budget, def->money_spent);
    }
    return ELM_OK;
}

static enum elm_status open_openai(const struct elm_backend_def *def, void **self,
                                   struct elm_error *err)
{
    ELM_TRY(check_def(def, err));
    pthread_once(&curl_once, start_curl);
    uint32_t chunk_ms = def->chunk_timeout_ms > 0 ? def->chunk_timeout_ms : CHUNK_MS;
    uint32_t base_ms = chunk_ms / 8 < BACKOFF_MS_MAX ? chunk_ms / 8 : BACKOFF_MS_MAX;
    struct openai *o = elm_calloc(1, sizeof(*o));
    pthread_mutex_init(&o->lock, NULL);
    o->chunk_us = (int64_t)chunk_ms * 1000;
    o->base_us = (base_ms > 0 ? base_ms : 1) * 1000;
    o->in_flight_max = def->in_flight > 0 ? def->in_flight : IN_FLIGHT_EACH * def->endpoint_count;
    o->ledger = (struct elm_ledger){
        .tokens_budget = def->tokens_budget,
        .tokens_spent = def->tokens_spent,
        .money_budget = def->money_budget,
        .money_spent = def->money_spent,
    };
    enum elm_status status = ELM_OK;
    for (uint32_t i = 0; i < def->endpoint_count && status == ELM_OK; i++)
        status = open_server(o, &def->endpoints[i], def->model, err);
    o->lanes = elm_calloc(def->lanes, sizeof(o->lanes[0]));
    while (status == ELM_OK && o->lane_count < def->lanes) {
        CURLM *multi = curl_multi_init();
        if (multi == NULL)
            status = elm_fail(err, ELM_IO, "openai: cannot make lane %u: too many open files? "
                              "ulimit -n", o->lane_count);
        else
            o->lanes[o->lane_count++].multi = multi;
    }
    if (status != ELM_OK)
        close_openai(o);
    else
        *self = o;
    return status;
}

/* ---- what libcurl calls ---- */
static void hear(struct flight *f)
{
    f->heard_us = elm_clock_us();
    f->o->servers[f->server].heard_us = f->heard_us;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *ctx)
{
    struct flight *f = ctx;
    hear(f);
    f->header_bytes += size * count;
    if (f->header_bytes > HEADER_BYTES_MAX) {
        f->cut = CUT_BULK;
        return 0;
    }
    /* over HTTP/1 an answer that comes twice would be taken for that of the next request */
    if (size * count > 6 && memcmp(bytes, "HTTP/2", 6) == 0)
        curl_easy_setopt(f->easy, CURLOPT_FORBID_REUSE, 0L);
    return size * count;
}

static long status_of(CURL *easy)
{
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *ctx)
{
    struct flight *f = ctx;
    size_t len = size * count;
    hear(f);
    if (status_of(f->easy) / 100 == 2)
        return elm_answer_feed(&f->answer, bytes, len) ? len : 0;
    size_t room = ERROR_BYTES_MAX - f->error_body.len;
    elm_buf_add(&f->error_body, bytes, len < room ? len : room);
    return len <= room ? len : 0;
}

/* A slow upload is not silence. */
static int on_progress(void *ctx, curl_off_t down_all, curl_off_t down, curl_off_t up_all,
                       curl_off_t up)
{
    struct flight *f = ctx;
    (void)down_all;
    (void)down;
    (void)up_all;
    if (up != f->uploaded) {
        f->uploaded = up;
        f->heard_us = elm_clock_us();
    }
    return 0;
}

/* ---- sending ---- */
enum admission { SEND, WAIT_TIME, WAIT_OTHERS, NO_SERVER, BUDGET_SPENT };

static void note_stopped(const struct openai *o, char *out, size_t room)
{
    size_t at = 0;
    out[0] = '\0';
    for (uint32_t i = 0; i < o->server_count && at < room; i++) {
        const struct server *s = &o->servers[i];
        if (o->health[i].stopped)
            at += (size_t)snprintf(out + at, room - at, "%s%s", at > 0 ? "; " : "", s->note);
    }
}

static void say_rest(const struct openai *o, uint32_t server, int64_t now, char *out, size_t room)
{
    int64_t left = o->health[server].open_until_us - now;
    snprintf(out, room, "left alone for %d s: %s", left > 0 ? (int)(left / 1000000) + 1 : 0,
             o->servers[server].note);
}

/* Why no server can be asked now, in the words of the first that is not stopped. */
static void say_none(const struct openai *o, int64_t now, char *out, size_t room)
{
    uint32_t i = 0;
    while (i < o->server_count && o->health[i].stopped)
        i++;
    if (i == o->server_count)
        note_stopped(o, out, room);
    else if (o->health[i].open_until_us > 0)
        say_rest(o, i, now, out, room);
    else
        snprintf(out, room, "%s asks to wait %d s", o->servers[i].place.host,
                 (int)((o->health[i].busy_until_us - now) / 1000000) + 1);
}

/* Takes a slot, a server and a hold for a request; or says why not. Under the lock. */
static enum admission take_slot(struct openai *o, struct flight *f, int64_t now, int64_t *when)
{
    struct elm_rng rng = elm_rng(f->request->seed, STREAM_CHOICE + ((uint64_t)f->tries << 32));
    enum elm_route route = elm_health_choose(o->health, o->server_count, f->ready_us, rng, o->base_us,
                                             now, &f->server, when);
    if (route != ELM_ROUTE_SEND)
        return route == ELM_ROUTE_LATER ? WAIT_TIME : NO_SERVER;
    if (o->in_flight == o->in_flight_max)
        return WAIT_OTHERS;
    struct server *s = &o->servers[f->server];
    struct elm_health *h = &o->health[f->server];
    f->hold = elm_ledger_worst(f->request, &s->prices);
    enum elm_ledger_answer answer = elm_ledger_hold(&o->ledger, &f->hold);
    if (answer != ELM_LEDGER_FITS)
        return answer == ELM_LEDGER_SPENT ? BUDGET_SPENT : WAIT_OTHERS;
    o->in_flight++;
    f->trial = elm_health_ask(h, now) == ELM_HEALTH_TRY;
    h->trying |= f->trial;
    f->without = s->without;
    return SEND;
}

static enum admission admit(struct call *k, struct flight *f, int64_t now, int64_t *when,
                            char why[96])
{
    pthread_mutex_lock(&k->o->lock);
    enum admission admission = take_slot(k->o, f, now, when);
    if (admission == WAIT_OTHERS)
        k->lane->waiting = true;
    if (admission == NO_SERVER)
        say_none(k->o, now, why, 96);
    pthread_mutex_unlock(&k->o->lock);
    return admission;
}

#define SET(option, value) failed |= curl_easy_setopt(f->easy, option, value) != CURLE_OK

static void set_options(struct flight *f, const struct server *s)
{
    int64_t chunk_ms = f->o->chunk_us / 1000;
    bool failed = false;
    SET(CURLOPT_URL, s->urls[f->request->raw]);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_QUICK_EXIT, 1L);       /* a slow resolver holds up nobody */
    SET(CURLOPT_FORBID_REUSE, 1L);     /* see on_header */
    SET(CURLOPT_USERAGENT, "elm/" ELM_VERSION);
    SET(CURLOPT_HTTPHEADER, &f->idempotency);
    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)f->body.len);
    SET(CURLOPT_POSTFIELDS, f->body.ptr);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)(chunk_ms < CONNECT_MS_MAX ? chunk_ms : CONNECT_MS_MAX));
    SET(CURLOPT_ERRORBUFFER, f->curl_text);
    SET(CURLOPT_PRIVATE, f);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, f);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, f);
    SET(CURLOPT_XFERINFOFUNCTION, on_progress);
    SET(CURLOPT_XFERINFODATA, f);
    SET(CURLOPT_NOPROGRESS, 0L);
    /* what is meant for this machine stays on it */
    if (s->place.loopback)
        SET(CURLOPT_NOPROXY, "*");
    ELM_ASSERT(!failed);
}

static void send_request(struct call *k, struct flight *f, int64_t now)
{
    struct server *s = &k->o->servers[f->server];
    elm_remote_body(f->request, s->model, f->without, &f->body);
    /* the seed names the request; other runs may have the same one for other prompts */
    snprintf(f->idempotency_text, sizeof(f->idempotency_text),
             "Idempotency-Key: elm-%016llx-%016llx", (unsigned long long)f->request->seed,
             (unsigned long long)elm_hash(f->body.ptr, f->body.len, 0));
    f->idempotency = (struct curl_slist){f->idempotency_text, s->headers};
    elm_answer_init(&f->answer, f->request, &s->key);
    f->easy = curl_easy_init();
    ELM_ASSERT(f->easy != NULL);
    set_options(f, s);
    f->cut = CUT_NONE;
    f->curl_text[0] = '\0';
    f->uploaded = 0;
    f->header_bytes = 0;
    f->sent_us = f->heard_us = now;
    f->began_us = f->began_us > 0 ? f->began_us : now;
    f->tries++;
    f->state = SENT;
    CURLMcode code = curl_multi_add_handle(k->lane->multi, f->easy);
    ELM_ASSERT(code == CURLM_OK);
}

static void fail_reply(struct call *k, struct flight *f, const char *why)
{
    f->state = OVER;
    k->left--;
    f->reply->end = ELM_REPLY_FAILED;
    snprintf(f->reply->why, sizeof(f->reply->why), "%s", why);
    f->reply->wall_us = f->began_us > 0 ? elm_clock_us() - f->began_us : 0;
    pthread_mutex_lock(&k->o->lock);
    k->o->totals.failed++;
    pthread_mutex_unlock(&k->o->lock);
}

/* Sends what can be sent. Returns when there will be more to send. */
static int64_t send_ready(struct call *k, int64_t now)
{
    int64_t wake = now + IDLE_US;
    char why[96];
    bool blocked = false;
    for (uint32_t i = 0; i < k->count && !blocked; i++) {
        struct flight *f = &k->flights[i];
        int64_t when = INT64_MAX;
        if (f->state != READY)
            continue;
        enum admission admission = k->spent ? BUDGET_SPENT : admit(k, f, now, &when, why);
        blocked = admission == WAIT_OTHERS;
        if (admission == SEND)
            send_request(k, f, now);
        else if (admission == NO_SERVER)
            fail_reply(k, f, why);
        else if (admission == WAIT_TIME && when < wake)
            wake = when;
        if (admission == BUDGET_SPENT) {
            fail_reply(k, f, "the budget is spent");
            /* those before it that wait, too */
            k->spent = true;
            wake = now;
        }
    }
    return wake;
}

/* ---- how a try ends ---- */
static void judge_connection(const struct flight *f, CURLcode code, struct elm_ending *e)
{
    bool hopeless = code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ||
                    code == CURLE_SSL_ISSUER_ERROR || code == CURLE_SSL_INVALIDCERTSTATUS;
    e->verdict = hopeless ? ELM_VERDICT_STOP : ELM_VERDICT_AGAIN;
    e->trouble = !hopeless;
    snprintf(e->why, sizeof(e->why), "%.110s",
             hopeless && f->curl_text[0] != '\0' ? f->curl_text : curl_easy_strerror(code));
}

static void judge_cut(const struct flight *f, struct elm_ending *e)
{
    static const char *const words[] = {[CUT_ENDLESS] = "its answer does not end",
                                        [CUT_STOPPED] = "stopped",
                                        [CUT_BULK] = "its headers do not end"};
    e->verdict = f->cut == CUT_SILENT ? ELM_VERDICT_AGAIN : ELM_VERDICT_FAILED;
    e->trouble = f->cut != CUT_STOPPED;
    if (f->cut == CUT_SILENT)
        snprintf(e->why, sizeof(e->why), "silent for %d ms",
                 (int)((elm_clock_us() - f->heard_us) / 1000));
    else
        snprintf(e->why, sizeof(e->why), "%s", words[f->cut]);
}

static void judge(struct flight *f, CURLcode code, struct elm_ending *e)
{
    const struct server *s = &f->o->servers[f->server];
    long status = status_of(f->easy);
    curl_off_t wait_s = 0;
    bool ended = code == CURLE_OK || (code == CURLE_WRITE_ERROR && f->cut == CUT_NONE);
    *e = (struct elm_ending){0};
    curl_easy_getinfo(f->easy, CURLINFO_RETRY_AFTER, &wait_s);
    if (f->cut != CUT_STOPPED && status / 100 == 2 && (ended || f->answer.finished))
        elm_ending_answer(e, &f->answer);
    else if (f->cut != CUT_NONE)
        judge_cut(f, e);
    else if (status >= 300)
        elm_ending_status(e, status, elm_buf_str(&f->error_body), wait_s, &s->key, f->without);
    else
        judge_connection(f, code, e);
}

static struct elm_hold cost_of(const struct flight *f)
{
    long sent_bytes = 0;
    curl_easy_getinfo(f->easy, CURLINFO_REQUEST_SIZE, &sent_bytes);
    struct elm_hold cost = {0};
    if (sent_bytes > 0)
        cost = elm_ending_cost(&f->answer, status_of(f->easy), &f->hold);
    cost.money = elm_money(&f->o->servers[f->server].prices, cost.prompt_tokens, cost.tokens);
    return cost;
}

static void charge(struct flight *f, const struct elm_hold *cost)
{
    struct elm_backend_totals *t = &f->o->totals;
    elm_ledger_settle(&f->o->ledger, &f->hold, cost);
    t->prompt_tokens += cost->prompt_tokens;
    t->tokens += cost->tokens;
    t->money += cost->money;
    f->reply->prompt_tokens += (uint32_t)cost->prompt_tokens;
    f->reply->tokens += (uint32_t)cost->tokens;
    f->reply->money += cost->money;
}

static int64_t pause_of(const struct flight *f, const struct elm_ending *e)
{
    struct elm_rng rng = elm_rng(f->request->seed, STREAM_PAUSE + ((uint64_t)f->tries << 32));
    double jitter = 0.5 + elm_rng_unit(&rng) / 2;
    int64_t pause = (int64_t)((double)(f->o->base_us << (f->tries - 1)) * jitter);
    int64_t asked = e->wait_us > 0 ? e->wait_us + (int64_t)((double)f->o->base_us * jitter) : 0;
    return e->refused != 0 ? 0 : pause > asked ? pause : asked;
}

/* Under the lock. */
static void note_health(struct flight *f, const struct elm_ending *e, int64_t now, int64_t pause)
{
    struct server *s = &f->o->servers[f->server];
    struct elm_health *h = &f->o->health[f->server];
    h->trying &= !f->trial;
    s->without |= e->refused;
    if (e->alive)
        elm_health_good(h);
    if (e->trouble)
        elm_health_bad(h, f->sent_us, now, f->o->base_us);
    if (e->busy && now + pause > h->busy_until_us)
        h->busy_until_us = now + pause;
    if ((e->verdict == ELM_VERDICT_STOP || e->trouble) && !h->stopped) {
        char note[sizeof(s->note)];
        snprintf(note, sizeof(note), "%s: %s", s->place.host, e->why);
        memcpy(s->note, note, sizeof(note));
        h->stopped = e->verdict == ELM_VERDICT_STOP;
    }
}

static void take_off(struct call *k, struct flight *f)
{
    curl_multi_remove_handle(k->lane->multi, f->easy);
    curl_easy_cleanup(f->easy);
    f->easy = NULL;
    elm_answer_release(&f->answer);
    elm_buf_clear(&f->body);
    elm_buf_clear(&f->error_body);
}

static void wake_others(struct call *k)
{
    struct openai *o = k->o;
    o->in_flight--;
    for (uint32_t i = 0; i < o->lane_count; i++) {
        if (&o->lanes[i] != k->lane && o->lanes[i].waiting)
            curl_multi_wakeup(o->lanes[i].multi);
        o->lanes[i].waiting = false;
    }
}

/* The last try has failed. */
static void fail_try(struct call *k, struct flight *f, const struct elm_ending *e)
{
    char why[200];
    bool ours = f->cut == CUT_STOPPED;
    snprintf(why, sizeof(why), "%s%s%s", ours ? "" : k->o->servers[f->server].place.host,
             ours ? "" : ": ", e->why);
    fail_reply(k, f, why);
}

/* A try has ended: charges it, and answers, fails or asks again. */
static void finish(struct call *k, struct flight *f, CURLcode code)
{
    struct elm_ending e;
    int64_t now = elm_clock_us();
    judge(f, code, &e);
    struct elm_hold cost = cost_of(f);
    int64_t pause = pause_of(f, &e);
    bool again = e.verdict == ELM_VERDICT_STOP ||
                 (e.verdict == ELM_VERDICT_AGAIN && f->tries < TRIES_MAX);
    pthread_mutex_lock(&k->o->lock);
    charge(f, &cost);
    note_health(f, &e, now, pause);
    wake_others(k);
    k->o->totals.retried += again && e.verdict == ELM_VERDICT_AGAIN;
    pthread_mutex_unlock(&k->o->lock);
    if (e.verdict == ELM_VERDICT_ANSWERED) {
        f->reply->end = f->answer.length ? ELM_REPLY_LENGTH : ELM_REPLY_DONE;
        elm_buf_add_str(&f->reply->text, elm_buf_str(&f->answer.text));
        f->reply->wall_us = now - f->began_us;
        f->state = OVER;
        k->left--;
    } else if (again) {
        f->ready_us[f->server] = now + pause;
        f->state = READY;
    }
    take_off(k, f);
    if (e.verdict != ELM_VERDICT_ANSWERED && !again)
        fail_try(k, f, &e);
}

/* ---- one call ---- */
static void collect(struct call *k)
{
    CURLMsg *m;
    int rest;
    while ((m = curl_multi_info_read(k->lane->multi, &rest)) != NULL) {
        struct flight *f = NULL;
        CURLcode code = m->data.result;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &f);
        finish(k, f, code);
    }
}

/* How long a request may still be silent. Its answer may wait behind others or behind reasoning: while
 * the server says something to somebody, it is not dead. */
static int64_t silent_until(const struct flight *f)
{
    int64_t heard = f->heard_us, chunk = f->o->chunk_us;
    if (f->answer.bytes > 0)
        return heard + chunk;
    int64_t server_heard = f->o->servers[f->server].heard_us;
    return (heard > server_heard ? heard : server_heard) + chunk * FIRST_CHUNKS;
}

/* Cuts off what is silent or does not end. Returns when to look again. */
static int64_t cut_late(struct call *k)
{
    int64_t now = elm_clock_us(), next = now + IDLE_US;
    for (uint32_t i = 0; i < k->count; i++) {
        struct flight *f = &k->flights[i];
        if (f->state != SENT)
            continue;
        /* slow machines write a token in two seconds, none in more than that for ever */
        int64_t endless = f->sent_us + k->o->chunk_us * (10 + f->request->tokens_max / 32);
        int64_t silent = silent_until(f), until = silent < endless ? silent : endless;
        if (now >= until) {
            f->cut = now >= endless ? CUT_ENDLESS : CUT_SILENT;
            finish(k, f, CURLE_OPERATION_TIMEDOUT);
        } else if (until < next) {
            next = until;
        }
    }
    return next;
}

static void stop_all(struct call *k)
{
    for (uint32_t i = 0; i < k->count; i++) {
        struct flight *f = &k->flights[i];
        f->cut = CUT_STOPPED;
        if (f->state == SENT)
            finish(k, f, CURLE_OPERATION_TIMEDOUT);
        else if (f->state == READY)
            fail_reply(k, f, "stopped");
    }
}

static enum elm_status run(struct call *k, uint64_t cancels, struct elm_error *err)
{
    struct openai *o = k->o;
    for (;;) {
        int running;
        CURLMcode code = curl_multi_perform(k->lane->multi, &running);
        collect(k);
        int64_t next = cut_late(k), now = elm_clock_us(), wake = send_ready(k, now);
        next = next < wake ? next : wake;
        int wait_ms = next <= now ? 0 : (int)((next - now) / 1000) + 1;
        if (k->left == 0)
            break;
        if (code == CURLM_OK)
            code = curl_multi_poll(k->lane->multi, NULL, 0, wait_ms, NULL);
        pthread_mutex_lock(&o->lock);
        bool cancelled = o->cancels != cancels;
        pthread_mutex_unlock(&o->lock);
        if (cancelled || code != CURLM_OK)
            stop_all(k);
        if (code != CURLM_OK)
            return elm_fail(err, ELM_FAIL, "openai: libcurl: %s", curl_multi_strerror(code));
        if (cancelled)
            return elm_fail(err, ELM_STOPPED, "openai: stopped");
    }
    if (!k->spent)
        return ELM_OK;
    pthread_mutex_lock(&o->lock);
    struct elm_ledger l = o->ledger;
    pthread_mutex_unlock(&o->lock);
    return elm_fail(err, ELM_RANGE, "openai: the budget is spent: %llu tokens and %g of money; "
                    "more with --tokens and --money", (unsigned long long)l.tokens_spent,
                    l.money_spent);
}

/* A connection that the server closes must not kill the process: libcurl leaves that to us. */
static enum elm_status without_sigpipe(struct call *k, uint64_t cancels, struct elm_error *err)
{
    sigset_t pipe, old, pending;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigpending(&pending);
    bool was_pending = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe, &old);
    enum elm_status status = run(k, cancels, err);
    sigpending(&pending);
    if (!was_pending && sigismember(&pending, SIGPIPE) == 1)
        sigtimedwait(&pipe, NULL, &(struct timespec){0, 0});
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return status;
}

static enum elm_status complete(void *self, uint32_t lane, const struct elm_request *requests,
                                uint32_t count, struct elm_reply *replies, struct elm_error *err)
{
    struct openai *o = self;
    ELM_ASSERT(lane < o->lane_count);
    struct call k = {.o = o, .lane = &o->lanes[lane], .count = count, .left = count};
    k.flights = elm_calloc(count + 1, sizeof(k.flights[0]));
    for (uint32_t i = 0; i < count; i++) {
        struct elm_reply *r = &replies[i];
        ELM_ASSERT(requests[i].tokens_max > 0 && requests[i].tokens_max <= 8192);
        elm_buf_clear(&r->text);
        elm_buf_clear(&r->token_ids);
        elm_buf_clear(&r->logprobs);
        r->prompt_tokens = r->tokens = 0;
        r->money = 0;
        r->wall_us = 0;
        r->why[0] = '\0';
        k.flights[i] = (struct flight){.o = o, .request = &requests[i], .reply = r};
    }
    pthread_mutex_lock(&o->lock);
    uint64_t cancels = o->cancels;
    o->totals.requests += count;
    pthread_mutex_unlock(&o->lock);
    enum elm_status status = without_sigpipe(&k, cancels, err);
    for (uint32_t i = 0; i < count; i++) {
        elm_buf_release(&k.flights[i].body);
        elm_buf_release(&k.flights[i].error_body);
    }
    free(k.flights);
    return status;
}

static void cancel(void *self)
{
    struct openai *o = self;
    pthread_mutex_lock(&o->lock);
    o->cancels++;
    for (uint32_t i = 0; i < o->lane_count; i++)
        curl_multi_wakeup(o->lanes[i].multi);
    pthread_mutex_unlock(&o->lock);
}

static void totals(void *self, struct elm_backend_totals *out)
{
    struct openai *o = self;
    pthread_mutex_lock(&o->lock);
    *out = o->totals;
    out->tokens += o->ledger.tokens_held;
    out->money += o->ledger.money_held;
    note_stopped(o, out->note, sizeof(out->note));
    for (uint32_t i = 0; i < o->server_count && out->note[0] == '\0'; i++) {
        if (o->health[i].open_until_us > 0)
            say_rest(o, i, elm_clock_us(), out->note, sizeof(out->note));
    }
    if (out->note[0] == '\0')
        snprintf(out->note, sizeof(out->note), "%s", o->warning);
    pthread_mutex_unlock(&o->lock);
}

/* A second or so of waiting for 200 tokens, shared by the requests of a batch. */
static double openai_price_us(const void *self, uint32_t tokens)
{
    (void)self;
    return 100000 + 500.0 * tokens;
}

const struct elm_backend_kind elm_backend_openai = {
    .name = "openai",
    .summary = "any OpenAI-compatible server",
    .open = open_openai,
    .price_us = openai_price_us,
    .close = close_openai,
    .complete = complete,
    .cancel = cancel,
    .totals = totals,
};
