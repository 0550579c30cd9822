/* body: the JSON of a request, and what servers say when they refuse one. */
#include "elm/remote.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Length of the UTF-8 sequence at `at`, 0 where there is none. */
static size_t sequence(const unsigned char *at, size_t left)
{
    static const struct { unsigned char lo, hi, next_lo, next_hi; size_t len; } forms[] = {
        {0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < ELM_COUNT(forms); i++) {
        size_t len = forms[i].len;
        if (at[0] < forms[i].lo || at[0] > forms[i].hi)
            continue;
        if (len > left || (len > 1 && (at[1] < forms[i].next_lo || at[1] > forms[i].next_hi)))
            return 0;
        for (size_t k = 2; k < len; k++) {
            if (at[k] >> 6 != 2)
                return 0;
        }
        return len;
    }
    return 0;
}

static json_t *text(struct elm_str s)
{
    struct elm_buf good = {0};
    elm_buf_reserve(&good, s.len);
    for (size_t i = 0; i < s.len;) {
        size_t len = sequence((const unsigned char *)s.ptr + i, s.len - i);
        elm_buf_add(&good, len > 0 ? s.ptr + i : "\xef\xbf\xbd", len > 0 ? len : 3);
        i += len > 0 ? len : 1;
    }
    json_t *value = json_stringn(good.ptr, good.len);
    elm_buf_release(&good);
    return value;
}

static void put(json_t *object, const char *name, json_t *value)
{
    int failed = json_object_set_new(object, name, value);
    /* no memory is all that can be wrong here */
    ELM_ASSERT(failed == 0);
}

static json_t *message(const char *role, struct elm_str content)
{
    json_t *m = json_object();
    put(m, "role", json_string(role));
    put(m, "content", text(content));
    return m;
}

void elm_remote_body(const struct elm_request *r, const char *model, uint32_t without,
                     struct elm_buf *out)
{
    json_t *body = json_object();
    if (model != NULL)
        put(body, "model", text(elm_str(model)));
    if (r->raw) {
        put(body, "prompt", text(elm_buf_str(&r->prompt)));
    } else {
        json_t *messages = json_array();
        if (r->system.len > 0)
            json_array_append_new(messages, message("system", elm_buf_str(&r->system)));
        json_array_append_new(messages, message("user", elm_buf_str(&r->prompt)));
        put(body, "messages", messages);
    }
    put(body, without & ELM_REMOTE_LENGTH && !r->raw ? "max_completion_tokens" : "max_tokens",
        json_integer(r->tokens_max));
    if (!(without & ELM_REMOTE_TEMPERATURE))
        put(body, "temperature", json_real(r->temperature));
    /* the widest that all servers read */
    if (!(without & ELM_REMOTE_SEED))
        put(body, "seed", json_integer((r->seed ^ r->seed >> 32) & 0x7fffffff));
    if (r->stop != NULL && r->stop[0] != '\0' && !(without & ELM_REMOTE_STOP))
        put(body, "stop", json_pack("[o]", text(elm_str(r->stop))));
    put(body, "stream", json_true());
    if (!(without & ELM_REMOTE_USAGE))
        put(body, "stream_options", json_pack("{s:b}", "include_usage", 1));
    char *bytes = json_dumps(body, JSON_COMPACT | JSON_REAL_PRECISION(6));
    ELM_ASSERT(bytes != NULL);
    elm_buf_add_str(out, elm_str(bytes));
    free(bytes);
    json_decref(body);
}

static bool holds(struct elm_str bytes, const char *word)
{
    return bytes.len > 0 && memmem(bytes.ptr, bytes.len, word, strlen(word)) != NULL;
}

static bool holds_quoted(struct elm_str bytes, const char *word)
{
    static const char *const quotes[] = {"\"%s\"", "\\\"%s\\\"", "'%s'", "`%s`"};
    bool found = false;
    for (size_t i = 0; i < ELM_COUNT(quotes) && !found; i++) {
        char quoted[64];
        int len = snprintf(quoted, sizeof(quoted), quotes[i], word);
        ELM_ASSERT(len > 0 && (size_t)len < sizeof(quoted));
        found = holds(bytes, quoted);
    }
    return found;
}

uint32_t elm_remote_refused(struct elm_str error_body)
{
    static const struct { const char *name; uint32_t bit; } parts[] = {
        {"seed", ELM_REMOTE_SEED},
        {"temperature", ELM_REMOTE_TEMPERATURE},
        {"stop", ELM_REMOTE_STOP},
        {"stream_options", ELM_REMOTE_USAGE},
    };
    static const char *const complaints[] = {"support", "nknown", "nrecognized", "xtra", "nexpected",
                                             "ot permitted", "ot allowed"};
    uint32_t refused = holds(error_body, "max_completion_tokens") ? ELM_REMOTE_LENGTH : 0;
    bool complains = false;
    for (size_t i = 0; i < ELM_COUNT(complaints); i++)
        complains |= holds(error_body, complaints[i]);
    for (size_t i = 0; complains && i < ELM_COUNT(parts); i++)
        refused |= holds_quoted(error_body, parts[i].name) ? parts[i].bit : 0;
    return refused;
}

bool elm_remote_error(struct elm_str error_body, struct elm_buf *out, bool *quota)
{
    *quota = false;
    json_t *root = json_loadb(error_body.ptr == NULL ? "" : error_body.ptr, error_body.len, 0, NULL);
    json_t *error = json_object_get(root, "error");
    json_t *from = json_is_object(error) ? error : root;
    const char *code = json_string_value(json_object_get(from, "code"));
    *quota = code != NULL && strcmp(code, "insufficient_quota") == 0;
    const char *said = json_string_value(error);
    said = said != NULL ? said : json_string_value(json_object_get(from, "message"));
    said = said != NULL ? said : json_string_value(json_object_get(from, "detail"));
    for (const char *c = said; c != NULL && *c != '\0'; c++)
        elm_buf_byte(out, *c >= ' ' && *c <= '~' ? (uint8_t)*c : *c < 0 ? '?' : ' ');
    bool found = said != NULL && said[0] != '\0';
    json_decref(root);
    return found;
}

uint64_t elm_remote_tokens(size_t bytes)
{
    return (uint64_t)bytes / 4 + (bytes % 4 != 0);
}
