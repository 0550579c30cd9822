/* grammar_nodes: a span's text to nodes, by the parser that reads whole programs. */
#include "code/grammar.h"

#include <stdlib.h>
#include <string.h>

/* How much of the text is the span itself; SIZE_MAX if it is not whole. */
static size_t span_length(const struct elm_grammar *g, struct elm_str text)
{
    struct elm_grammar_state s;
    const struct state *inside = (const struct state *)(const void *)&s;
    elm_grammar_start(g, &s);
    for (size_t i = 0; i < text.len; i++) {
        if (!elm_grammar_step(g, &s, (uint8_t)text.ptr[i]))
            return SIZE_MAX;
        if (elm_grammar_ended(g, &s))
            return i + 1 - g->border;
    }
    /* cut off inside the border, or before it */
    return inside->border == 0 ? SIZE_MAX : text.len - (size_t)__builtin_ctzll(inside->border);
}

static bool is_statement(const struct elm_grammar *g, struct elm_str span)
{
    if (g->base == BASE_FOR_INIT)
        return (span.len > 4 && memcmp(span.ptr, "int ", 4) == 0) ||
               (span.len > 7 && memcmp(span.ptr, "double ", 7) == 0);
    return g->base == BASE_LIST || g->base == BASE_BLOCK || g->base == BASE_ELSE;
}

/* A function of the span alone, named by a name that every table has. */
static void wrap(const struct elm_grammar *g, struct elm_str span, struct elm_buf *out)
{
    bool statement = is_statement(g, span);
    elm_buf_printf(out, "void t0(void)\n{\n%s",
                   statement ? "" : g->base == BASE_ITEMS ? "double t0[9][9] = " : "return ");
    elm_buf_add_str(out, span);
    elm_buf_printf(out, "%s\n}\n", statement && g->base != BASE_FOR_INIT ? "" : ";");
}

enum elm_status elm_grammar_nodes(const struct elm_grammar *g, struct elm_names *names,
                                  struct elm_str text, struct elm_arena *arena,
                                  const struct elm_node **nodes, uint32_t *count,
                                  uint32_t *kids, struct elm_error *err)
{
    struct elm_tree t;
    struct elm_buf program = {0};
    size_t len = span_length(g, text);
    if (len == SIZE_MAX || len < g->lead.len)
        return elm_fail(err, ELM_PARSE, "a span of %zu bytes that is not complete", text.len);
    struct elm_str span = {text.ptr + g->lead.len, len - g->lead.len};
    wrap(g, span, &program);
    enum elm_status status = elm_tree_parse(elm_buf_str(&program), names, &t, err);
    elm_buf_release(&program);
    if (status != ELM_OK)
        return status;
    /* PROGRAM, FUNCTION, BLOCK, and what holds an expression */
    uint32_t from = is_statement(g, span) ? 3 : 4, end = t.count;
    *count = end - from;
    *kids = is_statement(g, span) ? t.nodes[2].kids : 1;
    struct elm_node *copy = elm_arena_alloc(arena, (*count + 1) * sizeof(*copy));
    memcpy(copy, t.nodes + from, *count * sizeof(*copy));
    *nodes = copy;
    elm_tree_release(&t);
    return ELM_OK;
}
