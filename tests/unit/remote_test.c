/* remote: the texts of endpoints, keys, requests, answers, health and budgets, without a network. */
#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "elm/remote.h"

/* ---- endpoints ---- */
static void endpoints_are_read(void **state)
{
    (void)state;
    struct elm_arena arena = {0};
    struct elm_error err = {0};
    struct elm_endpoint e;
    assert_int_equal(elm_endpoint_parse("https://api.example.com/v1,model=a%2Cb%25/c,key-env=K,weight=3,"
                                        "in=0.25,out=1.5", &e, &arena, &err), ELM_OK);
    assert_string_equal(e.url, "https://api.example.com/v1");
    assert_string_equal(e.model, "a,b%/c");
    assert_string_equal(e.key_env, "K");
    assert_null(e.key_file);
    assert_true(e.weight == 3 && e.money_in == 0.25 && e.money_out == 1.5);
    assert_int_equal(elm_endpoint_parse("http://localhost:8080/v1//,key-file=/k", &e, &arena, &err),
                     ELM_OK);
    assert_string_equal(e.url, "http://localhost:8080/v1");
    assert_string_equal(e.key_file, "/k");
    assert_true(e.weight == 1 && e.money_in == 0 && e.model == NULL);
    elm_arena_release(&arena);
}

static void wrong_endpoints_are_explained(void **state)
{
    (void)state;
    static const struct { const char *text, *says; } cases[] = {
        {"", "http://HOST:PORT/v1"},
        {",model=x", "http://HOST:PORT/v1"},
        {"localhost:8080/v1", "http://HOST:PORT/v1"},
        {"ftp://h/v1", "http://HOST:PORT/v1"},
        {"file:///etc/passwd", "http://HOST:PORT/v1"},
        {"http://h", "/v1"},
        {"http://h:99999/v1", "http://HOST:PORT/v1"},
        {"http://h/v1/chat/completions", "without chat/completions"},
        {"https://u:SECRET@h/v1", "user name"},
        {"https://h/v1?key=SECRET", "query"},
        {"https://h/v1#SECRET", "fragment"},
        {"https://h/v1,SECRET", "setting 1"},
        {"https://h/v1,model=x,key=SECRET", "setting 2"},
        {"https://h/v1,model=", "model="},
        {"https://h/v1,model=%zz", "model="},
        {"https://h/v1,model=%0a", "model="},
        {"https://h/v1,model=a%2", "model="},
        {"https://h/v1,model=a,model=b", "twice"},
        {"https://h/v1,key-env=A,key-file=B", "give one"},
        {"https://h/v1,weight=0", "weight=0"},
        {"https://h/v1,weight=-1", "weight=-1"},
        {"https://h/v1,weight=nan", "not a number"},
        {"https://h/v1,weight=1x", "not a number"},
        {"https://h/v1,in=-1", "in=-1"},
        {"https://h/v1,out=1e99", "out=1e+99"},
        {"http://example.com/v1,key-env=K", "in clear"},
        {"http://127.0.0.1.example.com/v1,key-env=K", "in clear"},
        {"http://10.0.0.1:8000/v1,key-file=K", "in clear"},
        {"http://[2001:db8::1]/v1,key-file=K", "in clear"},
    };
    struct elm_arena arena = {0};
    for (size_t i = 0; i < ELM_COUNT(cases); i++) {
        struct elm_endpoint e = {.weight = 77};
        struct elm_error err = {0};
        enum elm_status status = elm_endpoint_parse(cases[i].text, &e, &arena, &err);
        if (status != ELM_USAGE || strstr(err.message, cases[i].says) == NULL)
            fail_msg("'%s': %d, %s", cases[i].text, status, err.message);
        assert_null(strstr(err.message, "SECRET"));
        assert_true(e.weight == 77);
    }
    struct elm_buf big = {0};
    elm_buf_add_str(&big, ELM_STR("http://h/"));
    for (int i = 0; i < 5000; i++)
        elm_buf_byte(&big, 'a');
    assert_int_equal(elm_endpoint_parse(big.ptr, &(struct elm_endpoint){0}, &arena, NULL), ELM_USAGE);
    elm_buf_release(&big);
    elm_arena_release(&arena);
}

