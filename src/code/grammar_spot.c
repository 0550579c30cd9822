/* grammar_spot: what a place in a tree wants of what is written there. */
#include "code/grammar.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define TREE_DEPTH_MAX 200     /* of elm_tree_check */
#define DEPTH_SPARE 40         /* what closing may add beyond nodes_max */
#define DECLARED_MAX 400       /* of the 512 names that elm_tree_check has room for */
#define BORDER_SEEN 8          /* bytes that tell a span's own operator from what follows it */

struct walk {
    struct elm_grammar *g;
    struct grammar_place *p;
    const struct elm_node *nodes;
    uint32_t depth;
    bool tail;                 /* the function must end in a return here */
    bool lvalue, simple;       /* simple: an expression that stands alone */
    bool fixed;                /* nothing else may stand here */
};

/* ---- on the way down to the spot ---- */

static bool breaks(const struct elm_node *n)
{
    for (const struct elm_node *k = n; k < n + n->size; k++) {
        if (k->kind == ELM_NODE_BREAK)
            return true;
        if (k != n && (k->kind == ELM_NODE_FOR || k->kind == ELM_NODE_WHILE ||
                       k->kind == ELM_NODE_DO))
            k += k->size - 1;
    }
    return false;
}

/* What elm_tree_check takes for a statement that never falls out of its end. */
static bool endless(const struct elm_node *n)
{
    const struct elm_node *condition = n + 1;
    if (n->kind == ELM_NODE_FOR)
        condition += condition->size;
    bool always = condition->kind == ELM_NODE_EMPTY ||
                  (condition->kind == ELM_NODE_INT && condition->i != 0);
    return always && !breaks(n);
}

/* Does nothing but comments and empty statements stand between the nodes at from and to? */
static bool nothing(const struct elm_node *nodes, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i += nodes[i].size) {
        if (nodes[i].kind != ELM_NODE_COMMENT && nodes[i].kind != ELM_NODE_EMPTY)
            return false;
    }
    return true;
}

static void into_loop(struct walk *w, uint32_t node, uint32_t kid)
{
    bool body = w->nodes[kid].kind == ELM_NODE_BLOCK;
    bool held = w->tail && w->nodes[node].kind != ELM_NODE_DO && endless(&w->nodes[node]);
    if (body) {
        w->g->may_continue = true;
        w->g->may_break = !held;
    } else if (held) {
        uint32_t condition = w->nodes[node].kind == ELM_NODE_WHILE
                                 ? node + 1 : node + 1 + w->nodes[node + 1].size;
        w->fixed |= kid == condition;
    }
    w->tail = false;
}

static void into_statement(struct walk *w, uint32_t node, uint32_t k, uint32_t kid)
{
    const struct elm_node *n = &w->nodes[node];
    w->simple = false;
    switch (n->kind) {
    case ELM_NODE_FUNCTION:
        w->tail = n->type != ELM_TYPE_NONE;
        break;
    case ELM_NODE_BLOCK: {
        uint32_t after = kid + w->nodes[kid].size;
        after = after < w->p->end ? w->p->end : after;
        w->tail = w->tail && nothing(w->nodes, after, node + n->size);
        break;
    }
    case ELM_NODE_IF:
        w->tail = w->tail && k > 0;
        break;
    case ELM_NODE_FOR: case ELM_NODE_WHILE: case ELM_NODE_DO:
        into_loop(w, node, kid);
        w->simple = n->kind == ELM_NODE_FOR && (k == 0 || k == 2);
        break;
    case ELM_NODE_DECLARE:
        if (w->p->barred_count == ELM_COUNT(w->p->barred))
            w->fixed = true;
        else
            w->p->barred[w->p->barred_count++] = n->name;
        w->tail = false;
        break;
    case ELM_NODE_EVAL:
        w->simple = true;
        w->tail = false;
        break;
    default:
        w->tail = false;
    }
    if (n->kind == ELM_NODE_DECLARE && w->nodes[kid].kind == ELM_NODE_INIT_LIST)
        w->g->shape = (struct shape){n->type, {n->dims[0], n->dims[1]}};
    if (n->kind == ELM_NODE_INIT_LIST)
        w->g->shape = (struct shape){ELM_TYPE_NONE, {w->g->shape.dims[1], 0}};
    w->g->need_int = w->g->no_debt = false;
}

