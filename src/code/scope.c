/* scope: where a node stands: its parent, its function, and what may be named there. */
#include "elm/code.h"

#include <stdlib.h>
#include <string.h>

void elm_tree_release(struct elm_tree *t)
{
    free(t->nodes);
    *t = (struct elm_tree){0};
}

struct elm_tree elm_tree_copy(const struct elm_tree *t)
{
    struct elm_tree copy = {elm_malloc(t->count * sizeof(t->nodes[0]) + 1), t->count};
    memcpy(copy.nodes, t->nodes, t->count * sizeof(t->nodes[0]));
    return copy;
}

uint32_t elm_tree_operators(const struct elm_tree *t)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < t->count; i++)
        n += t->nodes[i].kind >= ELM_NODE_ADD && t->nodes[i].kind <= ELM_NODE_LOGIC_OR;
    return n;
}

uint32_t elm_tree_kid(const struct elm_tree *t, uint32_t at, uint32_t k)
{
    ELM_ASSERT(at < t->count && k < t->nodes[at].kids);
    uint32_t kid = at + 1;
    while (k-- > 0)
        kid += t->nodes[kid].size;
    return kid;
}

/* The kid of `from` that holds `at`. */
static uint32_t towards(const struct elm_tree *t, uint32_t from, uint32_t at)
{
    uint32_t kid = from + 1;
    while (kid + t->nodes[kid].size <= at)
        kid += t->nodes[kid].size;
    return kid;
}

uint32_t elm_tree_parent(const struct elm_tree *t, uint32_t at)
{
    ELM_ASSERT(at < t->count);
    uint32_t parent = UINT32_MAX;
    for (uint32_t node = 0; node != at; node = towards(t, node, at))
        parent = node;
    return parent;
}

uint32_t elm_tree_function(const struct elm_tree *t, uint32_t at)
{
    if (at == 0)
        return UINT32_MAX;
    uint32_t kid = towards(t, 0, at);
    return t->nodes[kid].kind == ELM_NODE_FUNCTION ? kid : UINT32_MAX;
}

struct scope {
    struct elm_symbol *out;
    uint32_t max, count;
};

/* Newest last while collecting; a newer name hides an older one. */
static void add(struct scope *s, const struct elm_tree *t, uint32_t at)
{
    const struct elm_node *n = &t->nodes[at];
    for (uint32_t i = 0; i < s->count; i++) {
        if (s->out[i].name == n->name) {
            memmove(&s->out[i], &s->out[i + 1], (s->count - i - 1) * sizeof(s->out[0]));
            s->count--;
            break;
        }
    }
    if (s->count == s->max) {
        if (s->max == 0)
            return;
        memmove(s->out, s->out + 1, (s->count - 1) * sizeof(s->out[0]));
        s->count--;
    }
    s->out[s->count++] = (struct elm_symbol){
        .name = n->name, .type = n->type, .is_param = n->kind == ELM_NODE_PARAM,
        .dims = {n->dims[0], n->dims[1]}, .declared_at = at,
    };
}

/* Names that `node` brings into scope for its kid that holds `at`. */
static void enter(struct scope *s, const struct elm_tree *t, uint32_t node, uint32_t at)
{
    const struct elm_node *n = &t->nodes[node];
    if (n->kind != ELM_NODE_FUNCTION && n->kind != ELM_NODE_BLOCK && n->kind != ELM_NODE_FOR)
        return;
    uint32_t kid = node + 1;
    for (uint16_t i = 0; i < n->kids && kid + t->nodes[kid].size <= at; i++) {
        uint8_t kind = t->nodes[kid].kind;
        if (kind == ELM_NODE_PARAM || kind == ELM_NODE_DECLARE)
            add(s, t, kid);
        kid += t->nodes[kid].size;
    }
}

uint32_t elm_tree_scope(const struct elm_tree *t, uint32_t at, struct elm_symbol *out,
                        uint32_t max)
{
    ELM_ASSERT(at < t->count);
    struct scope s = {out, max, 0};
    for (uint32_t node = 0; node != at; node = towards(t, node, at))
        enter(&s, t, node, at);
    for (uint32_t i = 0; i < s.count / 2; i++) {
        struct elm_symbol swapped = out[i];
        out[i] = out[s.count - 1 - i];
        out[s.count - 1 - i] = swapped;
    }
    return s.count;
}

uint32_t elm_tree_callable(const struct elm_tree *t, uint32_t at, uint32_t *functions,
                           uint32_t max)
{
    uint32_t count = 0, kid = 1;
    for (uint16_t i = 0; i < t->nodes[0].kids && kid <= at && count < max; i++) {
        if (t->nodes[kid].kind == ELM_NODE_FUNCTION)
            functions[count++] = kid;
        kid += t->nodes[kid].size;
    }
    return count;
}

static bool holds(const struct elm_tree *t, const struct elm_names *names, uint32_t at,
                  const char *word)
{
    const struct elm_node *n = &t->nodes[at];
    return n->kind == ELM_NODE_COMMENT &&
           strstr(elm_names_text(names, n->name).ptr, word) != NULL;
}

static bool changeable(uint8_t kind)
{
    return kind != ELM_NODE_PROGRAM && kind != ELM_NODE_FUNCTION && kind != ELM_NODE_PARAM &&
           kind != ELM_NODE_TEXT && kind != ELM_NODE_COMMENT;
}

static uint32_t mark(const struct elm_tree *t, uint32_t from, uint32_t end, uint8_t *bits)
{
    uint32_t count = 0;
    for (uint32_t i = from; i < end; i++) {
        if (changeable(t->nodes[i].kind) && !(bits[i / 8] >> (i % 8) & 1)) {
            bits[i / 8] |= (uint8_t)(1u << (i % 8));
            count++;
        }
    }
    return count;
}

uint32_t elm_tree_editable(const struct elm_tree *t, const struct elm_names *names,
                           uint8_t *bits)
{
    memset(bits, 0, t->count / 8 + 1);
    uint32_t count = 0;
    bool marked = false;
    for (uint32_t at = 0; at < t->count; at++) {
        const struct elm_node *n = &t->nodes[at];
        if (n->kind != ELM_NODE_PROGRAM && n->kind != ELM_NODE_BLOCK)
            continue;
        bool open = false;
        uint32_t kid = at + 1;
        for (uint16_t i = 0; i < n->kids; i++, kid += t->nodes[kid].size) {
            if (holds(t, names, kid, "EVOLVE-BLOCK-START"))
                open = marked = true;
            else if (holds(t, names, kid, "EVOLVE-BLOCK-END"))
                open = false;
            else if (open)
                count += mark(t, kid, kid + t->nodes[kid].size, bits);
        }
    }
    return marked ? count : mark(t, 0, t->count, bits);
}