static void loopback_is_known(void **state)
{
    (void)state;
    static const char *const inside[] = {"http://127.0.0.1:1/v1", "http://127.9.9.9/v1",
                                         "http://[::1]:80/v1", "http://LOCALHOST/v1",
                                         "http://2130706433/v1"};
    for (size_t i = 0; i < ELM_COUNT(inside); i++) {
        struct elm_endpoint e = {.url = inside[i], .key_env = "K", .weight = 1};
        struct elm_place place;
        struct elm_error err = {0};
        if (elm_endpoint_check(&e, &place, &err) != ELM_OK || !place.loopback)
            fail_msg("%s: %s", inside[i], err.message);
    }
}

/* ---- keys ---- */
static void keys_are_trimmed_and_checked(void **state)
{
    (void)state;
    struct elm_error err = {0};
    struct elm_buf key = {0};
    struct elm_endpoint e = {.key_env = "ELM_TEST_KEY"};
    unsetenv("ELM_TEST_KEY");
    assert_int_equal(elm_key_read(&e, &key, NULL, &err), ELM_NOT_FOUND);
    assert_non_null(strstr(err.message, "ELM_TEST_KEY"));
    setenv("ELM_TEST_KEY", " \t sk-1 \r\n", 1);
    assert_int_equal(elm_key_read(&e, &key, NULL, &err), ELM_OK);
    assert_string_equal(key.ptr, "sk-1");
    elm_key_wipe(&key);
    static const char *const wrong[] = {"", "  ", "a b", "a\nInjected: 1", "\xc3\xa9", "a\x7f"};
    for (size_t i = 0; i < ELM_COUNT(wrong); i++) {
        setenv("ELM_TEST_KEY", wrong[i], 1);
        assert_int_equal(elm_key_read(&e, &key, NULL, &err), ELM_USAGE);
        assert_true(key.len == 0 && key.ptr == NULL);
    }
    struct elm_buf big = {0};
    for (int i = 0; i <= ELM_KEY_BYTES_MAX; i++)
        elm_buf_byte(&big, 'k');
    setenv("ELM_TEST_KEY", big.ptr, 1);
    assert_int_equal(elm_key_read(&e, &key, NULL, &err), ELM_USAGE);
    elm_buf_release(&big);
    unsetenv("ELM_TEST_KEY");
}

static void key_files_are_read(void **state)
{
    (void)state;
    char path[] = "/tmp/elm-key-XXXXXX", warning[160] = "";
    int fd = mkstemp(path);
    struct elm_error err = {0};
    struct elm_buf key = {0};
    struct elm_endpoint e = {.key_file = path};
    assert_true(fd >= 0 && write(fd, "sk-file\n", 8) == 8);
    assert_int_equal(elm_key_read(&e, &key, warning, &err), ELM_OK);
    assert_string_equal(key.ptr, "sk-file");
    assert_string_equal(warning, "");
    elm_key_wipe(&key);
    assert_int_equal(fchmod(fd, 0644), 0);
    assert_int_equal(elm_key_read(&e, &key, warning, &err), ELM_OK);
    assert_non_null(strstr(warning, "chmod 600"));
    elm_key_wipe(&key);
    assert_int_equal(ftruncate(fd, 1 << 20), 0);
    assert_int_equal(elm_key_read(&e, &key, NULL, &err), ELM_RANGE);
    close(fd);
    unlink(path);
    assert_int_equal(elm_key_read(&e, &key, NULL, &err), ELM_NOT_FOUND);
    e.key_file = "/tmp";
    assert_int_equal(elm_key_read(&e, &key, NULL, &err), ELM_IO);
}

static void keys_are_hidden(void **state)
{
    (void)state;
    struct elm_buf key = {0};
    char text[] = "abcabc xabcab";
    elm_key_hide(&key, text, sizeof(text) - 1);
    assert_string_equal(text, "abcabc xabcab");
    elm_buf_add_str(&key, ELM_STR("abc"));
    elm_key_hide(&key, text, sizeof(text) - 1);
    assert_string_equal(text, "****** x***ab");
    elm_buf_release(&key);
}