static const struct elm_node *param_of(const struct walk *w, uint32_t name, uint32_t k)
{
    const struct elm_node *root = w->nodes, *n = root + 1;
    for (uint16_t i = 0; i < root->kids; i++, n += n->size) {
        if (n->kind == ELM_NODE_FUNCTION && n->name == name && k + 1 < n->kids)
            return n + 1 + k;
    }
    return NULL;
}

static void into_expression(struct walk *w, uint32_t node, uint32_t k)
{
    const struct elm_node *n = &w->nodes[node];
    bool need = w->g->need_int, no_debt = w->g->no_debt;
    bool int_only = elm_kind_info(n->kind)->int_only;
    const struct elm_node *param;
    w->tail = w->simple = w->lvalue = false;
    w->g->need_int = int_only;
    w->g->no_debt = false;
    switch (n->kind) {
    case ELM_NODE_INDEX:
        w->g->need_int = w->g->no_debt = true;
        break;
    case ELM_NODE_ADD: case ELM_NODE_SUB: case ELM_NODE_MUL: case ELM_NODE_DIV:
    case ELM_NODE_NEG:
        w->g->need_int = need;
        w->g->no_debt = no_debt;
        break;
    case ELM_NODE_COND:
        w->g->need_int = need && k > 0;
        w->g->no_debt = no_debt && k > 0;
        break;
    case ELM_NODE_CALL:
        param = param_of(w, n->name, k);
        w->g->shape = (struct shape){0};
        if (param != NULL)
            w->g->shape = (struct shape){param->type, {0, param->dims[1]}};
        break;
    default:
        w->lvalue = n->kind >= ELM_NODE_ASSIGN && k == 0;
        if (w->lvalue)
            w->g->need_int = need || int_only;
    }
}

/* From the root to the spot. False: there is no such spot. */
static bool walk_down(struct walk *w, uint32_t at, uint32_t *parent, uint32_t *k)
{
    for (uint32_t node = 0; node != at; w->depth++) {
        uint32_t kid = node + 1;
        if (w->nodes[node].size == 1)
            return false;
        for (*k = 0; kid + w->nodes[kid].size <= at; ++*k)
            kid += w->nodes[kid].size;
        if (w->nodes[node].kind >= ELM_NODE_INT)
            into_expression(w, node, *k);
        else
            into_statement(w, node, *k, kid);
        *parent = node;
        node = kid;
    }
    return true;
}

/* ---- the spot ---- */

static bool is_array(uint8_t type)
{
    return type == ELM_TYPE_INT_ARRAY || type == ELM_TYPE_DOUBLE_ARRAY;
}

static void set_base(struct walk *w, uint32_t at, uint32_t parent)
{
    struct elm_grammar *g = w->g;
    const struct elm_node *n = &w->nodes[at], *above = &w->nodes[parent];
    g->base = w->lvalue                                              ? BASE_LVALUE
              : n->kind == ELM_NODE_INIT_LIST                        ? BASE_ITEMS
              : above->kind == ELM_NODE_BLOCK                        ? BASE_LIST
              : above->kind == ELM_NODE_IF && at > parent + 1 &&
                      at != parent + 1 + w->nodes[parent + 1].size   ? BASE_ELSE
              : n->kind == ELM_NODE_BLOCK                            ? BASE_BLOCK
              : above->kind == ELM_NODE_FOR && at == parent + 1      ? BASE_FOR_INIT
              : w->simple                                            ? BASE_SIMPLE
              : above->kind == ELM_NODE_CALL && is_array(g->shape.type) ? BASE_ARRAY
                                                                     : BASE_VALUE;
    g->must_return = w->tail;
    w->p->rest_end = g->base == BASE_LIST || g->base == BASE_FOR_INIT ? parent + above->size
                                                                      : w->p->end;
}

