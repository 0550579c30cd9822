/* nano_hole: writes one replacement token by token; what does not parse or fit there can't be said. */
#include "model/nano.h"

#include <string.h>

static uint8_t kid_need(const struct nano_frame *f)
{
    switch (f->kind) {
    case ELM_NODE_IF: case ELM_NODE_WHILE: return f->kid == 0 ? NANO_NUMBER : NANO_BLOCK;
    case ELM_NODE_BLOCK: return NANO_LIST;
    case ELM_NODE_EVAL: return NANO_EFFECT;
    case ELM_NODE_INDEX: return NANO_INT;
    case ELM_NODE_BIT_NOT: return NANO_INT;
    case ELM_NODE_RETURN: case ELM_NODE_CALL: case ELM_NODE_NOT: case ELM_NODE_TO_INT:
    case ELM_NODE_TO_DOUBLE:
        return NANO_NUMBER;
    case ELM_NODE_NEG: return f->need;
    case ELM_NODE_COND:
        if (f->kid == 0 || f->need == NANO_NUMBER)
            return NANO_NUMBER;
        if (f->need == NANO_INT)
            return NANO_INT;
        return f->kid == 2 && f->types[0] == ELM_TYPE_INT ? NANO_REAL : NANO_NUMBER;
    default: break;
    }
    bool int_only = elm_kind_info(f->kind)->int_only;
    if (f->kind >= ELM_NODE_ASSIGN) {
        if (f->kid == 0)
            return int_only ? NANO_LVALUE_INT : NANO_LVALUE;
        return int_only ? NANO_INT : NANO_NUMBER;
    }
    if (f->kind >= ELM_NODE_EQ)
        return NANO_NUMBER;
    if (int_only || f->need == NANO_INT)
        return NANO_INT;
    if (f->need == NANO_NUMBER)
        return NANO_NUMBER;
    return f->kid == 1 && f->types[0] == ELM_TYPE_INT ? NANO_REAL : NANO_NUMBER;
}

static uint8_t minimum(const struct nano_hole *h, uint8_t need)
{
    uint8_t least = h->spot->minimum[need];
    return least > 0 ? least : 1;
}

void nano_hole_open(struct nano_hole *h, const struct nano_spot *s, uint32_t room)
{
    h->spot = s;
    h->count = h->node_count = h->depth = 0;
    h->form = 0;
    h->need = s->need;
    h->parent = h->kid = 0;
    h->pending = 1;
    h->size = 0;
    h->room = (uint16_t)(room < NANO_HOLE_NODES ? room : NANO_HOLE_NODES);
    h->keeps = false;
}

static bool in_loop(const struct nano_hole *h)
{
    return (h->spot->flags & NANO_IN_LOOP) || (h->depth > 0 && h->frames[h->depth - 1].loop);
}

void nano_hole_mask(const struct nano_hole *h, struct nano_mask *out)
{
    const struct nano_spot *s = h->spot;
    *out = h->count == 0 ? s->root : s->allowed[h->need];
    uint32_t reserved = h->need == NANO_LIST || h->count == 0 ? 0 : minimum(h, h->need);
    uint32_t used = h->count + (h->count == 0 ? 0 : h->pending - reserved);
    uint32_t left = NANO_HOLE_TOKENS - used;
    const struct nano_mask *fits = &s->fits[left < 8 ? left : 7];
    for (int k = 0; k < 4; k++) {
        out->w[k] &= fits->w[k];
        if (!in_loop(h))
            out->w[k] &= ~s->jumps.w[k];
    }
    if (h->need == NANO_LIST)
        nano_mask_add(out, NANO_END);
    for (uint32_t c = 0; c < NANO_COPIES; c++) {
        uint32_t t = NANO_COPY + c;
        if (nano_mask_has(out, t) && h->size + s->copies[c].size + 2u * h->pending > h->room)
            out->w[t / 64] &= ~(1ull << (t % 64));
    }
}

static uint32_t add_node(struct nano_hole *h, struct elm_node n)
{
    ELM_ASSERT(h->node_count < ELM_COUNT(h->nodes));
    n.size = 1;
    h->nodes[h->node_count] = n;
    h->size++;
    return h->node_count++;
}

static void push(struct nano_hole *h, struct elm_node n, uint8_t need, uint32_t kids)
{
    bool loop = in_loop(h) || n.kind == ELM_NODE_WHILE;
    n.kids = (uint16_t)kids;
    uint32_t node = add_node(h, n);
    ELM_ASSERT(h->depth < ELM_COUNT(h->frames));
    h->frames[h->depth++] = (struct nano_frame){.kind = n.kind, .need = need, .kids = (uint8_t)kids,
                                                .node = (uint8_t)node, .loop = loop};
    struct nano_frame *f = &h->frames[h->depth - 1];
    for (f->kid = 0; f->kid < kids && n.kind != ELM_NODE_BLOCK; f->kid++)
        h->pending = (uint8_t)(h->pending + minimum(h, kid_need(f)));
    f->kid = 0;
    if (n.kind == ELM_NODE_BLOCK)
        h->pending++;
}