/* ---- requests ---- */
static void requests_are_json(void **state)
{
    (void)state;
    struct elm_request r = {.seed = 0xfedcba9876543210, .tokens_max = 99, .temperature = 0.7f,
                            .stop = "\"\n"};
    struct elm_buf body = {0};
    elm_buf_add_str(&r.prompt, ELM_STR("a\"\\\n\0\x1b \xc3\xa9 \xff \xed\xa0\x80 \xf4\x90\x80\x80 \xe2\x82"));
    elm_remote_body(&r, "m\"{}%s", 0, &body);
    json_t *root = json_loadb(body.ptr, body.len, JSON_ALLOW_NUL, NULL);
    assert_non_null(root);
    const char *model, *role;
    json_t *content, *stop;
    int tokens, stream, usage;
    json_int_t seed;
    double temperature;
    assert_int_equal(json_unpack(root, "{s:s s:[{s:s s:o}] s:i s:F s:I s:[o] s:b s:{s:b}!}", "model",
                                 &model, "messages", "role", &role, "content", &content, "max_tokens",
                                 &tokens, "temperature", &temperature, "seed", &seed, "stop", &stop,
                                 "stream", &stream, "stream_options", "include_usage", &usage), 0);
    assert_string_equal(model, "m\"{}%s");
    assert_string_equal(role, "user");
    static const char wanted[] = "a\"\\\n\0\x1b \xc3\xa9 \xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd "
                                 "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd";
    assert_int_equal(json_string_length(content), sizeof(wanted) - 1);
    assert_memory_equal(json_string_value(content), wanted, sizeof(wanted) - 1);
    assert_string_equal(json_string_value(stop), "\"\n");
    assert_true(tokens == 99 && stream && usage && temperature == 0.7 && seed >= 0 && seed < 1ll << 31);
    json_decref(root);
    elm_buf_release(&body);
    elm_buf_release(&r.prompt);
}

static void raw_requests_and_parts_left_out(void **state)
{
    (void)state;
    struct elm_request r = {.tokens_max = 5, .raw = true, .stop = "x"};
    struct elm_buf body = {0};
    elm_buf_add_str(&r.prompt, ELM_STR("int f("));
    elm_remote_body(&r, NULL, ELM_REMOTE_SEED | ELM_REMOTE_USAGE | ELM_REMOTE_LENGTH, &body);
    assert_string_equal(body.ptr, "{\"prompt\":\"int f(\",\"max_tokens\":5,\"temperature\":0.0,"
                                  "\"stop\":[\"x\"],\"stream\":true}");
    r.raw = false;
    elm_buf_add_str(&r.system, ELM_STR("be C"));
    elm_buf_clear(&body);
    elm_remote_body(&r, NULL, 31, &body);
    assert_string_equal(body.ptr, "{\"messages\":[{\"role\":\"system\",\"content\":\"be C\"},{\"role\":"
                                  "\"user\",\"content\":\"int f(\"}],\"max_completion_tokens\":5,"
                                  "\"stream\":true}");
    elm_buf_release(&body);
    elm_buf_release(&r.prompt);
    elm_buf_release(&r.system);
}

static void complaints_are_understood(void **state)
{
    (void)state;
    static const struct { const char *body; uint32_t parts; } cases[] = {
        {"", 0},
        {"{\"error\":{\"message\":\"context is too long: 'seed'\"}}", 0},
        {"{\"error\":{\"message\":\"Unsupported parameter: 'max_tokens' is not supported with this model."
         " Use 'max_completion_tokens' instead.\"}}", ELM_REMOTE_LENGTH},
        {"{\"error\":{\"message\":\"Unsupported value: 'temperature' does not support 0.7\"}}",
         ELM_REMOTE_TEMPERATURE},
        {"{\"detail\":[{\"type\":\"extra_forbidden\",\"loc\":[\"body\",\"seed\"],\"msg\":\"Extra inputs are"
         " not permitted\"}]}", ELM_REMOTE_SEED},
        {"{\"error\":\"unknown field \\\"stream_options\\\"\"}", ELM_REMOTE_USAGE},
    };
    for (size_t i = 0; i < ELM_COUNT(cases); i++)
        assert_int_equal(elm_remote_refused(elm_str(cases[i].body)), cases[i].parts);
}

