/* endpoint: where a server is, as the command line says it. */
#include "elm/remote.h"

#include <arpa/inet.h>
#include <curl/urlapi.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_BYTES_MAX 4096

static char *part(CURLU *u, CURLUPart which, unsigned flags)
{
    char *text = NULL;
    return curl_url_get(u, which, &text, flags) == CURLUE_OK ? text : NULL;
}

/* `host` as libcurl writes it: numbers in four parts, [] around IPv6. */
static bool is_loopback(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;
    char bare[64] = "";
    size_t len = strlen(host);
    if (len > 2 && len < sizeof(bare) && host[0] == '[')
        memcpy(bare, host + 1, len - 2);
    if (inet_pton(AF_INET, host, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    if (inet_pton(AF_INET6, bare, &v6) == 1)
        return IN6_IS_ADDR_LOOPBACK(&v6);
    return strcasecmp(host, "localhost") == 0;
}

/* Nothing of the url but its host goes into a message: people put keys in the rest. */
static enum elm_status check_parts(CURLU *u, struct elm_place *place, struct elm_error *err)
{
    static const struct { CURLUPart which; const char *what; } unwanted[] = {
        {CURLUPART_USER, "a user name"},
        {CURLUPART_PASSWORD, "a password"},
        {CURLUPART_QUERY, "a query ('?')"},
        {CURLUPART_FRAGMENT, "a fragment ('#')"},
    };
    char *host = part(u, CURLUPART_HOST, 0), *port = part(u, CURLUPART_PORT, CURLU_DEFAULT_PORT);
    char *path = part(u, CURLUPART_PATH, 0);
    enum elm_status status = ELM_OK;
    if (host == NULL || port == NULL || path == NULL) {
        status = elm_fail(err, ELM_USAGE, "an endpoint's url has no host");
    } else {
        snprintf(place->host, sizeof(place->host), "%s:%s", host, port);
        place->loopback = is_loopback(host);
        size_t len = strlen(path);
        if (strcmp(path, "/") == 0) {
            status = elm_fail(err, ELM_USAGE, "endpoint %s: the url has no path: with most servers it "
                              "ends in /v1", place->host);
        } else if (len > 12 && strcmp(path + len - 12, "/completions") == 0) {
            status = elm_fail(err, ELM_USAGE, "endpoint %s: give the url up to and with /v1, without "
                              "chat/completions", place->host);
        }
    }
    for (size_t i = 0; status == ELM_OK && i < ELM_COUNT(unwanted); i++) {
        char *text = part(u, unwanted[i].which, 0);
        if (text != NULL) {
            status = elm_fail(err, ELM_USAGE, "endpoint %s: the url has %s: keys go into a file or "
                              "variable named by key-file=FILE or key-env=VAR", place->host,
                              unwanted[i].what);
        }
        curl_free(text);
    }
    curl_free(host);
    curl_free(port);
    curl_free(path);
    return status;
}

static enum elm_status check_url(const struct elm_endpoint *e, struct elm_place *place,
                                 struct elm_error *err)
{
    CURLU *u = curl_url();
    ELM_ASSERT(u != NULL);
    enum elm_status status = ELM_OK;
    char *scheme = NULL;
    if (curl_url_set(u, CURLUPART_URL, e->url, 0) != CURLUE_OK ||
        (scheme = part(u, CURLUPART_SCHEME, 0)) == NULL ||
        (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)) {
        status = elm_fail(err, ELM_USAGE, "an endpoint's url is not one: write http://HOST:PORT/v1 or "
                          "https://HOST/v1");
    }
    if (status == ELM_OK)
        status = check_parts(u, place, err);
    if (status == ELM_OK && strcmp(scheme, "http") == 0 && !place->loopback &&
        (e->key_file != NULL || e->key_env != NULL)) {
        status = elm_fail(err, ELM_USAGE, "endpoint %s: a key would cross the network in clear: write "
                          "https://, or reach it through a tunnel at http://127.0.0.1:PORT",
                          place->host);
    }
    curl_free(scheme);
    curl_url_cleanup(u);
    return status;
}

enum elm_status elm_endpoint_check(const struct elm_endpoint *e, struct elm_place *place,
                                   struct elm_error *err)
{
    *place = (struct elm_place){0};
    if (e->url == NULL || strlen(e->url) > TEXT_BYTES_MAX) {
        return elm_fail(err, ELM_USAGE, "an endpoint has no url of at most %d bytes: write "
                        "http://HOST:PORT/v1 or https://HOST/v1", TEXT_BYTES_MAX);
    }
    ELM_TRY(check_url(e, place, err));
    if (e->key_file != NULL && e->key_env != NULL)
        return elm_fail(err, ELM_USAGE, "endpoint %s: key-file and key-env: give one", place->host);
    if (!(e->weight > 0 && e->weight <= 1e9)) {
        return elm_fail(err, ELM_USAGE, "endpoint %s: weight=%g is not within 0 < W <= 1e9",
                        place->host, e->weight);
    }
    if (!(e->money_in >= 0 && e->money_in <= 1e9 && e->money_out >= 0 && e->money_out <= 1e9)) {
        return elm_fail(err, ELM_USAGE, "endpoint %s: in=%g or out=%g is not a price within 0..1e9 per "
                        "million tokens", place->host, e->money_in, e->money_out);
    }
    return ELM_OK;
}

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                                                               : -1;
}

/* NULL for a broken %XX or a control character. */
static const char *decode(const char *text, size_t len, struct elm_arena *arena)
{
    char *out = elm_arena_alloc(arena, len + 1);
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (c == '%') {
            if (i + 2 >= len || hex(text[i + 1]) < 0 || hex(text[i + 2]) < 0)
                return NULL;
            c = (char)(hex(text[i + 1]) << 4 | hex(text[i + 2]));
            i += 2;
        }
        if ((unsigned char)c < 32 || c == 127)
            return NULL;
        out[n++] = c;
    }
    out[n] = '\0';
    return out;
}