static uint8_t type_of(const struct nano_frame *f, const struct elm_node *n)
{
    bool real = f->types[0] == ELM_TYPE_DOUBLE || f->types[1] == ELM_TYPE_DOUBLE;
    switch (f->kind) {
    case ELM_NODE_INDEX: case ELM_NODE_CALL: return n->type;
    case ELM_NODE_NOT: case ELM_NODE_TO_INT: case ELM_NODE_BIT_NOT: return ELM_TYPE_INT;
    case ELM_NODE_TO_DOUBLE: return ELM_TYPE_DOUBLE;
    case ELM_NODE_COND: return real ? ELM_TYPE_DOUBLE : ELM_TYPE_INT;
    default: break;
    }
    if (f->kind < ELM_NODE_INT)
        return ELM_TYPE_NONE;
    if (f->kind >= ELM_NODE_ASSIGN)
        return f->types[0];
    if (f->kind >= ELM_NODE_EQ && f->kind <= ELM_NODE_LOGIC_OR)
        return ELM_TYPE_INT;
    return real ? ELM_TYPE_DOUBLE : ELM_TYPE_INT;
}

/* A subtree of `type` is complete; so may be what it is in. */
static void complete(struct nano_hole *h, uint8_t type)
{
    while (h->depth > 0) {
        struct nano_frame *f = &h->frames[h->depth - 1];
        if (f->kind == ELM_NODE_BLOCK) {
            h->nodes[f->node].kids++;
            break;
        }
        /* of a ?: the branches count */
        uint32_t place = f->kind == ELM_NODE_COND ? f->kid - 1u : f->kid;
        if (place < 2)
            f->types[place] = type;
        f->kid++;
        if (f->kid < f->kids)
            break;
        struct elm_node *n = &h->nodes[f->node];
        n->size = (uint32_t)(h->node_count - f->node);
        n->type = type = type_of(f, n);
        h->depth--;
    }
    if (h->depth == 0) {
        h->need = NANO_NOTHING;
        h->parent = h->kid = 0;
        return;
    }
    struct nano_frame *f = &h->frames[h->depth - 1];
    h->need = kid_need(f);
    h->parent = f->kind;
    h->kid = f->kid < 7 ? f->kid : 7;
}

static void put_leaf(struct nano_hole *h, uint32_t token)
{
    const struct elm_node *old = &h->spot->program->tree->nodes[h->spot->at];
    struct elm_node n = {.kind = ELM_NODE_INT, .type = ELM_TYPE_INT, .size = 1};
    if (token == NANO_MORE || token == NANO_LESS) {
        n.i = token == NANO_MORE ? old->i + 1 : old->i - 1;
    } else if (token >= NANO_OWN_LITERAL) {
        n = h->spot->program->own[token - NANO_OWN_LITERAL];
        n.type = n.kind == ELM_NODE_INT ? ELM_TYPE_INT : ELM_TYPE_DOUBLE;
    } else if (token - NANO_LITERAL >= nano_literal_reals) {
        n.kind = ELM_NODE_REAL;
        n.type = ELM_TYPE_DOUBLE;
        n.d = nano_literals[token - NANO_LITERAL];
    } else {
        n.i = (int64_t)nano_literals[token - NANO_LITERAL];
    }
    if (n.kind == ELM_NODE_INT && n.i < 0) {
        uint32_t neg = add_node(h, (struct elm_node){.kind = ELM_NODE_NEG, .type = ELM_TYPE_INT,
                                                     .kids = 1});
        h->nodes[neg].size = 2;
        n.i = -n.i;
    }
    add_node(h, n);
    complete(h, n.type);
}

static void put_slot(struct nano_hole *h, const struct elm_symbol *y)
{
    bool array = y->type == ELM_TYPE_INT_ARRAY || y->type == ELM_TYPE_DOUBLE_ARRAY;
    uint8_t type = y->type == ELM_TYPE_INT || y->type == ELM_TYPE_INT_ARRAY ? ELM_TYPE_INT
                                                                            : ELM_TYPE_DOUBLE;
    struct elm_node n = {.kind = array ? ELM_NODE_INDEX : ELM_NODE_VAR, .type = type,
                         .name = y->name};
    if (array) {
        push(h, n, h->need, y->dims[1] > 0 ? 2 : 1);
        struct nano_frame *f = &h->frames[h->depth - 1];
        h->need = kid_need(f);
        h->parent = f->kind;
        h->kid = 0;
    } else {
        add_node(h, n);
        complete(h, type);
    }
}

static void put_copy(struct nano_hole *h, uint32_t which)
{
    const struct nano_copy *c = &h->spot->copies[which];
    add_node(h, (struct elm_node){.kind = ELM_NODE_NONE, .type = c->type, .i = which});
    h->size = (uint16_t)(h->size + c->size - 1);
    complete(h, c->type);
}

