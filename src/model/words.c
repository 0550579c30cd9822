/* words: the passes of pre-tokenizers. Source: llama.cpp, llama-vocab.cpp and unicode.cpp. */
#include "model/words.h"

#include "model/unicode.h"

#include <string.h>

const uint8_t *words_passes(struct elm_str pre_tokenizer)
{
    static const struct {
        const char *name;
        uint8_t passes[5];
    } known[] = {
        {"smollm", {WORDS_DIGIT, WORDS_GPT2, WORDS_END}},
        {"gpt-2", {WORDS_GPT2, WORDS_END}},
        {"default", {WORDS_MARKS, WORDS_GPT2, WORDS_NUMBERS, WORDS_TRIPLES, WORDS_END}},
    };
    for (size_t i = 0; i < ELM_COUNT(known); i++) {
        if (elm_str_equal(pre_tokenizer, elm_str(known[i].name)))
            return known[i].passes;
    }
    return NULL;
}

static struct elm_str after(struct elm_str text, size_t at)
{
    return (struct elm_str){text.ptr + at, text.len - at};
}

static bool starts(struct elm_str text, const char *with)
{
    size_t len = strlen(with);
    return text.len >= len && memcmp(text.ptr, with, len) == 0;
}

static size_t contraction(struct elm_str text)
{
    static const char *const endings[] = {"'s", "'t", "'m", "'d", "'re", "'ve", "'ll"};
    for (size_t i = 0; text.ptr[0] == '\'' && i < ELM_COUNT(endings); i++) {
        if (starts(text, endings[i]))
            return strlen(endings[i]);
    }
    return 0;
}

static enum unicode_class without_punctuation(enum unicode_class c)
{
    return c == UNICODE_PUNCTUATION ? UNICODE_OTHER : c;
}

static size_t gpt2(struct elm_str text)
{
    size_t at = contraction(text), last = 0, spaces = 0;
    if (at > 0)
        return at;
    enum unicode_class c, run = UNICODE_SPACE;
    at = text.ptr[0] == ' ';
    if (at < text.len) {
        unicode_next(after(text, at), &run);
        run = without_punctuation(run);
    }
    if (run == UNICODE_SPACE)
        at = 0;
    for (; at < text.len; at += last, spaces++) {
        size_t len = unicode_next(after(text, at), &c);
        if (without_punctuation(c) != run)
            break;
        last = len;
    }
    /* white space before a word leaves its last character to the word */
    return run == UNICODE_SPACE && spaces > 1 && at < text.len ? at - last : at;
}

static bool triple(struct elm_str text)
{
    for (size_t i = 0; i < 3; i++) {
        if (i >= text.len || text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    }
    return true;
}

static bool matches(enum words_pass pass, struct elm_str text, size_t *len)
{
    enum unicode_class c;
    *len = unicode_next(text, &c);
    switch (pass) {
    case WORDS_DIGIT:
    case WORDS_NUMBERS: return c == UNICODE_NUMBER;
    case WORDS_MARKS:
        return c == UNICODE_PUNCTUATION ||
               (*len == 1 && memchr("$+<=>^~|", text.ptr[0], 8) != NULL);
    default: return triple(text);
    }
}

size_t words_piece(enum words_pass pass, struct elm_str text)
{
    if (pass == WORDS_GPT2)
        return gpt2(text);
    size_t at, len;
    bool first = matches(pass, text, &at);
    if (first && pass == WORDS_DIGIT)
        return at;
    if (first && pass == WORDS_TRIPLES)
        return 3;
    while (at < text.len && matches(pass, after(text, at), &len) == first)
        at += len;
    return at;
}
