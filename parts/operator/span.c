/*
 * span: a model writes one part of the program anew, between what stands before and after it, under a
 * grammar that admits only what builds there. The spot: a kind of node, all kinds alike, then a node of
 * that kind; statements with up to two that follow. All children of a parent are asked with the same
 * beginning (the task, the program, cases that it gets wrong), then the lines before the spot again.
 */
#include "elm/prompt.h"

#include <string.h>

#define TRIES 24
#define SIBLINGS_MAX 3
#define NODES_SPARE 6              /* a span may have as many nodes more than what it replaces */
#define TOKENS_MAX 256
#define TEMPERATURE 1.0f
/* bytes: about three a token */
#define TAIL_BYTES 120
#define DESCRIPTION_BYTES 240
#define WRONG_BYTES 240
#define PROGRAM_BYTES 1300

static void *make(const struct elm_problem *problem)
{
    (void)problem;
    return elm_prompt_new("span");
}

/* ---- the spot ---- */

struct spot {
    uint32_t at, siblings;
};

static bool is_editable(const struct elm_parent *p, uint32_t at)
{
    return p->editable[at / 8] >> (at % 8) & 1;
}

/* A node of a kind drawn among those that are there; UINT32_MAX if there are none. */
static uint32_t draw_node(const struct elm_parent *p, uint32_t size_max, struct elm_rng *rng)
{
    uint32_t of_kind[ELM_NODE_KINDS] = {0}, kinds = 0;
    for (uint32_t i = 1; i < p->tree->count; i++) {
        const struct elm_node *n = &p->tree->nodes[i];
        if (is_editable(p, i) && n->size <= size_max)
            kinds += of_kind[n->kind]++ == 0;
    }
    if (kinds == 0)
        return UINT32_MAX;
    uint32_t k = elm_rng_below(rng, kinds), kind = 0;
    while (of_kind[kind] == 0 || k-- > 0)
        kind++;
    uint32_t left = elm_rng_below(rng, of_kind[kind]), at = 0;
    for (uint32_t i = 1; at == 0; i++) {
        const struct elm_node *n = &p->tree->nodes[i];
        if (n->kind == kind && is_editable(p, i) && n->size <= size_max && left-- == 0)
            at = i;
    }
    return at;
}

/* How many of the statements from `at` on are one span: as many as drawn, or as there are. */
static uint32_t draw_siblings(const struct elm_parent *p, uint32_t at, uint32_t size_max,
                              struct elm_rng *rng)
{
    const struct elm_node *nodes = p->tree->nodes;
    uint32_t parent = elm_tree_parent(p->tree, at), end = parent + nodes[parent].size;
    uint32_t want = 1 + elm_rng_below(rng, SIBLINGS_MAX), count = 1, size = nodes[at].size;
    if (nodes[parent].kind != ELM_NODE_BLOCK)
        return 1;
    for (uint32_t i = at + size; count < want && i < end; count++) {
        size += nodes[i].size;
        if (!is_editable(p, i) || size > size_max)
            break;
        i += nodes[i].size;
    }
    return count;
}

static uint32_t nodes_of(const struct elm_tree *t, const struct spot *spot)
{
    uint32_t end = spot->at;
    for (uint32_t i = 0; i < spot->siblings; i++)
        end += t->nodes[end].size;
    return end - spot->at;
}

/* Nodes that a span may have. */
static uint32_t room(const struct elm_problem *problem, const struct elm_tree *t,
                     const struct spot *spot)
{
    uint32_t old = nodes_of(t, spot), most = old + NODES_SPARE;
    uint32_t others = t->count - old;
    /* the grammar ends within two nodes */
    if (most + 2 > problem->edit_nodes_max)
        most = problem->edit_nodes_max > 2 ? problem->edit_nodes_max - 2 : 1;
    if (others + most > problem->nodes_max)
        most = problem->nodes_max > others ? problem->nodes_max - others : 0;
    return most;
}

/* A spot, the program around it, and a grammar that leaves the spot's text at a byte drawn. */
static enum elm_status draw_spot(const struct elm_operator_context *context,
                                 const struct elm_parent *p, struct elm_rng *rng,
                                 struct elm_request *request, struct elm_buf *text, size_t *from,
                                 struct elm_error *err)
{
    uint32_t size_max = context->problem->edit_nodes_max;
    struct spot spot = {0};
    size_t to;
    for (int i = 0; i < TRIES && spot.at != UINT32_MAX; i++) {
        spot.at = draw_node(p, size_max, rng);
        if (spot.at == UINT32_MAX)
            break;
        spot.siblings = draw_siblings(p, spot.at, size_max, rng);
        if (elm_grammar_new(p->tree, context->problem->names, spot.at, spot.siblings,
                            room(context->problem, p->tree, &spot), &request->grammar, NULL) !=
            ELM_OK)
            continue;
        elm_buf_clear(text);
        elm_tree_print_spot(p->tree, context->problem->names, spot.at, spot.siblings, text, from,
                            &to);
        request->note[0] = spot.at;
        request->note[1] = spot.siblings;
        if (elm_grammar_leave(request->grammar, elm_rng_below(rng, (uint32_t)(to - *from) + 1)))
            return ELM_OK;
        elm_grammar_free(request->grammar);
        request->grammar = NULL;
    }
    return elm_fail(err, ELM_NOT_FOUND, "no part of the program that can be written anew");
}

