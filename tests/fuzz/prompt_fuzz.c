/* a file of prompts and a value for everything in it, parted by the first byte 0xff: what is read can
 * be rendered, is text, keeps to its bounds and never takes a value for a mark. */
#include "fuzz.h"
#include "elm/prompt.h"

#include <string.h>

static void check_text(const struct elm_buf *b)
{
    ELM_ASSERT(b->len <= ELM_PROMPT_BYTES_MAX);
    for (size_t i = 0; i < b->len; i++) {
        uint8_t c = (uint8_t)b->ptr[i];
        ELM_ASSERT((c >= 0x20 && c != 0x7f) || c == '\n' || c == '\t');
    }
}

static void check(const struct elm_prompt *p, struct elm_str value)
{
    struct elm_prompt_values values = {0};
    struct elm_request r = {0}, again = {0};
    struct elm_error err = {0};
    for (int i = 0; i < ELM_PROMPT_VALUES; i++)
        values.text[i] = value;
    enum elm_status status = elm_prompt_render(p, &values, &r, &err);
    ELM_ASSERT(status == ELM_OK || (status == ELM_NOT_FOUND && r.prompt.len == 0 &&
                                    r.system.len == 0));
    ELM_ASSERT(elm_prompt_render(p, &values, &again, NULL) == status);
    ELM_ASSERT(elm_str_equal(elm_buf_str(&r.prompt), elm_buf_str(&again.prompt)));
    check_text(&r.system);
    check_text(&r.prompt);
    elm_buf_release(&r.system);
    elm_buf_release(&r.prompt);
    elm_buf_release(&again.system);
    elm_buf_release(&again.prompt);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *cut = size > 0 ? memchr(data, 0xff, size) : NULL;
    size_t first = cut == NULL ? size : (size_t)(cut - data);
    struct elm_str value = {NULL, 0};
    struct elm_error err = {0};
    if (cut != NULL)
        value = (struct elm_str){(const char *)cut + 1, size - first - 1};
    struct elm_prompt *p = elm_prompt_new("f");
    enum elm_status status = elm_prompt_parse(p, "f.txt",
                                              (struct elm_str){(const char *)data, first}, &err);
    ELM_ASSERT(status == ELM_OK || (status == ELM_USAGE && strncmp(err.message, "f.txt:", 6) == 0));
    if (status == ELM_OK) {
        check(p, value);
        check(p, (struct elm_str){NULL, 0});
    }
    elm_prompt_free(p);
    return 0;
}