static bool replaceable(const struct walk *w, uint32_t at, uint32_t k, uint32_t count,
                        uint32_t parent)
{
    const struct elm_node *n = &w->nodes[at];
    bool list = w->g->base == BASE_LIST;
    if (w->fixed || n->kind < ELM_NODE_BLOCK || (count != 1 && !list) ||
        k + count > w->nodes[parent].kids)
        return false;
    for (uint32_t i = at; list && i < w->p->end; i += w->nodes[i].size) {
        if (w->nodes[i].kind == ELM_NODE_COMMENT)
            return false;
    }
    if (w->nodes[parent].kind == ELM_NODE_FOR &&
        (n->kind == ELM_NODE_EMPTY || (n->kind == ELM_NODE_DECLARE && n->dims[0] != 0)))
        return false;
    return true;
}

static enum elm_status find_spot(struct walk *w, uint32_t at, uint32_t count,
                                 struct elm_error *err)
{
    const struct elm_tree *t = w->p->tree;
    uint32_t parent = 0, k = 0, declared = 0;
    if (at == 0 || at >= t->count || count == 0)
        return elm_fail(err, ELM_USAGE, "node %u of %u can't be replaced", at, t->count);
    w->p->function = elm_tree_function(t, at);
    w->p->end = at;
    for (uint32_t i = 0; i < count && w->p->end < t->count; i++)
        w->p->end += w->nodes[w->p->end].size;
    if (w->p->function == UINT32_MAX || w->p->function == at || !walk_down(w, at, &parent, &k))
        return elm_fail(err, ELM_USAGE, "node %u is no statement or expression", at);
    set_base(w, at, parent);
    if (!replaceable(w, at, k, count, parent))
        return elm_fail(err, ELM_USAGE, "node %u (%s) can't be replaced", at,
                        elm_kind_info(w->nodes[at].kind)->name);
    for (uint32_t i = w->p->function; i < w->p->function + w->nodes[w->p->function].size; i++)
        declared += w->nodes[i].kind == ELM_NODE_DECLARE || w->nodes[i].kind == ELM_NODE_PARAM;
    if (declared > DECLARED_MAX || w->depth + DEPTH_SPARE + 8 > TREE_DEPTH_MAX)
        return elm_fail(err, ELM_USAGE, "node %u stands too deep or among too many names", at);
    return ELM_OK;
}

/* ---- the text around ---- */

/* How much of what follows tells that the span has ended. */
static uint32_t border_of(uint8_t base, const char *after, uint32_t len)
{
    uint32_t i = 0;
    /* nothing else could follow */
    if (base != BASE_VALUE && base != BASE_SIMPLE && base != BASE_FOR_INIT && base != BASE_LIST)
        return 1;
    while (i < len && isspace((unsigned char)after[i]))
        i++;
    if (i == len)
        return 1;
    if (strchr(")];,:}/", after[i]) != NULL && !(after[i] == '/' && base != BASE_LIST))
        return i + 1;
    if (base != BASE_LIST)
        i = 0;
    uint32_t end = i;
    while (end < len && end < i + BORDER_SEEN && after[end] != '\n')
        end++;
    return end;
}

