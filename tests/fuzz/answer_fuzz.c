/* a program and an answer, parted by the first byte 0xff: a child differs from the program only where
 * it may, and what is refused has a reason that can be stored. */
#include "fuzz.h"
#include "elm/answer.h"

#include <string.h>

typedef enum elm_status (*reader)(struct elm_str program, struct elm_str answer,
                                  struct elm_buf *out, struct elm_error *err);

static enum elm_status rewrite(struct elm_str program, struct elm_str answer, struct elm_buf *out,
                               struct elm_error *err)
{
    return elm_answer_rewrite(program, "f", answer, out, err);
}

/* The bytes that may not change: of all that stands around the parts, part by part. */
static void check_frame(struct elm_str program, struct elm_str child)
{
    struct elm_answer_span was[ELM_ANSWER_SPANS_MAX], is[ELM_ANSWER_SPANS_MAX];
    bool marked, still;
    uint32_t count = elm_answer_spans(program, was, &marked);
    ELM_ASSERT(elm_answer_spans(child, is, &still) == count && still == marked);
    size_t at = 0, there = 0;
    for (uint32_t i = 0; i <= count; i++) {
        size_t end = i < count ? was[i].at : program.len;
        size_t stop = i < count ? is[i].at : child.len;
        /* a last line without an end gets one before what follows it */
        size_t more = stop - there - (end - at);
        ELM_ASSERT(stop - there >= end - at && more <= (end == program.len ? 2 : 0));
        ELM_ASSERT(end == at || memcmp(program.ptr + at, child.ptr + there, end - at) == 0);
        at = i < count ? was[i].at + was[i].len : end;
        there = i < count ? is[i].at + is[i].len : stop;
    }
}

static void check(reader read, struct elm_str program, struct elm_str answer)
{
    struct elm_buf child = {0}, again = {0};
    struct elm_error err = {0};
    enum elm_status status = read(program, answer, &child, &err);
    ELM_ASSERT(status == ELM_OK || (status == ELM_PARSE && child.len == 0));
    ELM_ASSERT(status == ELM_OK || (err.message[0] != '\0' && strlen(err.message) < 48));
    ELM_ASSERT(read(program, answer, &again, NULL) == status);
    ELM_ASSERT(elm_str_equal(elm_buf_str(&child), elm_buf_str(&again)));
    if (status == ELM_OK)
        check_frame(program, elm_buf_str(&child));
    elm_buf_release(&child);
    elm_buf_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *cut = size > 0 ? memchr(data, 0xff, size) : NULL;
    size_t first = cut == NULL ? size : (size_t)(cut - data);
    struct elm_str program = {(const char *)data, first}, answer = {NULL, 0};
    if (cut != NULL)
        answer = (struct elm_str){(const char *)cut + 1, size - first - 1};
    check(rewrite, program, answer);
    check(elm_answer_diff, program, answer);
    return 0;
}