static void put_kind(struct nano_hole *h, uint32_t token)
{
    struct elm_node n = {.kind = (uint8_t)token};
    uint32_t kids = 0;
    uint8_t need = h->need;
    int arguments;
    enum elm_type type;
    if (token >= NANO_MATH && token < NANO_FUNCTION) {
        elm_math_name(token - NANO_MATH, &arguments, &type);
        n = (struct elm_node){.kind = ELM_NODE_CALL, .type = (uint8_t)type,
                              .name = token - NANO_MATH};
        kids = (uint32_t)arguments;
    } else if (token >= NANO_FUNCTION && token < NANO_LITERAL) {
        const struct nano_program *p = h->spot->program;
        const struct elm_node *f = &p->tree->nodes[p->callable[token - NANO_FUNCTION]];
        n = (struct elm_node){.kind = ELM_NODE_CALL, .type = f->type, .name = f->name};
        kids = f->kids - 1u;
    } else if (token == NANO_IF_ELSE) {
        n.kind = ELM_NODE_IF;
        kids = 3;
    } else if (token == ELM_NODE_RETURN) {
        kids = h->spot->returns == ELM_TYPE_NONE ? 0 : 1;
    } else if (token != ELM_NODE_BLOCK) {
        kids = (uint32_t)elm_kind_info(token)->kids_min;
    }
    if (kids == 0 && token != ELM_NODE_BLOCK) {
        add_node(h, n);
        complete(h, n.type);
        return;
    }
    /* an effect where a statement belongs is one with its own node around it */
    bool wrapped = token >= ELM_NODE_ASSIGN && token < ELM_NODE_KINDS &&
                   (need == NANO_STATEMENT || need == NANO_LIST);
    if (wrapped) {
        push(h, (struct elm_node){.kind = ELM_NODE_EVAL}, need, 1);
        h->pending = (uint8_t)(h->pending - minimum(h, NANO_EFFECT));
    }
    push(h, n, need, kids);
    struct nano_frame *f = &h->frames[h->depth - 1];
    h->need = kid_need(f);
    h->parent = f->kind;
    h->kid = 0;
}

static void close_block(struct nano_hole *h)
{
    struct nano_frame *f = &h->frames[h->depth - 1];
    h->nodes[f->node].size = (uint32_t)(h->node_count - f->node);
    h->depth--;
    complete(h, ELM_TYPE_NONE);
}

/* [kind, old kid 1, old kid 2, ...]: the same kids under another kind, which asks no more of them. */
static bool keeps_kids(const struct nano_hole *h)
{
    const struct elm_tree *t = h->spot->program->tree;
    uint32_t kids = t->nodes[h->spot->at].kids, kid = h->spot->at + 1;
    if (h->form != 0 || kids == 0 || h->count != 1 + kids)
        return h->form == NANO_BEFORE;
    for (uint32_t k = 0; k < kids; k++, kid += t->nodes[kid].size) {
        uint8_t need = nano_need(&h->nodes[0], k, &t->nodes[kid]);
        bool eases = need == NANO_NUMBER || need == h->spot->program->places[kid].need;
        if (h->tokens[1 + k] != NANO_COPY + 1 + k || !eases)
            return false;
    }
    return true;
}

void nano_hole_put(struct nano_hole *h, uint32_t token)
{
    ELM_ASSERT(h->count < NANO_HOLE_TOKENS && h->need != NANO_NOTHING);
    h->tokens[h->count] = (uint8_t)token;
    if (token == NANO_BEFORE || token == NANO_AFTER || token == NANO_DELETE) {
        h->count++;
        h->form = (uint8_t)token;
        h->need = token == NANO_DELETE ? NANO_NOTHING : NANO_STATEMENT;
        return;
    }
    if (h->need != NANO_LIST || token == NANO_END)
        h->pending = (uint8_t)(h->pending - (h->count == 0 ? 1 : minimum(h, h->need)));
    h->count++;
    if (token == NANO_END)
        close_block(h);
    else if (token >= NANO_LITERAL || token == NANO_MORE || token == NANO_LESS)
        put_leaf(h, token);
    else if (token >= NANO_SLOT && token < NANO_MATH)
        put_slot(h, &h->spot->symbols[token - NANO_SLOT]);
    else if (token >= NANO_COPY && token < NANO_DELETE)
        put_copy(h, token - NANO_COPY);
    else
        put_kind(h, token);
    if (h->need == NANO_NOTHING)
        h->keeps = keeps_kids(h);
}

uint32_t nano_hole_next(const struct nano_hole *h, uint32_t *not)
{
    const struct nano_program *p = h->spot->program;
    uint32_t at = h->spot->at, after = at + p->tree->nodes[at].size;
    *not = UINT32_MAX;
    /* two edits may not begin at one place of a block */
    if (h->form == NANO_AFTER && after < p->tree->count &&
        p->places[after].parent == p->places[at].parent)
        *not = after;
    if (h->form == NANO_BEFORE && h->spot->need == NANO_BLOCK && after > at + 1)
        *not = at + 1;
    return h->keeps ? at + 1 : after;
}
