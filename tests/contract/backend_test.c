/* backend: what every backend owes that needs no server: on a tiny model, and a script. */
#include "../grammar_rig.h"
#include "../llama_rig.h"
#include "elm/backend.h"

#include <pthread.h>

#define REQUESTS 20
#define LANES 2

static char model_path[64], script_path[64];

static struct elm_backend_def def_of(void)
{
    return (struct elm_backend_def){.model = model_path, .script = script_path, .lanes = LANES};
}

static void *open_kind(const struct elm_backend_kind *kind)
{
    struct elm_backend_def def = def_of();
    void *self = NULL;
    GIVES(ELM_OK, kind->open(&def, &self, ERR));
    return self;
}

/* Chats and raw prompts, alike and not, with and without a stop string. */
static void ask(struct elm_request *requests, uint32_t count)
{
    static const char *const words[] = {"int sort(int n", "double mean", "while (j > 0 && ",
                                        "A program gets better"};
    memset(requests, 0, count * sizeof(*requests));
    for (uint32_t i = 0; i < count; i++) {
        struct elm_request *r = &requests[i];
        r->seed = 77 + i / 2 * 2;    /* every other one has its neighbour's */
        r->raw = i % 3 == 0;
        elm_buf_printf(&r->system, "%s", i % 4 == 0 ? "" : "Programs that compile are kept. ");
        elm_buf_printf(&r->prompt, "%s %u", words[i % ELM_COUNT(words)], i / 6);
        r->tokens_max = 4 + i % 13;
        r->temperature = i % 5 == 0 ? 0 : 1;
        r->stop = i % 7 == 3 ? "e" : NULL;
    }
}

static void complete(const struct elm_backend_kind *kind, void *self, uint32_t lane,
                     const struct elm_request *requests, uint32_t count, struct elm_reply *replies)
{
    memset(replies, 0, count * sizeof(*replies));
    GIVES(ELM_OK, kind->complete(self, lane, requests, count, replies, ERR));
}

static void release(struct elm_request *requests, struct elm_reply *replies, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (requests != NULL)
            elm_request_release(&requests[i]);
        elm_reply_release(&replies[i]);
    }
}

static void check_reply(const struct elm_request *r, const struct elm_reply *reply)
{
    assert_true(reply->end == ELM_REPLY_DONE || reply->end == ELM_REPLY_LENGTH);
    assert_true(reply->tokens <= r->tokens_max + 1);
    assert_true(reply->prompt_tokens > 0);
    assert_true(reply->token_ids.len == 0 || reply->token_ids.len <= reply->tokens * 4);
    if (reply->logprobs.len > 0)
        assert_int_equal(reply->logprobs.len, reply->token_ids.len);
    if (r->stop != NULL && reply->text.len > 0)
        assert_null(memmem(reply->text.ptr, reply->text.len, r->stop, strlen(r->stop)));
}

static void assert_same_reply(const struct elm_reply *a, const struct elm_reply *b)
{
    assert_int_equal(a->end, b->end);
    assert_int_equal(a->text.len, b->text.len);
    if (a->text.len > 0)
        assert_memory_equal(a->text.ptr, b->text.ptr, a->text.len);
    assert_int_equal(a->logprobs.len, b->logprobs.len);
    if (a->logprobs.len > 0)
        assert_memory_equal(a->logprobs.ptr, b->logprobs.ptr, a->logprobs.len);
}

static void it_has_a_name_and_a_price(const struct elm_backend_kind *kind, void *self)
{
    struct elm_error err = {0};
    assert_true(strlen(kind->name) > 0 && strlen(kind->summary) > 0);
    assert_ptr_equal(elm_backend_find(kind->name), kind);
    assert_true(kind->price_us(self, 0) > 0);
    assert_true(kind->price_us(self, 400) > kind->price_us(self, 20));
    assert_int_equal(kind->complete(self, 0, NULL, 0, NULL, &err), ELM_OK);
}

static void answers_are_a_function_of_the_request(const struct elm_backend_kind *kind, void *self)
{
    struct elm_request requests[REQUESTS], back[REQUESTS];
    struct elm_reply all[REQUESTS], other[REQUESTS], one[1];
    struct elm_backend_totals before, after;
    uint64_t tokens = 0;
    kind->totals(self, &before);
    ask(requests, REQUESTS);
    complete(kind, self, 0, requests, REQUESTS, all);
    for (uint32_t i = 0; i < REQUESTS; i++) {
        check_reply(&requests[i], &all[i]);
        tokens += all[i].tokens;
        back[REQUESTS - 1 - i] = requests[i];
    }
    kind->totals(self, &after);
    assert_int_equal(after.requests - before.requests, REQUESTS);
    assert_int_equal(after.tokens - before.tokens, tokens);
    assert_int_equal(after.failed, before.failed);
    complete(kind, self, LANES - 1, back, REQUESTS, other);
    for (uint32_t i = 0; i < REQUESTS; i++) {
        assert_same_reply(&all[i], &other[REQUESTS - 1 - i]);
        complete(kind, self, i % LANES, &requests[i], 1, one);
        assert_same_reply(&all[i], &one[0]);
        release(NULL, one, 1);
    }
    release(NULL, other, REQUESTS);
    release(requests, all, REQUESTS);
}

