/* answer: what a server says, read as it comes. */
#include "elm/remote.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FORM_UNKNOWN, FORM_STREAM, FORM_DOCUMENT };

void elm_answer_init(struct elm_answer *a, const struct elm_request *r, const struct elm_buf *key)
{
    *a = (struct elm_answer){
        .request = r,
        .key = key,
        .text_max = (size_t)r->tokens_max * ELM_ANSWER_TOKEN_BYTES,
    };
}

void elm_answer_release(struct elm_answer *a)
{
    elm_buf_release(&a->text);
    elm_buf_release(&a->line);
    elm_buf_release(&a->event);
    *a = (struct elm_answer){0};
}

static void hide_key(const struct elm_answer *a, struct elm_buf *b)
{
    if (a->key != NULL)
        elm_key_hide(a->key, b->ptr, b->len);
}

/* The first reason stays. */
static void refuse(struct elm_answer *a, const char *why)
{
    if (a->why[0] == '\0')
        snprintf(a->why, sizeof(a->why), "%s", why);
}

/* Rubbish behind a whole answer does not matter. */
static void broken(struct elm_answer *a, const char *why)
{
    if (!a->finished)
        refuse(a, why);
    a->ended = true;
}

static void take_error(struct elm_answer *a, json_t *error)
{
    json_t *root = json_pack("{s:O}", "error", error);
    char *bytes = json_dumps(root, JSON_COMPACT);
    struct elm_buf said = {0};
    bool quota;
    a->error = !a->finished;
    if (bytes != NULL && elm_remote_error(elm_str(bytes), &said, &quota)) {
        hide_key(a, &said);
        broken(a, said.ptr);
    }
    broken(a, "the server failed and does not say why");
    json_int_t code = json_integer_value(json_object_get(error, "code"));
    const char *type = json_string_value(json_object_get(error, "type"));
    a->again = code == 429 || (code >= 500 && code != 501) ||
               (type != NULL && strstr(type, "overloaded") != NULL);
    elm_buf_release(&said);
    free(bytes);
    json_decref(root);
}

static void take_usage(struct elm_answer *a, json_t *usage)
{
    json_t *in = json_object_get(usage, "prompt_tokens");
    json_t *out = json_object_get(usage, "completion_tokens");
    json_int_t prompt = json_integer_value(in), tokens = json_integer_value(out);
    if (!json_is_integer(in) || !json_is_integer(out) || prompt < 0 || tokens < 0 ||
        prompt > INT32_MAX / 8 || tokens > INT32_MAX / 8)
        return;
    /* some count on with every event, some only at the end */
    a->counted = true;
    a->prompt_tokens = (uint64_t)prompt > a->prompt_tokens ? (uint64_t)prompt : a->prompt_tokens;
    a->tokens = (uint64_t)tokens > a->tokens ? (uint64_t)tokens : a->tokens;
}

static void take_text(struct elm_answer *a, json_t *content)
{
    if (!json_is_string(content)) {
        if (content != NULL && !json_is_null(content))
            broken(a, "malformed answer: its text is not a string");
        return;
    }
    size_t len = json_string_length(content), room = a->text_max - a->text.len;
    a->content = true;
    a->written += len;
    elm_buf_add(&a->text, json_string_value(content), len < room ? len : room);
    if (len > room)
        a->length = a->finished = a->ended = true;
}

static void take_reasoning(struct elm_answer *a, json_t *reasoning)
{
    a->written += json_string_length(reasoning);
    a->reasoned |= json_string_length(reasoning) > 0;
}

static void take_finish(struct elm_answer *a, json_t *reason)
{
    const char *word = json_string_value(reason);
    if (word == NULL)
        return;
    a->finished = true;
    a->length |= strcmp(word, "length") == 0;
    a->filtered |= strcmp(word, "content_filter") == 0;
}

