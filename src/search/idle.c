/* idle: code whose values reach no output, as far as a look without running it can tell. */
#include "elm/operator.h"

#include <stdlib.h>
#include <string.h>

#define NAMES_MAX 64             /* of a function; one with more has nothing idle */

struct idler {
    const struct elm_tree *tree;
    uint8_t *bits;
    uint32_t names[NAMES_MAX];   /* read by code that is not idle */
    uint32_t count;
    bool changed, full;
};

static bool is_read(const struct idler *d, uint32_t name)
{
    for (uint32_t i = 0; i < d->count; i++) {
        if (d->names[i] == name)
            return true;
    }
    return d->full;
}

static void read_name(struct idler *d, uint32_t name)
{
    if (is_read(d, name))
        return;
    d->changed = true;
    if (d->count == NAMES_MAX)
        d->full = true;
    else
        d->names[d->count++] = name;
}

/* Does evaluating it do nothing but give a value? */
static bool is_pure(const struct elm_node *n)
{
    int arguments;
    enum elm_type type;
    for (uint32_t i = 0; i < n->size; i++) {
        if (n[i].kind >= ELM_NODE_ASSIGN ||
            (n[i].kind == ELM_NODE_CALL && !elm_math_name(n[i].name, &arguments, &type)))
            return false;
    }
    return true;
}

/* The name of the scalar that a statement does no more than set; UINT32_MAX otherwise. */
static uint32_t only_sets(const struct elm_node *n)
{
    bool scalar = n->type == ELM_TYPE_INT || n->type == ELM_TYPE_DOUBLE;
    if (n->kind == ELM_NODE_DECLARE && scalar && n->kids == 1 && is_pure(n + 1))
        return n->name;
    if (n->kind != ELM_NODE_EVAL || n[1].kind < ELM_NODE_ASSIGN || n[2].kind != ELM_NODE_VAR)
        return UINT32_MAX;
    return n[1].kids < 2 || is_pure(n + 3) ? n[2].name : UINT32_MAX;
}

/* Notes the names that live code reads; a statement that only sets an unread name is passed by. */
static void read_names(struct idler *d, uint32_t at)
{
    const struct elm_node *n = &d->tree->nodes[at];
    uint32_t name = only_sets(n), from = at;
    if (name != UINT32_MAX) {
        if (!is_read(d, name))
            return;
        from = n->kind == ELM_NODE_DECLARE ? at : at + 2;    /* past the lvalue */
        for (uint32_t i = from + 1; i < at + n->size; i++) {
            const struct elm_node *k = &d->tree->nodes[i];
            if (k->kind == ELM_NODE_VAR || k->kind == ELM_NODE_INDEX)
                read_name(d, k->name);
        }
        return;
    }
    if (n->kind == ELM_NODE_VAR || n->kind == ELM_NODE_INDEX)
        read_name(d, n->name);
    uint32_t kid = at + 1;
    for (uint16_t k = 0; k < n->kids; k++, kid += d->tree->nodes[kid].size)
        read_names(d, kid);
}

static uint32_t mark(struct idler *d, uint32_t at)
{
    const struct elm_node *n = &d->tree->nodes[at];
    uint32_t name = only_sets(n), marked = 0, kid = at + 1;
    if (name != UINT32_MAX && !is_read(d, name)) {
        for (uint32_t i = at; i < at + n->size; i++)
            d->bits[i / 8] |= (uint8_t)(1u << (i % 8));
        return n->size;
    }
    for (uint16_t k = 0; k < n->kids; k++, kid += d->tree->nodes[kid].size)
        marked += mark(d, kid);
    return marked;
}

uint32_t elm_edit_idle(const struct elm_tree *t, uint8_t *bits)
{
    uint32_t marked = 0, kid = 1;
    memset(bits, 0, t->count / 8 + 1);
    for (uint16_t k = 0; k < t->nodes[0].kids; k++, kid += t->nodes[kid].size) {
        struct idler d = {.tree = t, .bits = bits};
        do {
            d.changed = false;
            read_names(&d, kid);
        } while (d.changed);
        marked += mark(&d, kid);
    }
    return marked;
}