static void errors_are_read(void **state)
{
    (void)state;
    static const struct { const char *body, *says; bool quota; } cases[] = {
        {"", NULL, false},
        {"<html>", NULL, false},
        {"[1]", NULL, false},
        {"{\"error\":null}", NULL, false},
        {"{\"error\":\"no\"}", "no", false},
        {"{\"error\":{\"message\":\"a\\u001b[31m\\nb\\u00e9\"}}", "a [31m b??", false},
        {"{\"error\":{\"message\":\"pay\",\"code\":\"insufficient_quota\"}}", "pay", true},
        {"{\"object\":\"error\",\"message\":\"m\",\"code\":404}", "m", false},
        {"{\"detail\":\"Not Found\"}", "Not Found", false},
    };
    for (size_t i = 0; i < ELM_COUNT(cases); i++) {
        struct elm_buf said = {0};
        bool quota;
        assert_int_equal(elm_remote_error(elm_str(cases[i].body), &said, &quota), cases[i].says != NULL);
        if (cases[i].says != NULL)
            assert_string_equal(said.ptr, cases[i].says);
        assert_int_equal(quota, cases[i].quota);
        elm_buf_release(&said);
    }
}

/* ---- answers ---- */
#define CHUNK(delta) "data: {\"choices\":[{\"delta\":{" delta "}}]}\n\n"
#define END(reason) "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"" reason "\"}]}\n\n"
#define DOC(message) "{\"choices\":[{\"message\":{" message "},\"finish_reason\":\"stop\"}]}"

struct reading {
    const char *bytes;
    const char *text;      /* NULL: not good */
    const char *why;       /* what it holds */
    bool again;
};

static void check_reading(const struct reading *c, size_t piece)
{
    struct elm_request r = {.tokens_max = 4, .stop = "STOP"};
    struct elm_answer a;
    size_t len = strlen(c->bytes);
    elm_answer_init(&a, &r, NULL);
    for (size_t at = 0; at < len; at += piece)
        elm_answer_feed(&a, c->bytes + at, len - at < piece ? len - at : piece);
    elm_answer_end(&a);
    if (a.good != (c->text != NULL) || a.again != c->again ||
        (a.good ? a.text.len != strlen(c->text) || memcmp(a.text.ptr, c->text, a.text.len) != 0
                : strstr(a.why, c->why) == NULL))
        fail_msg("%s\nin pieces of %zu: good %d again %d '%s' '%s'", c->bytes, piece, a.good, a.again,
                 a.text.len > 0 ? a.text.ptr : "", a.why);
    elm_answer_release(&a);
}

