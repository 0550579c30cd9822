/* nano_child: the edits that filled holes stand for. */
#include "model/nano.h"

#include <string.h>

struct emitter {
    const struct nano_program *p;
    const struct nano_hole *holes;
    uint32_t hole_count;
    struct elm_node *out;
    uint32_t count, cap;
};

static const struct nano_hole *hole_at(const struct emitter *e, uint32_t at)
{
    for (uint32_t k = 0; k < e->hole_count; k++) {
        if (e->holes[k].spot->at == at)
            return &e->holes[k];
    }
    return NULL;
}

static uint32_t emit(struct emitter *e, uint32_t at);

static uint32_t add(struct emitter *e, const struct elm_node *nodes, uint32_t count)
{
    ELM_ASSERT(e->count + count <= e->cap);
    memcpy(e->out + e->count, nodes, count * sizeof(nodes[0]));
    e->count += count;
    return e->count - count;
}

/* Node i of the replacement and what is below; returns the node after it. */
static uint32_t emit_put(struct emitter *e, const struct nano_hole *h, uint32_t i)
{
    const struct elm_node *n = &h->nodes[i];
    if (n->kind == ELM_NODE_NONE) {
        const struct nano_copy *c = &h->spot->copies[n->i];
        if (h->keeps && h->form == 0)
            emit(e, c->at);
        else
            add(e, &e->p->tree->nodes[c->at], c->size);
        return i + 1;
    }
    uint32_t own = add(e, n, 1);
    uint32_t next = i + 1;
    for (uint16_t k = 0; k < n->kids; k++)
        next = emit_put(e, h, next);
    e->out[own].size = e->count - own;
    return next;
}

/* The subtree at a node, with the holes in it; returns how many siblings it has become. */
static uint32_t emit(struct emitter *e, uint32_t at)
{
    const struct nano_hole *h = hole_at(e, at);
    uint32_t siblings = 1;
    if (h != NULL && h->form == NANO_DELETE)
        return 0;
    if (h != NULL && h->form == 0) {
        emit_put(e, h, 0);
        return 1;
    }
    bool inside = h != NULL && h->spot->need == NANO_BLOCK;
    if (h != NULL && h->form == NANO_BEFORE && !inside) {
        emit_put(e, h, 0);
        siblings++;
    }
    const struct elm_node *n = &e->p->tree->nodes[at];
    uint32_t own = add(e, n, 1), kids = 0, kid = at + 1;
    if (inside) {
        emit_put(e, h, 0);
        kids++;
    }
    for (uint16_t k = 0; k < n->kids; k++) {
        kids += emit(e, kid);
        kid += e->p->tree->nodes[kid].size;
    }
    e->out[own].kids = (uint16_t)kids;
    e->out[own].size = e->count - own;
    if (h != NULL && h->form == NANO_AFTER) {
        emit_put(e, h, 0);
        siblings++;
    }
    return siblings;
}

/* Is the hole in a subtree that an earlier one writes anew? */
static bool nested(const struct nano_hole *holes, uint32_t k)
{
    for (uint32_t i = 0; i < k; i++) {
        uint32_t at = holes[i].spot->at;
        if (holes[i].form == 0 && holes[k].spot->at > at &&
            holes[k].spot->at < at + holes[i].spot->program->tree->nodes[at].size)
            return true;
    }
    return false;
}

uint32_t nano_edits(const struct nano_program *p, const struct nano_hole *holes, uint32_t count,
                    struct elm_arena *arena, struct elm_edit *edits)
{
    uint32_t cap = NANO_HOLES_MAX * (2 * NANO_HOLE_TOKENS + 2), made = 0;
    for (uint32_t k = 0; k < count; k++)
        cap += holes[k].size;
    struct emitter e = {.p = p, .holes = holes, .hole_count = count, .cap = cap};
    e.out = elm_arena_alloc(arena, cap * sizeof(e.out[0]));
    uint32_t touched[NANO_HOLES_MAX];
    for (uint32_t k = 0; k < count; k++) {
        const struct nano_hole *h = &holes[k];
        uint32_t at = h->spot->at, from = e.count, first = at;
        struct elm_edit edit = {.parent = p->places[at].parent, .first = p->places[at].kid,
                                .put_kids = 1};
        if (nested(holes, k))
            continue;
        if (h->form != NANO_DELETE)
            emit_put(&e, h, 0);
        if (h->form == 0 || h->form == NANO_DELETE) {
            edit.removed = 1;
            edit.put_kids = h->form == 0;
        } else if (h->form == NANO_AFTER) {
            edit.first++;
            first = at + p->tree->nodes[at].size;
        } else if (h->spot->need == NANO_BLOCK) {
            edit.parent = at;
            edit.first = 0;
        }
        edit.put = e.out + from;
        edit.put_count = e.count - from;
        uint32_t i = made++;
        for (; i > 0 && touched[i - 1] > first; i--) {
            touched[i] = touched[i - 1];
            edits[i] = edits[i - 1];
        }
        touched[i] = first;
        edits[i] = edit;
    }
    return made;
}
