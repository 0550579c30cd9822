/* compose: the spot of a problem that is written whole, and texts to and from it. */
#include "elm/compose.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct spot {
    uint32_t at, count;            /* statements */
};

struct elm_compose {
    const struct elm_problem *problem;
    struct elm_grammar *grammar;
    uint32_t nodes_max;
    struct spot spot;
    struct elm_buf text;           /* of the seed */
    size_t from, to;               /* of the spot in it, the whitespace before it included */
};

static uint32_t entry_of(const struct elm_problem *p, const struct elm_tree *t)
{
    for (uint32_t i = 1; i < t->count; i += t->nodes[i].size) {
        if (t->nodes[i].kind == ELM_NODE_FUNCTION &&
            elm_str_equal(elm_names_text(p->names, t->nodes[i].name), elm_str(p->io.entry)))
            return i;
    }
    return UINT32_MAX;
}

/* The statements of the entry's body that may change, as far as they stand in a row. */
static bool find_spot(const struct elm_problem *p, const struct elm_tree *t, struct spot *out)
{
    uint32_t function = entry_of(p, t);
    uint8_t *editable = elm_calloc(t->count / 8 + 1, 1);
    elm_tree_editable(t, p->names, editable);
    *out = (struct spot){0};
    uint32_t body = function == UINT32_MAX ? 0
                        : elm_tree_kid(t, function, t->nodes[function].kids - 1u);
    for (uint32_t k = 0, i = body + 1; body > 0 && k < t->nodes[body].kids;
         k++, i += t->nodes[i].size) {
        bool may = (editable[i / 8] >> (i % 8) & 1) != 0;
        if (may && out->count++ == 0)
            out->at = i;
        else if (!may && out->count > 0)
            break;
    }
    free(editable);
    return out->count > 0;
}

static void print(const struct elm_problem *p, const struct elm_tree *t, const struct spot *s,
                  struct elm_buf *text, size_t *from, size_t *to)
{
    elm_tree_print_spot(t, p->names, s->at, s->count, text, from, to);
    while (*from > 0 && isspace((unsigned char)text->ptr[*from - 1]))
        (*from)--;
}

static enum elm_status make_grammar(const struct elm_compose *c, struct elm_grammar **out,
                                    struct elm_error *err)
{
    return elm_grammar_new(&c->problem->seed, c->problem->names, c->spot.at, c->spot.count,
                           c->nodes_max, out, err);
}

static enum elm_status open(struct elm_compose *c, struct elm_error *err)
{
    const struct elm_problem *p = c->problem;
    struct elm_error why = {0};
    uint32_t old = 0;
    if (p->seed.count == 0)
        return elm_fail(err, ELM_OUTSIDE, "the seed is outside core C");
    if (!find_spot(p, &p->seed, &c->spot))
        return elm_fail(err, ELM_OUTSIDE, "no statement of '%s' may change", p->io.entry);
    for (uint32_t k = 0; k < c->spot.count; k++)
        old += p->seed.nodes[c->spot.at + old].size;
    uint32_t others = p->seed.count - old;
    /* the grammar ends within two nodes */
    c->nodes_max = p->nodes_max > others + 3 ? p->nodes_max - others - 2 : 1;
    print(p, &p->seed, &c->spot, &c->text, &c->from, &c->to);
    if (make_grammar(c, &c->grammar, &why) != ELM_OK)
        return elm_fail(err, ELM_OUTSIDE, "the body of '%s' can't be written anew: %s", p->io.entry,
                        why.message);
    return ELM_OK;
}

enum elm_status elm_compose_open(const struct elm_problem *problem, struct elm_compose **out,
                                 struct elm_error *err)
{
    struct elm_compose *c = elm_calloc(1, sizeof(*c));
    c->problem = problem;
    enum elm_status status = open(c, err);
    if (status == ELM_OK)
        *out = c;
    else
        elm_compose_close(c);
    return status;
}

void elm_compose_close(struct elm_compose *c)
{
    if (c == NULL)
        return;
    elm_grammar_free(c->grammar);
    elm_buf_release(&c->text);
    free(c);
}

/* What stands before the spot, from the entry's first line on. */
static struct elm_str before(const struct elm_compose *c)
{
    size_t line = c->from;
    /* within a function lines are indented, or its brackets */
    while (line > 0 && (c->text.ptr[line - 1] != '\n' || c->text.ptr[line] == ' ' ||
                        c->text.ptr[line] == '{'))
        line--;
    return (struct elm_str){c->text.ptr + line, c->from - line};
}

enum elm_status elm_compose_ask(const struct elm_compose *c, struct elm_prompt *prompt,
                                const char *prompts_folder, struct elm_request *request,
                                struct elm_error *err)
{
    struct elm_prompt_values values = {0};
    values.text[ELM_PROMPT_SUMMARY] = elm_str(c->problem->summary);
    values.text[ELM_PROMPT_PREFIX] = before(c);
    ELM_TRY(elm_prompt_load(prompt, prompts_folder, err));
    ELM_TRY(elm_prompt_render(prompt, &values, request, err));
    elm_buf_clear(&request->system);
    request->raw = true;
    return make_grammar(c, &request->grammar, err);
}

static void shorten(struct elm_tree *t, int digits)
{
    for (uint32_t i = 0; i < t->count; i++) {
        char text[40];
        if (t->nodes[i].kind != ELM_NODE_REAL)
            continue;
        snprintf(text, sizeof(text), "%.*g", digits, t->nodes[i].d);
        double rounded = strtod(text, NULL);
        if (rounded <= 1.7976931348623157e308)
            t->nodes[i].d = rounded;
    }
}

bool elm_compose_answer(const struct elm_compose *c, const struct elm_tree *program, int digits,
                        struct elm_buf *out)
{
    struct elm_grammar_state state;
    struct elm_buf text = {0};
    struct elm_tree t = elm_tree_copy(program);
    struct spot spot;
    size_t from = 0, to = 0, at;
    bool admitted = find_spot(c->problem, &t, &spot);
    shorten(&t, digits);
    if (admitted)
        print(c->problem, &t, &spot, &text, &from, &to);
    elm_grammar_start(c->grammar, &state);
    for (at = from; admitted && !elm_grammar_ended(c->grammar, &state); at++)
        admitted = at < text.len && elm_grammar_step(c->grammar, &state, (uint8_t)text.ptr[at]);
    /* where a border stands in the middle, the answer is another program's */
    admitted = admitted && at > to;
    if (admitted)
        elm_buf_add(out, text.ptr + from, at - from);
    elm_buf_release(&text);
    elm_tree_release(&t);
    return admitted;
}

enum elm_status elm_compose_program(const struct elm_compose *c, struct elm_str answer,
                                    struct elm_buf *out, struct elm_error *err)
{
    struct elm_grammar_state state;
    size_t at = 0;
    bool admitted = true;
    elm_grammar_start(c->grammar, &state);
    while (admitted && at < answer.len && !elm_grammar_ended(c->grammar, &state))
        admitted = elm_grammar_step(c->grammar, &state, (uint8_t)answer.ptr[at++]);
    if (!admitted || !elm_grammar_ended(c->grammar, &state))
        return elm_fail(err, ELM_PARSE, "%zu bytes that are no whole body", answer.len);
    const size_t rest = c->to + elm_grammar_border(c->grammar);
    elm_buf_add(out, c->text.ptr, c->from);
    elm_buf_add(out, answer.ptr, at);
    elm_buf_add(out, c->text.ptr + rest, c->text.len - rest);
    return ELM_OK;
}
