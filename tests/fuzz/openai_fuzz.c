/* an answer of any bytes, as success and as error: the same in pieces as at once, an answer or a reason
 * but never both, no longer than allowed, the key nowhere. The first two bytes say how it is asked and
 * cut. */
#include "fuzz.h"
#include "elm/remote.h"

#include <string.h>

static void check_why(const char *why, size_t room)
{
    size_t len = strnlen(why, room);
    ELM_ASSERT(len < room && strstr(why, "sk-key") == NULL);
    for (size_t i = 0; i < len; i++)
        ELM_ASSERT(why[i] >= ' ' && why[i] <= '~');
}

static void read_answer(struct elm_answer *a, const struct elm_request *r, const struct elm_buf *key,
                        const uint8_t *data, size_t size, size_t piece)
{
    elm_answer_init(a, r, key);
    for (size_t at = 0; at < size; at += piece) {
        if (!elm_answer_feed(a, data + at, size - at < piece ? size - at : piece))
            break;
    }
    elm_answer_end(a);
    check_why(a->why, sizeof(a->why));
    ELM_ASSERT(a->good == (a->why[0] == '\0'));
    ELM_ASSERT(!a->good || a->complete);
    ELM_ASSERT(a->text.len <= r->tokens_max * ELM_ANSWER_TOKEN_BYTES);
    ELM_ASSERT(!a->good || a->text.len == 0 || memmem(a->text.ptr, a->text.len, "sk-key", 6) == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct elm_buf key = {0};
    elm_buf_add_str(&key, ELM_STR("sk-key"));
    struct elm_request r = {.tokens_max = 1 + (size > 0 ? data[0] & 15 : 0),
                            .raw = size > 0 && (data[0] & 16) != 0,
                            .stop = size > 0 && (data[0] & 32) != 0 ? "}" : NULL};
    size_t piece = 1 + (size > 1 ? data[1] : 0), skip = size < 2 ? size : 2;
    struct elm_answer whole, cut;
    read_answer(&whole, &r, &key, data + skip, size - skip, size + 1);
    read_answer(&cut, &r, &key, data + skip, size - skip, piece);
    ELM_ASSERT(whole.good == cut.good && whole.again == cut.again && whole.length == cut.length);
    ELM_ASSERT(strcmp(whole.why, cut.why) == 0 && whole.counted == cut.counted);
    ELM_ASSERT(whole.tokens == cut.tokens && whole.prompt_tokens == cut.prompt_tokens);
    ELM_ASSERT(elm_str_equal(elm_buf_str(&whole.text), elm_buf_str(&cut.text)));
    elm_answer_release(&whole);
    elm_answer_release(&cut);
    struct elm_ending e;
    struct elm_str body = {(const char *)data + skip, size - skip};
    elm_ending_status(&e, size > 0 ? 300 + data[0] : 500, body, size > 1 ? data[1] - 5 : 0, &key, 0);
    check_why(e.why, sizeof(e.why));
    elm_buf_release(&key);
    return 0;
}