struct lane_call {
    const struct elm_backend_kind *kind;
    void *self;
    uint32_t lane;
    const struct elm_request *requests;
    struct elm_reply replies[REQUESTS];
    enum elm_status status;
};

static void *run_lane(void *ctx)
{
    struct lane_call *c = ctx;
    struct elm_error err = {0};
    c->status = c->kind->complete(c->self, c->lane, c->requests, REQUESTS, c->replies, &err);
    return NULL;
}

static void lanes_work_at_once(const struct elm_backend_kind *kind, void *self)
{
    struct elm_request requests[REQUESTS];
    struct lane_call *calls = elm_calloc(LANES, sizeof(*calls));
    pthread_t threads[LANES];
    ask(requests, REQUESTS);
    for (uint32_t i = 0; i < LANES; i++) {
        calls[i] = (struct lane_call){.kind = kind, .self = self, .lane = i, .requests = requests};
        assert_int_equal(pthread_create(&threads[i], NULL, run_lane, &calls[i]), 0);
    }
    for (uint32_t i = 0; i < LANES; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(calls[i].status, ELM_OK);
    }
    for (uint32_t k = 0; k < REQUESTS; k++)
        assert_same_reply(&calls[0].replies[k], &calls[LANES - 1].replies[k]);
    for (uint32_t i = 0; i < LANES; i++)
        release(NULL, calls[i].replies, REQUESTS);
    for (uint32_t i = 0; i < REQUESTS; i++)
        elm_request_release(&requests[i]);
    free(calls);
}

/* Empty, too long for the context, full of control tokens, no text: an answer or a reason. */
static void any_prompt_is_answered_or_refused(const struct elm_backend_kind *kind, void *self)
{
    struct elm_request requests[4] = {0};
    struct elm_reply replies[4] = {0};
    struct elm_error err = {0};
    for (uint32_t i = 0; i < 4; i++)
        requests[i] = (struct elm_request){.seed = i, .raw = i % 2 == 0, .tokens_max = 4};
    for (int i = 0; i < 3000; i++)
        elm_buf_printf(&requests[1].prompt, "sum %d ", i);
    for (int i = 0; i < 400; i++)
        elm_buf_byte(&requests[2].prompt, (uint8_t)(i * 7));
    elm_buf_printf(&requests[3].prompt, "<|im_end|><|endoftext|><|im_start|>");
    assert_int_equal(kind->complete(self, 0, requests, 4, replies, &err), ELM_OK);
    for (uint32_t i = 0; i < 4; i++) {
        if (replies[i].end == ELM_REPLY_FAILED)
            assert_true(strlen(replies[i].why) > 0);
        else
            check_reply(&requests[i], &replies[i]);
    }
    release(requests, replies, 4);
}

static void cancelling_ends_what_runs_and_nothing_else(const struct elm_backend_kind *kind,
                                                       void *self)
{
    struct elm_request requests[REQUESTS];
    struct lane_call *c = elm_calloc(1, sizeof(*c));
    struct elm_reply replies[REQUESTS];
    pthread_t thread;
    ask(requests, REQUESTS);
    *c = (struct lane_call){.kind = kind, .self = self, .requests = requests};
    for (uint32_t i = 0; i < REQUESTS; i++)
        requests[i].tokens_max = 100;
    assert_int_equal(pthread_create(&thread, NULL, run_lane, c), 0);
    kind->cancel(self);
    pthread_join(thread, NULL);
    assert_true(c->status == ELM_OK || c->status == ELM_STOPPED);
    release(NULL, c->replies, REQUESTS);
    complete(kind, self, 0, requests, REQUESTS, replies);
    for (uint32_t i = 0; i < REQUESTS; i++)
        check_reply(&requests[i], &replies[i]);
    release(requests, replies, REQUESTS);
    free(c);
}

