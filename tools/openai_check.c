/*
 * openai_check: the backend `openai` against a real server.
 *   openai_check ENDPOINT    as --endpoint has it
 * Exit: 0 all holds, 1 something does not, which the lines say.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "elm/backend.h"

#define COUNT 12

static const struct elm_backend_kind *kind;
static struct elm_backend_def def = {.lanes = 1};
static struct elm_request requests[COUNT];
static struct elm_reply replies[COUNT];
static bool bad;

static void check(bool ok, const char *what, const char *more)
{
    printf("%-5s %s%s%s\n", ok ? "ok" : "WRONG", what, more[0] != '\0' ? ": " : "", more);
    bad = bad || !ok;
}

static void ask_for(const char *prompt, bool raw, float temperature, uint32_t tokens_max)
{
    for (uint32_t i = 0; i < COUNT; i++) {
        elm_request_release(&requests[i]);
        elm_reply_release(&replies[i]);
        requests[i] = (struct elm_request){.seed = i + 1, .raw = raw, .temperature = temperature,
                                           .tokens_max = tokens_max};
        elm_buf_add_str(&requests[i].prompt, elm_str(prompt));
        if (!raw)
            elm_buf_add_str(&requests[i].system, ELM_STR("You answer with C code only."));
    }
}

static void *open_backend(void)
{
    void *self = NULL;
    struct elm_error err = {0};
    if (kind->open(&def, &self, &err) != ELM_OK) {
        fprintf(stderr, "openai_check: %s\n", err.message);
        exit(1);
    }
    return self;
}

static bool all_answered(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct elm_reply *r = &replies[i];
        if (r->end == ELM_REPLY_FAILED || r->text.len == 0 || r->tokens == 0 || r->prompt_tokens == 0 ||
            r->tokens > requests[i].tokens_max)
            return false;
    }
    return true;
}

static void check_answers(void)
{
    void *self = open_backend();
    struct elm_error err = {0};
    ask_for("Write a function that adds two ints.", false, 0.8f, 48);
    enum elm_status status = kind->complete(self, 0, requests, COUNT, replies, &err);
    check(status == ELM_OK && all_answered(COUNT), "12 chats at once", replies[0].why);
    ask_for("int add(int a, int b)\n{\n    return", true, 0, 16);
    status = kind->complete(self, 0, requests, 2, replies, &err);
    check(status == ELM_OK && all_answered(2), "raw text is continued", replies[0].why);
    check(elm_str_equal(elm_buf_str(&replies[0].text), elm_buf_str(&replies[1].text)),
          "the likeliest continuation is the same twice", "");
    requests[0].stop = ";";
    status = kind->complete(self, 0, requests, 1, replies, &err);
    check(status == ELM_OK && replies[0].end == ELM_REPLY_DONE && replies[0].text.len > 0 &&
              strchr(replies[0].text.ptr, ';') == NULL, "it ends before the stop string", replies[0].why);
    struct elm_backend_totals t;
    kind->totals(self, &t);
    check(t.failed == 0 && t.retried == 0 && t.requests == COUNT + 3, "nothing was asked twice", t.note);
    kind->close(self);
}

static void *cancel_soon(void *self)
{
    usleep(500000);
    kind->cancel(self);
    return NULL;
}

static void check_ends(void)
{
    pthread_t thread;
    void *self = open_backend();
    ask_for("Count to a thousand.", false, 1, 2000);
    int64_t start = elm_clock_us();
    pthread_create(&thread, NULL, cancel_soon, self);
    enum elm_status status = kind->complete(self, 0, requests, 4, replies, NULL);
    pthread_join(thread, NULL);
    check(status == ELM_STOPPED && elm_clock_us() - start < 700000, "cancel ends a call at once", "");
    ask_for("x = ", true, 0, 1);
    status = kind->complete(self, 0, requests, 1, replies, NULL);
    check(status == ELM_OK && all_answered(1), "and the next one is answered", replies[0].why);
    kind->close(self);
    def.tokens_budget = 60;
    self = open_backend();
    ask_for("x = ", true, 0, 20);
    status = kind->complete(self, 0, requests, COUNT, replies, NULL);
    struct elm_backend_totals t;
    kind->totals(self, &t);
    check(status == ELM_RANGE && t.tokens + t.prompt_tokens <= 60 && t.tokens > 0, "a budget is not passed",
          "");
    kind->close(self);
    def.tokens_budget = 0;
}

static void check_wrong_path(void)
{
    struct elm_buf url = {0};
    elm_buf_printf(&url, "%s/not/here", def.endpoints[0].url);
    def.endpoints[0].url = url.ptr;
    void *self = open_backend();
    ask_for("x", false, 0, 1);
    enum elm_status status = kind->complete(self, 0, requests, COUNT, replies, NULL);
    struct elm_backend_totals t;
    kind->totals(self, &t);
    check(status == ELM_OK && t.failed == COUNT && t.retried == 0 && strstr(t.note, "404") != NULL,
          "a wrong path is told", t.note);
    kind->close(self);
    elm_buf_release(&url);
}

int main(int argc, char **argv)
{
    struct elm_arena arena = {0};
    struct elm_error err = {0};
    kind = elm_backend_find("openai");
    if (argc != 2) {
        fprintf(stderr, "usage: openai_check ENDPOINT\n");
        return 2;
    }
    if (elm_endpoint_parse(argv[1], &def.endpoints[def.endpoint_count++], &arena, &err) != ELM_OK) {
        fprintf(stderr, "openai_check: %s\n", err.message);
        return 2;
    }
    check_answers();
    check_ends();
    check_wrong_path();
    ask_for("", true, 0, 1);
    for (uint32_t i = 0; i < COUNT; i++)
        elm_request_release(&requests[i]);
    elm_arena_release(&arena);
    return bad;
}