static void answers_are_read(void **state)
{
    (void)state;
    static const struct reading cases[] = {
        {CHUNK("\"content\":\"a\"") CHUNK("\"content\":\"b\"") END("stop") "data: [DONE]\n\n", "ab", "", 0},
        {"\xef\xbb\xbf\r\n: ping\r\ndata: {\"choices\":[{\"delta\":\r\ndata:{\"content\":\"\\u00e9\"},"
         "\"finish_reason\":\"eos\"}]}\r\n\r\n", "\xc3\xa9", "", 0},
        {"event: x\rid: 1\rdata: {\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}\r\r",
         "a", "", 0},
        {CHUNK("\"content\":\"a\"") "data: [DONE]", "a", "", 0},
        {"data: {\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}", "a", "", 0},
        {CHUNK("\"content\":\"a\"") END("stop") CHUNK("\"content\":\"a\"") END("stop"), "a", "", 0},
        {CHUNK("\"content\":\"a\"") END("stop") "data: rubbish\n\n", "a", "", 0},
        {CHUNK("\"content\":\"a\"") END("stop") "data: {\"error\":\"late\"}\n\n", "a", "", 0},
        {" \n" DOC("\"content\":\"a STOP b\"") "\n", "a ", "", 0},
        {DOC("\"content\":\"\""), "", "", 0},
        {DOC("\"content\":\"<think>\\nSTOP hm</think>\\n\\nint x;\""), "int x;", "", 0},
        {DOC("\"content\":\"hm</think> <think>again</think>x\""), "x", "", 0},
        {DOC("\"content\":\"x\",\"reasoning_content\":\"y\""), "x", "", 0},
        {"{\"choices\":[{\"message\":{\"content\":\"a\"}},{\"index\":1,\"message\":{\"content\":\"b\"}}]}", "a",
         "", 0},
        {DOC("\"content\":\"<think>for ever\""), NULL, "reasoning", 0},
        {DOC("\"content\":null,\"reasoning\":\"y\""), NULL, "reasoning", 0},
        {DOC("\"content\":null"), NULL, "null", 0},
        {DOC("\"content\":null,\"tool_calls\":[{\"id\":1}]"), NULL, "tool call", 0},
        {DOC("\"content\":7"), NULL, "not a string", 0},
        {DOC("\"content\":\"\\u0000\""), NULL, "not JSON", 0},
        {DOC("\"content\":\"\xc3\""), NULL, "not JSON", 0},
        {DOC("\"content\":\"a\"") DOC("\"content\":\"b\""), NULL, "not JSON", 0},
        {"{\"choices\":[]}", NULL, "no choices", 0},
        {"{}", NULL, "no choices", 0},
        {"{\"choices\":7}", NULL, "not an array", 0},
        {"{\"choices\":[7]}", NULL, "not an object", 0},
        {"{\"choices\":[{\"message\":[]}]}", NULL, "not an object", 0},
        {"{\"choices\":[{}]}", NULL, "null", 0},
        {"data: [1]\n\n", NULL, "not an object", 0},
        {"data: {\n\n", NULL, "not JSON", 0},
        {"data: {\"choices\":[{\"delta\":{\"content\":\"\xe2\x82\"}}]}\n\n", NULL, "not JSON", 0},
        {"data: [DONE]\n\n", NULL, "no choices", 0},
        {"<!DOCTYPE html><p>", NULL, "web page", 0},
        {"upstream went away", NULL, "not JSON", 0},
        {"[]", NULL, "not JSON", 0},
        {END("content_filter"), NULL, "filter", 0},
        {"{\"error\":{\"message\":\"no\\u001bway\",\"code\":400}}", NULL, "no way", 0},
        {"{\"error\":7}", NULL, "does not say", 0},
        {CHUNK("\"content\":\"a\"") "data: {\"error\":{\"message\":\"busy\",\"code\":503}}\n\n", NULL, "busy", 1},
        {"data: {\"error\":{\"type\":\"overloaded_error\",\"message\":\"busy\"}}\n\n", NULL, "busy", 1},
        {"", NULL, "without an answer", 1},
        {" \r\n", NULL, "cut off", 1},
        {": ping\n\n", NULL, "cut off", 1},
        {CHUNK("\"content\":\"a\""), NULL, "cut off", 1},
        {CHUNK("\"content\":\"a\"") "data: {\"cho", NULL, "cut off", 1},
        {"{\"choices\":[{\"mess", NULL, "cut off", 1},
    };
    for (size_t i = 0; i < ELM_COUNT(cases); i++) {
        check_reading(&cases[i], 1);
        check_reading(&cases[i], 7);
        check_reading(&cases[i], 100000);
    }
}

static void read_answer(struct elm_answer *a, const struct elm_request *r, const char *bytes)
{
    elm_answer_init(a, r, NULL);
    elm_answer_feed(a, bytes, strlen(bytes));
    elm_answer_end(a);
}

static void tokens_are_counted(void **state)
{
    (void)state;
    struct elm_request r = {.tokens_max = 8};
    struct elm_answer a;
    read_answer(&a, &r, "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":1}}\n\n"
                CHUNK("\"content\":\"a\"") END("length")
                "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3}}\n\n");
    assert_true(a.good && a.length && a.counted && a.complete);
    assert_true(a.prompt_tokens == 7 && a.tokens == 3);
    elm_answer_release(&a);
    static const char *const wrong[] = {"null", "7", "{}", "{\"prompt_tokens\":1}",
        "{\"prompt_tokens\":\"1\",\"completion_tokens\":1}", "{\"prompt_tokens\":-1,\"completion_tokens\":1}",
        "{\"prompt_tokens\":1,\"completion_tokens\":1e3}",
        "{\"prompt_tokens\":1,\"completion_tokens\":9000000000000000000}"};
    for (size_t i = 0; i < ELM_COUNT(wrong); i++) {
        char bytes[256];
        snprintf(bytes, sizeof(bytes), "{\"usage\":%s,\"choices\":[{\"message\":{\"content\":\"a\"}}]}",
                 wrong[i]);
        read_answer(&a, &r, bytes);
        assert_true(a.good && !a.counted && a.complete);
        elm_answer_release(&a);
    }
}