static void take_choice(struct elm_answer *a, json_t *choice)
{
    if (!json_is_object(choice)) {
        broken(a, "malformed answer: a choice is not an object");
        return;
    }
    /* one was asked for; and what comes after its end is not part of it */
    if (json_integer_value(json_object_get(choice, "index")) != 0 || a->finished)
        return;
    json_t *from = a->request->raw ? choice : json_object_get(choice, "delta");
    from = from != NULL ? from : json_object_get(choice, "message");
    if (from != NULL && !json_is_null(from) && !json_is_object(from)) {
        broken(a, "malformed answer: a message is not an object");
        return;
    }
    take_text(a, json_object_get(from, a->request->raw ? "text" : "content"));
    take_reasoning(a, json_object_get(from, "reasoning_content"));
    take_reasoning(a, json_object_get(from, "reasoning"));
    a->tool |= json_array_size(json_object_get(from, "tool_calls")) > 0 ||
               json_is_object(json_object_get(from, "function_call"));
    take_finish(a, json_object_get(choice, "finish_reason"));
}

static void take_document(struct elm_answer *a, const char *bytes, size_t len)
{
    json_t *root = json_loadb(bytes, len, 0, NULL);
    json_t *error = json_object_get(root, "error"), *choices = json_object_get(root, "choices");
    if (!json_is_object(root)) {
        broken(a, root == NULL ? "malformed answer: not JSON" : "malformed answer: not an object");
    } else if (error != NULL && !json_is_null(error)) {
        take_error(a, error);
    } else if (choices != NULL && !json_is_null(choices) && !json_is_array(choices)) {
        broken(a, "malformed answer: choices is not an array");
    } else {
        take_usage(a, json_object_get(root, "usage"));
        for (size_t i = 0; i < json_array_size(choices) && a->why[0] == '\0'; i++)
            take_choice(a, json_array_get(choices, i));
        a->chosen |= json_array_size(choices) > 0;
    }
    json_decref(root);
}

static void take_event(struct elm_answer *a)
{
    struct elm_str e = elm_buf_str(&a->event);
    if (elm_str_equal(e, ELM_STR("[DONE]"))) {
        a->finished = a->ended = true;
    } else if (e.len > 0) {
        take_document(a, e.ptr, e.len);
    }
    elm_buf_clear(&a->event);
}

/* A line of a stream: "data: ..." adds to the event, an empty one ends it, other fields are not of
 * interest. */
static void take_line(struct elm_answer *a)
{
    struct elm_str line = elm_buf_str(&a->line);
    if (line.len == 0) {
        take_event(a);
    } else if (line.ptr[0] == ':') {
        a->spoke = true;
    } else if (line.len >= 5 && memcmp(line.ptr, "data:", 5) == 0) {
        a->spoke = true;
        size_t skip = line.len > 5 && line.ptr[5] == ' ' ? 6 : 5;
        if (a->event.len > 0)
            elm_buf_byte(&a->event, '\n');
        elm_buf_add(&a->event, line.ptr + skip, line.len - skip);
    }
    elm_buf_clear(&a->line);
}

static void feed_stream(struct elm_answer *a, const char *at, const char *end)
{
    while (at < end && !a->ended) {
        if (a->after_cr && *at == '\n')
            at++;
        a->after_cr = false;
        const char *stop = at;
        while (stop < end && *stop != '\n' && *stop != '\r')
            stop++;
        elm_buf_add(&a->line, at, (size_t)(stop - at));
        if (stop < end) {
            a->after_cr = *stop == '\r';
            take_line(a);
            stop++;
        }
        at = stop;
    }
}

/* White space and a byte order mark come before, heartbeats of proxies. */
static const char *find_form(struct elm_answer *a, const char *at, const char *end)
{
    while (at < end && memchr(" \t\r\n\xef\xbb\xbf", *at, 7) != NULL)
        at++;
    if (at == end)
        return at;
    a->form = *at == '{' ? FORM_DOCUMENT : FORM_STREAM;
    if (*at == '<') {
        a->page = true;
        broken(a, "a web page instead of an answer: is the url that of the server's API?");
    }
    return at;
}

