/*
 * brackets: help for the grammar, which takes `(x) & y` for a cast of &y and `(f()) - y` for one of
 * -y, because it can't know that x and f are no types. No type begins with a bracket, so every
 * bracket but those of calls and casts is written twice.
 */
#include "code/parse.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* The length of the comment, word or single character at `at`. */
static size_t token_length(struct elm_str text, size_t at)
{
    const char *from = text.ptr + at, *stop = NULL;
    size_t left = text.len - at, n = 1;
    if (left > 1 && from[0] == '/' && from[1] == '*')
        stop = memmem(from + 2, left - 2, "*/", 2);
    else if (left > 1 && from[0] == '/' && from[1] == '/')
        stop = memchr(from, '\n', left);
    if (stop != NULL)
        return (size_t)(stop - from) + (from[1] == '*' ? 2 : 0);
    while (is_word(from[0]) && n < left && is_word(from[n]))
        n++;
    return n;
}

static struct elm_str token_at(struct elm_str text, size_t at)
{
    return (struct elm_str){text.ptr + at, at < text.len ? token_length(text, at) : 0};
}

static bool is_cast(struct elm_str text, size_t after_bracket)
{
    while (after_bracket < text.len && isspace((unsigned char)text.ptr[after_bracket]))
        after_bracket++;
    struct elm_str type = token_at(text, after_bracket);
    return elm_str_equal(type, ELM_STR("int")) || elm_str_equal(type, ELM_STR("double"));
}

void parse_double_brackets(struct elm_str text, struct elm_buf *out)
{
    enum { CALL, CAST, DOUBLE } *open = elm_malloc((text.len + 1) * sizeof(*open));
    size_t depth = 0;
    bool operand = true;       /* may an operand begin here? */
    struct elm_str token;
    for (size_t i = 0; i < text.len; i += token.len) {
        token = token_at(text, i);
        char c = token.ptr[0];
        elm_buf_add_str(out, token);
        if (isspace((unsigned char)c) || (token.len > 1 && !is_word(c)))
            continue;
        if (is_word(c)) {
            operand = elm_str_equal(token, ELM_STR("return")) ||
                      elm_str_equal(token, ELM_STR("else"));
        } else if (c == '(') {
            open[depth] = !operand ? CALL : is_cast(text, i + 1) ? CAST : DOUBLE;
            if (open[depth++] == DOUBLE)
                elm_buf_byte(out, '(');
            operand = true;
        } else if (c == ')' && depth > 0) {
            if (open[--depth] == DOUBLE)
                elm_buf_byte(out, ')');
            operand = open[depth] == CAST;
        } else {
            operand = c != ']';
        }
    }
    free(open);
}