static const char *const names[] = {"model", "key-env", "key-file", "weight", "in", "out"};

static enum elm_status put(struct elm_endpoint *e, size_t which, const char *value,
                           struct elm_error *err)
{
    const char **text[] = {&e->model, &e->key_env, &e->key_file};
    double *number[] = {&e->weight, &e->money_in, &e->money_out};
    if (which < ELM_COUNT(text)) {
        *text[which] = value;
        return ELM_OK;
    }
    char *end;
    double x = strtod(value, &end);
    /* the check below knows the ranges */
    if (*end != '\0' || !isfinite(x))
        return elm_fail(err, ELM_USAGE, "--endpoint: %s= is not a number", names[which]);
    *number[which - ELM_COUNT(text)] = x;
    return ELM_OK;
}

/* One ",name=value". `number` counts them for the message: what has no name may be a key. */
static enum elm_status take(struct elm_str setting, uint32_t number, uint32_t *seen,
                            struct elm_endpoint *e, struct elm_arena *arena, struct elm_error *err)
{
    const char *equal = setting.len == 0 ? NULL : memchr(setting.ptr, '=', setting.len);
    size_t which = 0, len = equal == NULL ? 0 : (size_t)(equal - setting.ptr);
    while (which < ELM_COUNT(names) &&
           !elm_str_equal(elm_str(names[which]), (struct elm_str){setting.ptr, len}))
        which++;
    if (equal == NULL || which == ELM_COUNT(names)) {
        return elm_fail(err, ELM_USAGE, "--endpoint: setting %u after the url is none of model=NAME "
                        "key-env=VAR key-file=FILE weight=W in=MONEY out=MONEY; a comma in a value is "
                        "written %%2C", number);
    }
    if (*seen & 1u << which)
        return elm_fail(err, ELM_USAGE, "--endpoint: %s= is there twice", names[which]);
    *seen |= 1u << which;
    const char *value = decode(equal + 1, setting.len - len - 1, arena);
    if (value == NULL || value[0] == '\0') {
        return elm_fail(err, ELM_USAGE, "--endpoint: %s= is empty, or a %% in it is not followed by two "
                        "hexadecimal digits", names[which]);
    }
    return put(e, which, value, err);
}

enum elm_status elm_endpoint_parse(const char *text, struct elm_endpoint *out,
                                   struct elm_arena *arena, struct elm_error *err)
{
    struct elm_endpoint e = {.weight = 1};
    struct elm_place place;
    uint32_t seen = 0, number = 0;
    size_t left = strlen(text), len = strcspn(text, ",");
    if (left > TEXT_BYTES_MAX)
        return elm_fail(err, ELM_USAGE, "--endpoint: %zu bytes, %d are allowed", left, TEXT_BYTES_MAX);
    char *url = elm_arena_alloc(arena, len + 1);
    memcpy(url, text, len);
    while (len > 0 && url[len - 1] == '/')
        len--;
    url[len] = '\0';
    e.url = url;
    for (const char *at = text + strcspn(text, ","); *at != '\0';) {
        size_t n = strcspn(at + 1, ",");
        ELM_TRY(take((struct elm_str){at + 1, n}, ++number, &seen, &e, arena, err));
        at += 1 + n;
    }
    ELM_TRY(elm_endpoint_check(&e, &place, err));
    *out = e;
    return ELM_OK;
}
