/* answer: what a model wrote, freed of what is no code, and the parts of a program that may change. */
#include "search/answer.h"

#include "elm/diff.h"

#include <stdlib.h>
#include <string.h>

/* What stands before the last of these is thought, not said. */
static const char *const thoughts_end[] = {
    "</think>", "</thinking>", "[/THINK]", "<|channel|>final<|message|>",
};
static const char *const thoughts_begin[] = {
    "<think>", "<thinking>", "[THINK]", "<|channel|>analysis",
};
/* Closing tokens that some servers leave in the text. */
static const char *const closing[] = {
    "<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|end|>", "<|return|>", "<end_of_turn>", "</s>",
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}

static bool starts(struct elm_str s, const char *with)
{
    size_t len = strlen(with);
    return s.len >= len && memcmp(s.ptr, with, len) == 0;
}

static struct elm_str after_thoughts(struct elm_str s)
{
    const char *from = s.ptr;
    for (size_t i = 0; i < ELM_COUNT(thoughts_end); i++) {
        size_t len = strlen(thoughts_end[i]);
        const char *found, *end = s.ptr + s.len;
        while ((found = memmem(from, (size_t)(end - from), thoughts_end[i], len)) != NULL)
            from = found + len;
    }
    return (struct elm_str){from, s.len - (size_t)(from - s.ptr)};
}

static struct elm_str without_closing(struct elm_str s)
{
    for (bool found = true; found;) {
        found = false;
        while (s.len > 0 && is_space(s.ptr[s.len - 1]))
            s.len--;
        for (size_t i = 0; i < ELM_COUNT(closing) && !found; i++) {
            size_t len = strlen(closing[i]);
            found = s.len >= len && memcmp(s.ptr + s.len - len, closing[i], len) == 0;
            s.len -= found ? len : 0;
        }
    }
    return s;
}

enum elm_status answer_open(struct elm_str text, struct answer *out, struct elm_error *err)
{
    if (text.len > ELM_ANSWER_BYTES_MAX)
        return elm_fail(err, ELM_PARSE, "an answer of more than 1 MiB");
    if (text.len > 0 && memchr(text.ptr, '\0', text.len) != NULL)
        return elm_fail(err, ELM_PARSE, "a zero byte in the answer");
    if (text.len == 0)
        text = ELM_STR("");
    if (starts(text, "\xef\xbb\xbf"))
        text = (struct elm_str){text.ptr + 3, text.len - 3};
    text = without_closing(after_thoughts(text));
    struct elm_str words = text;
    while (words.len > 0 && is_space(words.ptr[0]))
        words.ptr++, words.len--;
    if (words.len == 0)
        return elm_fail(err, ELM_PARSE, "the answer is empty");
    for (size_t i = 0; i < ELM_COUNT(thoughts_begin); i++) {
        if (starts(words, thoughts_begin[i]))
            return elm_fail(err, ELM_PARSE, "the answer ends inside its thoughts");
    }
    *out = (struct answer){0};
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] != '\r' || (i + 1 < text.len && text.ptr[i + 1] != '\n'))
            elm_buf_byte(&out->bytes, (uint8_t)text.ptr[i]);
    }
    out->count = elm_lines(elm_buf_str(&out->bytes), &out->lines);
    return ELM_OK;
}

void answer_close(struct answer *a)
{
    free(a->lines);
    elm_buf_release(&a->bytes);
}

bool fence_read(struct elm_str line, struct fence *out)
{
    struct elm_str s = code_trim(line);
    if (s.len < 3 || (s.ptr[0] != '`' && s.ptr[0] != '~'))
        return false;
    *out = (struct fence){.c = s.ptr[0], .indent = (uint32_t)code_indent(line).len};
    while (out->width < s.len && s.ptr[out->width] == out->c)
        out->width++;
    out->info = code_trim((struct elm_str){s.ptr + out->width, s.len - out->width});
    return out->width >= 3 &&
           (out->info.len == 0 || memchr(out->info.ptr, out->c, out->info.len) == NULL);
}

bool fence_closes(struct elm_str line, const struct fence *opened)
{
    struct fence f;
    return fence_read(line, &f) && f.c == opened->c && f.width >= opened->width &&
           f.info.len == 0;
}

enum marker marker_of(struct elm_str line)
{
    if (line.len > 0 && memmem(line.ptr, line.len, "EVOLVE-BLOCK-START", 18) != NULL)
        return MARKER_START;
    if (line.len > 0 && memmem(line.ptr, line.len, "EVOLVE-BLOCK-END", 16) != NULL)
        return MARKER_END;
    return MARKER_NONE;
}

bool code_blank(struct elm_str line)
{
    return code_trim(line).len == 0;
}

struct elm_str code_trim(struct elm_str line)
{
    while (line.len > 0 && is_space(line.ptr[0]))
        line.ptr++, line.len--;
    while (line.len > 0 && is_space(line.ptr[line.len - 1]))
        line.len--;
    return line;
}

struct elm_str code_indent(struct elm_str line)
{
    size_t n = 0;
    while (n < line.len && is_space(line.ptr[n]))
        n++;
    return (struct elm_str){line.ptr, n};
}

bool code_same(struct elm_str a, struct elm_str b)
{
    size_t i = 0, j = 0;
    for (;;) {
        while (i < a.len && is_space(a.ptr[i]))
            i++;
        while (j < b.len && is_space(b.ptr[j]))
            j++;
        if (i == a.len || j == b.len)
            return i == a.len && j == b.len;
        if (a.ptr[i++] != b.ptr[j++])
            return false;
    }
}

uint64_t code_hash(struct elm_str line, uint32_t *size)
{
    uint64_t hash = 0xcbf29ce484222325;
    *size = 0;
    for (size_t i = 0; i < line.len; i++) {
        if (is_space(line.ptr[i]))
            continue;
        hash = (hash ^ (uint8_t)line.ptr[i]) * 0x100000001b3;
        ++*size;
    }
    return hash;
}

struct elm_str code_newline(struct elm_str program)
{
    const char *first = program.len > 0 ? memchr(program.ptr, '\n', program.len) : NULL;
    bool carriage = first != NULL && first > program.ptr && first[-1] == '\r';
    return carriage ? ELM_STR("\r\n") : ELM_STR("\n");
}

uint32_t elm_answer_spans(struct elm_str program,
                          struct elm_answer_span spans[ELM_ANSWER_SPANS_MAX], bool *marked)
{
    uint32_t count = 0;
    bool open = false;
    size_t at = 0;
    while (at < program.len && count < ELM_ANSWER_SPANS_MAX) {
        const char *newline = memchr(program.ptr + at, '\n', program.len - at);
        size_t end = newline == NULL ? program.len : (size_t)(newline - program.ptr) + 1;
        enum marker marker = marker_of((struct elm_str){program.ptr + at, end - at});
        if (marker == MARKER_START && !open) {
            open = true;
            spans[count] = (struct elm_answer_span){end, program.len - end};
        } else if (marker == MARKER_END && open) {
            open = false;
            spans[count].len = at - spans[count].at;
            count++;
        }
        at = end;
    }
    count += open && count < ELM_ANSWER_SPANS_MAX;
    *marked = count > 0;
    if (count == 0)
        spans[count++] = (struct elm_answer_span){0, program.len};
    return count;
}