bool elm_answer_feed(struct elm_answer *a, const void *bytes, size_t len)
{
    if (a->ended)
        return false;
    const char *at = bytes, *end = at + len;
    size_t room = ELM_ANSWER_BYTES_MAX - a->bytes;
    bool over = len > room;
    end = over ? at + room : end;
    a->bytes += (size_t)(end - at);
    if (a->form == FORM_UNKNOWN)
        at = find_form(a, at, end);
    if (a->form == FORM_DOCUMENT)
        elm_buf_add(&a->event, at, (size_t)(end - at));
    else if (a->form == FORM_STREAM)
        feed_stream(a, at, end);
    if (over && !a->ended)
        broken(a, "the answer is larger than 16 MiB");
    return !a->ended;
}

/* Parses what the end of the connection leaves open. */
static void take_rest(struct elm_answer *a)
{
    bool document = a->form == FORM_DOCUMENT;
    /* a last line may lack its end */
    struct elm_buf *rest = document || a->line.len == 0 ? &a->event : &a->line;
    size_t len = rest->len;
    while (len > 0 && strchr(" \t\r\n", rest->ptr[len - 1]) != NULL)
        len--;
    bool whole = len > 0 && (rest->ptr[len - 1] == '}' || rest->ptr[len - 1] == ']');
    if (document && whole) {
        take_document(a, a->event.ptr, a->event.len);
        a->finished = a->why[0] == '\0';
    } else if (whole) {
        if (a->line.len > 0)
            take_line(a);
        take_event(a);
    }
}

static size_t skip_blanks(struct elm_str s, size_t from)
{
    while (from < s.len && memchr(" \t\r\n", s.ptr[from], 4) != NULL)
        from++;
    return from;
}

static bool begins(struct elm_str s, size_t from, const char *word)
{
    size_t len = strlen(word);
    return s.len - from >= len && memcmp(s.ptr + from, word, len) == 0;
}

static const char *find(struct elm_str s, size_t from, const char *word)
{
    return s.len == from ? NULL : memmem(s.ptr + from, s.len - from, word, strlen(word));
}

/* Takes <think> blocks off the front. */
static void strip_reasoning(struct elm_answer *a)
{
    struct elm_str s = elm_buf_str(&a->text);
    size_t from = 0;
    /* a chat template may have opened the first one, so that only its end is written */
    if (!begins(s, skip_blanks(s, 0), "<think>") && find(s, 0, "</think>") == NULL)
        return;
    do {
        const char *end = find(s, from, "</think>");
        from = end == NULL ? s.len : skip_blanks(s, (size_t)(end - s.ptr) + 8);
    } while (begins(s, from, "<think>"));
    a->reasoned = true;
    a->text.len -= from;
    memmove(a->text.ptr, a->text.ptr + from, a->text.len + 1);
}

static void cut_stop(struct elm_answer *a)
{
    const char *stop = a->request->stop;
    const char *at = stop == NULL || stop[0] == '\0' ? NULL : find(elm_buf_str(&a->text), 0, stop);
    if (at == NULL)
        return;
    a->text.len = (size_t)(at - a->text.ptr);
    a->text.ptr[a->text.len] = '\0';
    a->length = false;
}

/* All was read and none of it is broken: is it an answer? */
static void decide(struct elm_answer *a)
{
    bool open = !a->finished && (a->form != FORM_STREAM || a->spoke);
    a->again = open;
    a->complete = a->chosen && !open;
    if (open)
        refuse(a, a->bytes == 0 ? "the connection closed without an answer"
                                : "the answer was cut off");
    else if (!a->chosen)
        refuse(a, a->finished ? "malformed answer: no choices" : "malformed answer: not JSON");
    else if (a->filtered)
        refuse(a, "the server's filter stopped the answer");
    if (a->why[0] != '\0')
        return;
    if (!a->request->raw)
        strip_reasoning(a);
    if (a->text.len == 0 && a->tool)
        refuse(a, "a tool call and no text");
    else if (a->text.len == 0 && a->reasoned)
        refuse(a, a->length ? "all tokens went into reasoning" : "reasoning and no text");
    else if (!a->content)
        refuse(a, "malformed answer: its text is null");
    cut_stop(a);
    hide_key(a, &a->text);
    a->good = a->why[0] == '\0';
}

void elm_answer_end(struct elm_answer *a)
{
    if (!a->ended)
        take_rest(a);
    if (a->why[0] == '\0')
        decide(a);
    a->ended = true;
}