static enum elm_status surround(struct elm_grammar *g, const struct grammar_place *p,
                                uint32_t count, struct elm_error *err)
{
    struct elm_buf text = {0};
    size_t from, to, start, line;
    elm_tree_print_spot(p->tree, p->names, p->at, count, &text, &from, &to);
    for (start = from; start > 0 && isspace((unsigned char)text.ptr[start - 1]);)
        start--;
    for (line = from; line > 0 && text.ptr[line - 1] != '\n';)
        line--;
    uint32_t spaces = (uint32_t)strspn(text.ptr + line, " ");
    size_t after = text.len - to < AFTER_MAX ? text.len - to : AFTER_MAX;
    bool ok = from - start <= LEAD_MAX && spaces <= 4 * 12;
    if (ok) {
        g->indent = (uint8_t)(spaces / 4);
        g->lead.len = (uint8_t)(from - start);
        memcpy(g->lead.bytes, text.ptr + start, from - start);
        g->after.len = (uint8_t)after;
        memcpy(g->after.bytes, text.ptr + to, after);
        g->old_len = (uint32_t)(to - start);
        g->old = elm_strndup(text.ptr + start, g->old_len);
        g->border = border_of(g->base, g->after.bytes, g->after.len);
        for (uint32_t i = 0; i < g->border; i++)
            g->border_bytes[(uint8_t)g->after.bytes[i]] |= 1ull << i;
    }
    elm_buf_release(&text);
    return ok ? ELM_OK : elm_fail(err, ELM_USAGE, "node %u stands too deep", p->at);
}

/* ---- together ---- */

static uint16_t least(const struct elm_grammar *g)
{
    uint32_t nodes = g->owed_count + (g->must_return ? 2 : 0);
    if (grammar_is_head(g->base))
        nodes += 2;
    else if (g->base == BASE_VALUE || g->base == BASE_LVALUE || g->base == BASE_ARRAY)
        nodes += 1;
    return (uint16_t)nodes;
}

static bool begins_somehow(const struct elm_grammar *g)
{
    struct elm_grammar_state s;
    for (uint32_t byte = 0; byte < 256; byte++) {
        bool ok = true;
        elm_grammar_start(g, &s);
        for (uint32_t i = 0; i < g->lead.len && ok; i++)
            ok = elm_grammar_step(g, &s, (uint8_t)g->lead.bytes[i]);
        if (ok && elm_grammar_step(g, &s, (uint8_t)byte))
            return true;
    }
    return false;
}

enum elm_status elm_grammar_new(const struct elm_tree *t, const struct elm_names *names,
                                uint32_t at, uint32_t count, uint32_t nodes_max,
                                struct elm_grammar **out, struct elm_error *err)
{
    struct elm_grammar *g = elm_calloc(1, sizeof(*g));
    g->leave = UINT32_MAX;
    struct grammar_place p = {.tree = t, .names = names, .at = at};
    struct walk w = {.g = g, .p = &p, .nodes = t->nodes};
    enum elm_status status = find_spot(&w, at, count, err);
    if (status == ELM_OK) {
        uint32_t room = TREE_DEPTH_MAX - DEPTH_SPARE - w.depth;
        uint32_t fewest = g->base >= BASE_SIMPLE ? 4 : 1;
        g->nodes_max = nodes_max < fewest ? fewest : nodes_max < room ? nodes_max : room;
        g->returns = t->nodes[p.function].type;
        if (t->count + g->nodes_max + DEPTH_SPARE > ELM_NODES_MAX)
            status = elm_fail(err, ELM_USAGE, "a program of %u nodes has no room", t->count);
    }
    if (status == ELM_OK)
        status = grammar_words(g, &p, err);
    if (status == ELM_OK)
        status = surround(g, &p, count, err);
    g->nodes_least = least(g);
    if (status == ELM_OK && !begins_somehow(g))
        status = elm_fail(err, ELM_USAGE, "nothing in scope may stand at node %u", at);
    if (status != ELM_OK) {
        elm_grammar_free(g);
        return status;
    }
    *out = g;
    return ELM_OK;
}

void elm_grammar_free(struct elm_grammar *g)
{
    if (g != NULL)
        free(g->old);
    free(g);
}