static void answers_are_capped(void **state)
{
    (void)state;
    struct elm_request r = {.tokens_max = 2, .raw = true};
    struct elm_answer a;
    char chunk[200];
    uint32_t fed = 0;
    elm_answer_init(&a, &r, NULL);
    snprintf(chunk, sizeof(chunk), "data: {\"choices\":[{\"text\":\"%0100d\"}]}\n\n", 0);
    while (elm_answer_feed(&a, chunk, strlen(chunk)))
        fed++;
    assert_int_equal(fed, 2);
    elm_answer_end(&a);
    assert_true(a.good && a.length && a.text.len == 2 * ELM_ANSWER_TOKEN_BYTES);
    elm_answer_release(&a);
    static const char *const endless[] = {": ping\n", "data: x\n", "x", "\n", "{"};
    for (size_t i = 0; i < ELM_COUNT(endless); i++) {
        struct elm_buf many = {0};
        while (many.len < 65536)
            elm_buf_add_str(&many, elm_str(endless[i]));
        elm_answer_init(&a, &r, NULL);
        for (fed = 0; elm_answer_feed(&a, many.ptr, many.len); fed++)
            assert_true(fed <= ELM_ANSWER_BYTES_MAX / 65536);
        elm_answer_end(&a);
        assert_true(!a.good && !a.again);
        assert_non_null(strstr(a.why, "16 MiB"));
        elm_answer_release(&a);
        elm_buf_release(&many);
    }
}

static void raw_text_is_left_alone(void **state)
{
    (void)state;
    struct elm_request r = {.tokens_max = 8, .raw = true};
    struct elm_answer a;
    read_answer(&a, &r, "{\"choices\":[{\"text\":\" <think>a</think>\",\"finish_reason\":\"length\"}]}");
    assert_true(a.good && a.length);
    assert_string_equal(a.text.ptr, " <think>a</think>");
    elm_answer_release(&a);
}

static void an_echoed_key_is_hidden(void **state)
{
    (void)state;
    struct elm_request r = {.tokens_max = 8};
    struct elm_answer a;
    struct elm_buf key = {0};
    elm_buf_add_str(&key, ELM_STR("sk-secret-0123456789"));
    static const char *const bytes[] = {
        DOC("\"content\":\"the key is sk-secret-0123456789!\""),
        "{\"error\":\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
        "sk-secret-0123456789\"}"};
    for (size_t i = 0; i < ELM_COUNT(bytes); i++) {
        elm_answer_init(&a, &r, &key);
        elm_answer_feed(&a, bytes[i], strlen(bytes[i]));
        elm_answer_end(&a);
        assert_null(strstr(a.why, "sk-"));
        assert_true(a.text.len == 0 || strstr(a.text.ptr, "the key is ****") != NULL);
        elm_answer_release(&a);
    }
    struct elm_ending e;
    elm_ending_status(&e, 400, elm_str(bytes[1]), 0, &key, 0);
    assert_int_equal(e.verdict, ELM_VERDICT_FAILED);
    assert_null(strstr(e.why, "sk-"));
    elm_buf_release(&key);
}