/* ---- what is asked ---- */

/* Whole lines of at most `bytes` bytes; of one long line its beginning. */
static struct elm_str cut(struct elm_str s, size_t bytes)
{
    if (s.len <= bytes)
        return s;
    const char *line = memrchr(s.ptr, '\n', bytes);
    return (struct elm_str){s.ptr, line == NULL ? bytes : (size_t)(line - s.ptr)};
}

/* The last lines before `end`: of the function, if it is not long. */
static struct elm_str tail(struct elm_str text, size_t end)
{
    size_t from = end, line = end;
    while (line > 0 && (end - line < TAIL_BYTES || from == end)) {
        do {
            line--;
        } while (line > 0 && text.ptr[line - 1] != '\n');
        if (from < end && end - line > TAIL_BYTES)
            break;
        from = line;
        /* a function's first line is the only one of it that begins with its type */
        if (text.ptr[line] >= 'a' && text.ptr[line] <= 'z')
            break;
    }
    return (struct elm_str){text.ptr + from, end - from};
}

static void fill(const struct elm_operator_context *context, const struct elm_parents *parents,
                 struct elm_str before, struct elm_prompt_values *values)
{
    elm_prompt_fill(context, parents, values);
    struct elm_str *text = values->text;
    text[ELM_PROMPT_DESCRIPTION] = cut(text[ELM_PROMPT_DESCRIPTION], DESCRIPTION_BYTES);
    text[ELM_PROMPT_WRONG] = cut(text[ELM_PROMPT_WRONG], WRONG_BYTES);
    if (text[ELM_PROMPT_PROGRAM].len > PROGRAM_BYTES)
        text[ELM_PROMPT_PROGRAM] = cut(text[ELM_PROMPT_BLOCK], PROGRAM_BYTES);
    text[ELM_PROMPT_PREFIX] = before;
}

static enum elm_status prompt(void *self, const struct elm_operator_context *context,
                              const struct elm_parents *parents, struct elm_rng *rng,
                              struct elm_request *request, struct elm_error *err)
{
    const struct elm_parent *p = &parents->parent[0];
    struct elm_prompt_values values;
    struct elm_buf text = {0};
    size_t from;
    if (p->tree == NULL)
        return elm_fail(err, ELM_NOT_FOUND, "the parent is outside core C");
    ELM_TRY(elm_prompt_load(self, context->prompts_folder, err));
    enum elm_status status = draw_spot(context, p, rng, request, &text, &from, err);
    if (status == ELM_OK) {
        /* the grammar reads the whitespace before the spot */
        while (from > 0 && (text.ptr[from - 1] == ' ' || text.ptr[from - 1] == '\n'))
            from--;
        fill(context, parents, tail(elm_buf_str(&text), from), &values);
        status = elm_prompt_render(self, &values, request, err);
    }
    elm_buf_release(&text);
    elm_buf_clear(&request->system);
    request->raw = true;
    request->seed = elm_rng_u64(rng);
    request->tokens_max = TOKENS_MAX;
    request->temperature = TEMPERATURE;
    return status;
}

static enum elm_status parse(void *self, const struct elm_operator_context *context,
                             const struct elm_parents *parents, const struct elm_request *request,
                             struct elm_str reply, struct elm_edit *edits, uint32_t *edit_count,
                             struct elm_buf *text, struct elm_error *err)
{
    (void)self;
    (void)text;
    const struct elm_node *nodes;
    uint32_t count, kids;
    *edit_count = 0;
    if (request->grammar == NULL)
        return elm_fail(err, ELM_PARSE, "a span without a grammar");
    ELM_TRY(elm_grammar_nodes(request->grammar, context->problem->names, reply, context->arena,
                              &nodes, &count, &kids, err));
    edits[0] = elm_edit_replace(parents->parent[0].tree, (uint32_t)request->note[0], nodes, count);
    edits[0].removed = (uint16_t)request->note[1];
    edits[0].put_kids = (uint16_t)kids;
    *edit_count = 1;
    return ELM_OK;
}

const struct elm_operator_kind elm_operator_span = {
    .name = "span",
    .summary = "a model writes a part of the program anew, so that it always builds",
    .price_us = 150,
    .parents_min = 1,
    .make = make,
    .free = elm_prompt_free,
    .applies = elm_operator_takes_core_c,
    .answer_tokens = 20,
    .needs_masks = true,
    .prompt = prompt,
    .parse = parse,
};