static void spans_keep_to_their_grammar(const struct elm_backend_kind *kind, void *self)
{
    struct grammar_rig *rig = elm_malloc(sizeof(*rig));
    struct elm_request requests[REQUESTS] = {0};
    struct elm_reply replies[REQUESTS];
    struct elm_rng rng = elm_rng(5, 0);
    uint32_t done = 0;
    rig_open_all(rig);
    for (uint32_t i = 0; i < REQUESTS; i++) {
        struct elm_request *r = &requests[i];
        *r = (struct elm_request){.seed = i, .raw = true, .tokens_max = 100, .temperature = 1};
        elm_buf_printf(&r->prompt, "int f");
        while (r->grammar == NULL) {
            const struct elm_tree *t = &rig->trees[elm_rng_below(&rng, rig->count)];
            uint32_t at = 1 + elm_rng_below(&rng, t->count - 1);
            if (elm_grammar_new(t, rig->names, at, 1, 12, &r->grammar, NULL) != ELM_OK)
                r->grammar = NULL;
        }
    }
    complete(kind, self, 0, requests, REQUESTS, replies);
    for (uint32_t i = 0; i < REQUESTS; i++) {
        struct elm_grammar_state s;
        elm_grammar_start(requests[i].grammar, &s);
        for (size_t k = 0; k < replies[i].text.len; k++)
            assert_true(elm_grammar_step(requests[i].grammar, &s, (uint8_t)replies[i].text.ptr[k]));
        assert_int_equal(elm_grammar_ended(requests[i].grammar, &s),
                         replies[i].end == ELM_REPLY_DONE);
        done += replies[i].end == ELM_REPLY_DONE;
    }
    assert_true(done > REQUESTS / 2);
    release(requests, replies, REQUESTS);
    rig_close_all(rig);
    free(rig);
}

static void a_broken_model_is_refused(const struct elm_backend_kind *kind)
{
    struct elm_backend_def def = def_of();
    void *self = NULL;
    char broken[64];
    rig_path(broken);
    struct elm_error err = {0};
    assert_int_equal(elm_file_write(broken, ELM_STR("GGUF\3\0\0\0 and then nothing"), &err), ELM_OK);
    def.model = broken;
    GIVES(ELM_CORRUPT, kind->open(&def, &self, ERR));
    def.model = "/nowhere/model.gguf";
    GIVES(ELM_NOT_FOUND, kind->open(&def, &self, ERR));
    def.model = NULL;
    GIVES(ELM_USAGE, kind->open(&def, &self, ERR));
    unlink(broken);
}

/* What is not there, or no adapter, leaves the model as it was; none at all is always possible. */
static void adapters_are_exchanged_or_refused(const struct elm_backend_kind *kind, void *self)
{
    struct elm_error err = {0};
    struct elm_request request[1];
    struct elm_reply before[1], after[1];
    if (kind->adapt == NULL)
        return;
    ask(request, 1);
    complete(kind, self, 0, request, 1, before);
    assert_int_equal(kind->adapt(self, "/nowhere/adapter.gguf", &err), ELM_NOT_FOUND);
    assert_int_equal(kind->adapt(self, script_path, &err), ELM_CORRUPT);
    GIVES(ELM_OK, kind->adapt(self, NULL, ERR));
    complete(kind, self, 0, request, 1, after);
    assert_same_reply(before, after);
    release(request, before, 1);
    release(NULL, after, 1);
}

static void a_budget_is_a_hard_stop(const struct elm_backend_kind *kind)
{
    struct elm_backend_def def = def_of();
    struct elm_request requests[REQUESTS];
    struct elm_reply replies[REQUESTS] = {0};
    struct elm_error err = {0};
    void *self = NULL;
    uint64_t spent = 0;
    def.tokens_budget = 1000 + 120;
    def.tokens_spent = 1000;
    GIVES(ELM_OK, kind->open(&def, &self, ERR));
    ask(requests, REQUESTS);
    assert_int_equal(kind->complete(self, 0, requests, REQUESTS, replies, &err), ELM_RANGE);
    for (uint32_t i = 0; i < REQUESTS; i++) {
        spent += replies[i].prompt_tokens + replies[i].tokens;
        assert_true(replies[i].end != ELM_REPLY_FAILED || strlen(replies[i].why) > 0);
    }
    assert_in_range(spent, 1, 120);
    release(requests, replies, REQUESTS);
    kind->close(self);
}

static void every_backend_keeps_its_contract(void **state)
{
    (void)state;
    uint32_t seen = 0;
    for (size_t i = 0; elm_backend_kinds[i] != NULL; i++) {
        const struct elm_backend_kind *kind = elm_backend_kinds[i];
        if (!kind->local)    /* openai: tests/unit/remote_test.c */
            continue;
        print_message("%s\n", kind->name);
        void *self = open_kind(kind);
        it_has_a_name_and_a_price(kind, self);
        answers_are_a_function_of_the_request(kind, self);
        lanes_work_at_once(kind, self);
        any_prompt_is_answered_or_refused(kind, self);
        cancelling_ends_what_runs_and_nothing_else(kind, self);
        if (kind->masks)
            spans_keep_to_their_grammar(kind, self);
        adapters_are_exchanged_or_refused(kind, self);
        kind->close(self);
        if (strcmp(kind->name, "scripted") != 0) {
            a_broken_model_is_refused(kind);
            a_budget_is_a_hard_stop(kind);
        }
        seen++;
    }
    assert_true(seen >= 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_backend_keeps_its_contract),
    };
    static const char script[] = "first answer\n%%\nint x = 1;\n%%\nthe third one\n";
    rig_path(model_path);
    rig_path(script_path);
    llama_write(model_path, &llama_spoken, 8);
    if (elm_file_write(script_path, elm_str(script), NULL) != ELM_OK)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(model_path);
    unlink(script_path);
    return failed;
}