static void what_a_try_costs(void **state)
{
    (void)state;
    static const struct { const char *bytes; long status; uint64_t prompt, tokens; } cases[] = {
        {"", 0, 10, 20},
        {"", 200, 10, 20},
        {"", 503, 0, 0},
        {"<html>", 200, 0, 0},
        {"{", 200, 10, 20},
        {CHUNK("\"content\":\"abcde\""), 200, 10, 20},
        {CHUNK("\"content\":\"abcde\"") END("stop"), 200, 10, 2},
        {"{\"error\":\"no\"}", 200, 0, 0},
        {CHUNK("\"content\":\"abcde\"") "data: {\"error\":\"no\"}\n\n", 200, 10, 2},
        {CHUNK("\"content\":null,\"reasoning\":\"12345678\"") END("stop"), 200, 10, 2},
        {"data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}\n\n", 200, 3, 4},
    };
    struct elm_request r = {.tokens_max = 20};
    struct elm_hold worst = {10, 20, 7};
    for (size_t i = 0; i < ELM_COUNT(cases); i++) {
        struct elm_answer a;
        read_answer(&a, &r, cases[i].bytes);
        struct elm_hold cost = elm_ending_cost(&a, cases[i].status, &worst);
        if (cost.prompt_tokens != cases[i].prompt || cost.tokens != cases[i].tokens || cost.money != 0)
            fail_msg("%s: %llu + %llu", cases[i].bytes, (unsigned long long)cost.prompt_tokens,
                     (unsigned long long)cost.tokens);
        /* what is free can't cost more than was seen */
        cost = elm_ending_cost(&a, cases[i].status, &(struct elm_hold){10, 20, 0});
        assert_true(cost.tokens <= cases[i].tokens && cost.prompt_tokens == cases[i].prompt);
        assert_true(a.complete || a.counted || cost.tokens <= 2);
        elm_answer_release(&a);
    }
}

/* ---- health ---- */
static void failures_count_by_round(void **state)
{
    (void)state;
    struct elm_health h = {.weight = 1};
    /* sixteen at once are one */
    for (int i = 0; i < 16; i++)
        elm_health_bad(&h, 0, 10 + i, 1000);
    assert_int_equal(h.rounds, 1);
    /* and so are those that follow at once */
    elm_health_bad(&h, 900, 950, 1000);
    assert_int_equal(h.rounds, 1);
    for (int64_t t = 2000; t < 8000; t += 2000)
        elm_health_bad(&h, t, t + 50, 1000);
    assert_int_equal(elm_health_ask(&h, 7000), ELM_HEALTH_READY);
    elm_health_bad(&h, 8000, 8050, 1000);
    assert_int_equal(elm_health_ask(&h, 8050), ELM_HEALTH_RESTS);
    assert_int_equal(elm_health_ask(&h, 18050), ELM_HEALTH_TRY);
    h.trying = true;
    assert_int_equal(elm_health_ask(&h, 18050), ELM_HEALTH_RESTS);
    int64_t now = 18050, pause = 20000;
    /* each failed try doubles the pause, up to a limit */
    for (int i = 0; i < 8; i++) {
        h.trying = false;
        elm_health_bad(&h, now, now + 1, 1000);
        assert_int_equal(h.open_until_us - (now + 1), pause);
        now = h.open_until_us;
        pause = pause == 160000 ? pause : pause * 2;
    }
    elm_health_good(&h);
    assert_int_equal(elm_health_ask(&h, now), ELM_HEALTH_READY);
}

static void servers_are_chosen_by_weight(void **state)
{
    (void)state;
    struct elm_health h[3] = {{.weight = 3}, {.weight = 1}, {.weight = 100, .stopped = true}};
    int64_t ready[3] = {0}, when;
    uint32_t counts[3] = {0}, one, other;
    for (uint64_t seed = 0; seed < 4000; seed++) {
        assert_int_equal(elm_health_choose(h, 3, ready, elm_rng(seed, 1), 1000, 5, &one, &when),
                         ELM_ROUTE_SEND);
        elm_health_choose(h, 3, ready, elm_rng(seed, 1), 1000, 999, &other, &when);
        assert_int_equal(one, other);
        counts[one]++;
    }
    /* sd 27 */
    assert_in_range(counts[0], 2880, 3120);
    assert_int_equal(counts[2], 0);
    h[0].busy_until_us = 50000;
    assert_int_equal(elm_health_choose(h, 3, ready, elm_rng(1, 1), 1000, 5, &one, &when), ELM_ROUTE_SEND);
    assert_int_equal(one, 1);
    ready[1] = 60000;
    assert_int_equal(elm_health_choose(h, 3, ready, elm_rng(1, 1), 1000, 5, &one, &when),
                     ELM_ROUTE_LATER);
    assert_in_range(when, 50000, 50999);
    ready[1] = h[0].busy_until_us = 5 + ELM_HEALTH_PATIENCE_US + 1;
    assert_int_equal(elm_health_choose(h, 3, ready, elm_rng(1, 1), 1000, 5, &one, &when), ELM_ROUTE_NONE);
}

/* ---- budgets ---- */
static void budgets_are_hard(void **state)
{
    (void)state;
    struct elm_ledger l = {.tokens_budget = 100, .tokens_spent = 40};
    struct elm_hold h = {10, 20, 0}, little = {10, 1, 0};
    assert_int_equal(elm_ledger_hold(&l, &h), ELM_LEDGER_FITS);
    assert_int_equal(elm_ledger_hold(&l, &h), ELM_LEDGER_FITS);
    assert_int_equal(elm_ledger_hold(&l, &little), ELM_LEDGER_LATER);
    elm_ledger_settle(&l, &h, &little);
    assert_int_equal(elm_ledger_hold(&l, &little), ELM_LEDGER_FITS);
    elm_ledger_settle(&l, &h, &h);
    elm_ledger_settle(&l, &little, &little);
    assert_int_equal(l.tokens_spent, 92);
    assert_int_equal(l.tokens_held, 0);
    assert_int_equal(elm_ledger_hold(&l, &little), ELM_LEDGER_SPENT);
    struct elm_ledger full = {.tokens_budget = UINT64_MAX, .tokens_spent = UINT64_MAX - 5};
    assert_int_equal(elm_ledger_hold(&full, &little), ELM_LEDGER_FITS);
    elm_ledger_settle(&full, &little, &little);
    assert_true(full.tokens_spent == UINT64_MAX);
}

static void money_is_a_budget_too(void **state)
{
    (void)state;
    struct elm_endpoint e = {.money_in = 2, .money_out = 10};
    assert_true(elm_money(&e, 500000, 100000) == 2);
    struct elm_ledger l = {.money_budget = 1, .money_spent = 0.5};
    struct elm_hold third = {1, 1, 0.3}, most = {1, 1, 0.6}, free_one = {1, 1, 0};
    assert_int_equal(elm_ledger_hold(&l, &most), ELM_LEDGER_SPENT);
    assert_int_equal(elm_ledger_hold(&l, &third), ELM_LEDGER_FITS);
    assert_int_equal(elm_ledger_hold(&l, &third), ELM_LEDGER_LATER);
    assert_int_equal(elm_ledger_hold(&l, &free_one), ELM_LEDGER_FITS);
    elm_ledger_settle(&l, &third, &third);
    elm_ledger_settle(&l, &free_one, &free_one);
    assert_true(l.money_held == 0 && fabs(l.money_spent - 0.8) < 1e-12);
    assert_int_equal(elm_ledger_hold(&l, &third), ELM_LEDGER_SPENT);
    assert_int_equal(elm_ledger_hold(&l, &free_one), ELM_LEDGER_FITS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(endpoints_are_read),
        cmocka_unit_test(wrong_endpoints_are_explained),
        cmocka_unit_test(loopback_is_known),
        cmocka_unit_test(keys_are_trimmed_and_checked),
        cmocka_unit_test(key_files_are_read),
        cmocka_unit_test(keys_are_hidden),
        cmocka_unit_test(requests_are_json),
        cmocka_unit_test(raw_requests_and_parts_left_out),
        cmocka_unit_test(complaints_are_understood),
        cmocka_unit_test(errors_are_read),
        cmocka_unit_test(answers_are_read),
        cmocka_unit_test(tokens_are_counted),
        cmocka_unit_test(answers_are_capped),
        cmocka_unit_test(raw_text_is_left_alone),
        cmocka_unit_test(an_echoed_key_is_hidden),
        cmocka_unit_test(what_a_try_costs),
        cmocka_unit_test(failures_count_by_round),
        cmocka_unit_test(servers_are_chosen_by_weight),
        cmocka_unit_test(budgets_are_hard),
        cmocka_unit_test(money_is_a_budget_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
