/* nano_program: walks a program once: where every node stands, what may be named and put there. */
#include "model/nano.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_MOST 150           /* deeper nodes are not edited: a child must stay within the checks */

const double nano_literals[NANO_LITERALS] = {
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, -1, -2, -3, 17, 18, 20, 24, 25, 28, 29,
    30, 31, 32, 36, 48, 50, 60, 63, 64, 99, 100, 127, 128, 255, 256, 365, 400, 500, 1000,
    /* doubles from here on */
    0, 1, 2, 3, 4, 0.5, 0.25, 0.1, 1.5, 2.5, 5, 6, 8, 10, 0.01, 100, 3.14159265358979, 0.75,
};
const uint8_t nano_literal_reals = 46;

static bool is_scalar(uint8_t type)
{
    return type == ELM_TYPE_INT || type == ELM_TYPE_DOUBLE;
}

static bool is_array(uint8_t type)
{
    return type == ELM_TYPE_INT_ARRAY || type == ELM_TYPE_DOUBLE_ARRAY;
}

uint32_t nano_literal_find(const struct elm_node *n)
{
    if (n->kind == ELM_NODE_REAL) {
        for (uint32_t k = nano_literal_reals; k < NANO_LITERALS; k++) {
            if (nano_literals[k] == n->d)
                return k;
        }
    } else if (n->kind == ELM_NODE_INT || (n->kind == ELM_NODE_NEG && n[1].kind == ELM_NODE_INT)) {
        int64_t v = n->kind == ELM_NODE_INT ? n->i : -n[1].i;
        for (uint32_t k = 0; k < nano_literal_reals; k++) {
            if ((int64_t)nano_literals[k] == v)
                return k;
        }
    }
    return NANO_LITERALS;
}

/* ---- what a node's place asks for ---- */

/* The same type as before, where others lean on it. */
static uint8_t exactly(uint8_t type)
{
    return type == ELM_TYPE_INT ? NANO_INT : type == ELM_TYPE_DOUBLE ? NANO_REAL : NANO_NOTHING;
}

static uint8_t number_of(uint8_t type)
{
    return is_scalar(type) ? NANO_NUMBER : NANO_NOTHING;
}

static uint8_t lvalue_of(uint8_t type)
{
    return type == ELM_TYPE_INT ? NANO_LVALUE_INT
                                : type == ELM_TYPE_DOUBLE ? NANO_LVALUE_REAL : NANO_NOTHING;
}

uint8_t nano_need(const struct elm_node *parent, uint32_t kid, const struct elm_node *n)
{
    bool expression = n->kind >= ELM_NODE_INT;
    switch (parent->kind) {
    case ELM_NODE_BLOCK:
        return n->kind == ELM_NODE_COMMENT || n->kind == ELM_NODE_TEXT ? NANO_NOTHING
                                                                       : NANO_STATEMENT;
    case ELM_NODE_EVAL: return NANO_EFFECT;
    case ELM_NODE_FOR:
        if (n->kind == ELM_NODE_BLOCK)
            return NANO_BLOCK;
        if (!expression)
            return NANO_NOTHING;
        return kid == 1 ? number_of(n->type) : NANO_EFFECT;
    case ELM_NODE_FUNCTION: case ELM_NODE_IF: case ELM_NODE_WHILE: case ELM_NODE_DO:
        if (n->kind == ELM_NODE_BLOCK)
            return NANO_BLOCK;
        return expression ? number_of(n->type) : NANO_NOTHING;
    case ELM_NODE_RETURN: case ELM_NODE_DECLARE: case ELM_NODE_INIT_LIST: case ELM_NODE_CALL:
    case ELM_NODE_NOT: case ELM_NODE_TO_INT: case ELM_NODE_TO_DOUBLE:
        return expression ? number_of(n->type) : NANO_NOTHING;
    case ELM_NODE_COND:
        return kid == 0 ? number_of(n->type) : exactly(n->type);
    default: break;
    }
    if (parent->kind >= ELM_NODE_ASSIGN && kid == 0)
        return lvalue_of(n->type);
    bool free = (parent->kind >= ELM_NODE_EQ && parent->kind <= ELM_NODE_LOGIC_OR) ||
                (parent->kind >= ELM_NODE_ASSIGN && parent->kind <= ELM_NODE_DIV_ASSIGN);
    if (parent->kind < ELM_NODE_INT)
        return NANO_NOTHING;
    return free ? number_of(n->type) : exactly(n->type);
}

/* ---- the walk ---- */

struct walk {
    struct nano_program *p;
    const uint8_t *editable;
    uint16_t function, newest;
};

static bool visible_again(const struct nano_program *p, uint32_t d, uint32_t from)
{
    for (uint32_t e = from; e != d; e = p->places[e].before) {
        if (p->tree->nodes[e].name == p->tree->nodes[d].name)
            return true;
    }
    return false;
}

uint32_t nano_scope(const struct nano_program *p, uint32_t at, struct elm_symbol *out,
                    uint32_t max)
{
    uint32_t count = 0, newest = p->places[at].scope;
    for (uint32_t d = newest; d != 0; d = p->places[d].before)
        count += !visible_again(p, d, newest);
    uint32_t k = count;
    for (uint32_t d = newest; d != 0; d = p->places[d].before) {
        if (visible_again(p, d, newest) || --k >= max)
            continue;
        const struct elm_node *n = &p->tree->nodes[d];
        out[k] = (struct elm_symbol){.name = n->name, .type = n->type,
                                     .is_param = n->kind == ELM_NODE_PARAM,
                                     .dims = {n->dims[0], n->dims[1]}, .declared_at = d};
    }
    return count < max ? count : max;
}

static uint8_t slot_of(const struct nano_program *p, uint32_t newest, uint32_t name)
{
    uint32_t rank = 0;
    bool found = false;
    for (uint32_t d = newest; d != 0; d = p->places[d].before) {
        if (visible_again(p, d, newest))
            continue;
        if (found)
            rank++;
        else
            found = p->tree->nodes[d].name == name;
    }
    return found && rank < NANO_SLOTS ? (uint8_t)rank : NANO_SLOTS;
}

static bool ends(const struct elm_node *n)
{
    return n->kind != ELM_NODE_COMMENT && n->kind != ELM_NODE_EMPTY;
}

/* The flags that a kid gets. */
static uint8_t inherit(const struct elm_node *n, uint8_t flags, uint32_t kid, uint32_t last)
{
    uint8_t tail = flags & NANO_TAIL, rest = flags & (uint8_t)~NANO_TAIL;
    switch (n->kind) {
    case ELM_NODE_FUNCTION:
        return n->type != ELM_TYPE_NONE ? rest | NANO_TAIL : rest;
    case ELM_NODE_BLOCK: return kid == last ? rest | tail : rest;
    case ELM_NODE_IF: return kid > 0 ? rest | tail : rest;
    case ELM_NODE_FOR: case ELM_NODE_WHILE: case ELM_NODE_DO:
        return (uint8_t)(rest | NANO_IN_LOOP | (tail ? NANO_FIXED : 0));
    default: return rest;
    }
}

static void note(struct nano_program *p, const struct elm_node *n)
{
    p->real |= n->type == ELM_TYPE_DOUBLE || n->type == ELM_TYPE_DOUBLE_ARRAY;
    p->math |= n->kind == ELM_NODE_CALL && n->name < ELM_MATH_FUNCTIONS;
    bool literal = n->kind == ELM_NODE_INT || n->kind == ELM_NODE_REAL;
    if (!literal || nano_literal_find(n) != NANO_LITERALS || p->own_count == NANO_OWN)
        return;
    for (uint32_t k = 0; k < p->own_count; k++) {
        if (p->own[k].kind == n->kind && p->own[k].i == n->i)
            return;
    }
    p->own[p->own_count++] = *n;
}

static uint8_t editing(const struct walk *w, uint32_t at, const struct nano_place *over,
                       uint32_t kid, uint8_t flags)
{
    const struct elm_node *n = &w->p->tree->nodes[at];
    bool may = w->editable == NULL || (w->editable[at / 8] >> (at % 8) & 1);
    if (!may || over->depth >= DEPTH_MOST || over->parent == UINT16_MAX)
        return NANO_NOTHING;
    uint8_t need = nano_need(&w->p->tree->nodes[w->p->places[at].parent], kid, n);
    /* a loop that stands for the function's return stays as it is, but for what it computes */
    uint8_t kind = w->p->tree->nodes[w->p->places[at].parent].kind;
    bool decides = kind == ELM_NODE_WHILE || (kind == ELM_NODE_FOR && kid == 1);
    if ((flags & NANO_FIXED) && (need == NANO_STATEMENT || need == NANO_BLOCK || decides))
        return NANO_NOTHING;
    return need;
}

static void walk(struct walk *w, uint32_t at, uint32_t parent, uint32_t kid, uint8_t flags)
{
    struct nano_program *p = w->p;
    const struct elm_node *n = &p->tree->nodes[at];
    struct nano_place *place = &p->places[at];
    const struct nano_place root = {.parent = UINT16_MAX};
    const struct nano_place *over = at == 0 ? &root : &p->places[parent];
    *place = (struct nano_place){.parent = (uint16_t)parent, .kid = (uint16_t)kid,
                                 .function = w->function, .scope = w->newest, .flags = flags,
                                 .depth = at == 0 ? 0 : (uint8_t)(over->depth + 1),
                                 .slot = NANO_SLOTS};
    note(p, n);
    if (at != 0)
        place->need = editing(w, at, over, kid, flags);
    if (n->kind == ELM_NODE_VAR || n->kind == ELM_NODE_INDEX)
        place->slot = slot_of(p, w->newest, n->name);
    uint16_t kept = w->newest;
    if (n->kind == ELM_NODE_FUNCTION) {
        w->function = place->function = (uint16_t)at;
        w->newest = 0;
    }
    uint32_t last = UINT32_MAX, at_kid = at + 1;
    for (uint32_t k = 0; n->kind == ELM_NODE_BLOCK && k < n->kids; k++) {
        last = ends(&p->tree->nodes[at_kid]) ? k : last;
        at_kid += p->tree->nodes[at_kid].size;
    }
    at_kid = at + 1;
    for (uint32_t k = 0; k < n->kids; k++) {
        walk(w, at_kid, at, k, inherit(n, flags, k, last));
        at_kid += p->tree->nodes[at_kid].size;
    }
    if (n->kind == ELM_NODE_PARAM || n->kind == ELM_NODE_DECLARE) {
        place->before = w->newest;
        w->newest = (uint16_t)at;
        place->slot = slot_of(p, (uint32_t)at, n->name);
    } else if (n->kind == ELM_NODE_BLOCK || n->kind == ELM_NODE_FOR ||
               n->kind == ELM_NODE_FUNCTION) {
        w->newest = kept;
    }
}

static void list_callable(struct nano_program *p)
{
    uint32_t at = 1;
    for (uint16_t k = 0; k < p->tree->nodes[0].kids; k++, at += p->tree->nodes[at].size) {
        const struct elm_node *n = &p->tree->nodes[at];
        bool fits = n->kind == ELM_NODE_FUNCTION && is_scalar(n->type) && n->kids - 1 <= 6;
        for (uint16_t i = 1; fits && i < n->kids; i++)
            fits = is_scalar(n[i].type);
        if (fits && p->callable_count < NANO_CALLABLE)
            p->callable[p->callable_count++] = at;
    }
}

void nano_program_read(struct nano_program *p, const struct elm_tree *t,
                       const struct elm_names *names, const uint8_t *editable)
{
    ELM_ASSERT(t->count > 0 && t->count <= ELM_NODES_MAX);
    if (p->cap < t->count) {
        free(p->places);
        p->cap = t->count + t->count / 2;
        p->places = elm_malloc(p->cap * sizeof(p->places[0]));
    }
    *p = (struct nano_program){.tree = t, .names = names, .places = p->places, .cap = p->cap};
    struct walk w = {.p = p, .editable = editable};
    walk(&w, 0, UINT16_MAX, 0, 0);
    list_callable(p);
}

void nano_program_release(struct nano_program *p)
{
    free(p->places);
    *p = (struct nano_program){0};
}

/* ---- a spot ---- */

static bool jumps_out(const struct elm_node *n)
{
    for (const struct elm_node *k = n; k < n + n->size; k++) {
        if (k->kind == ELM_NODE_BREAK || k->kind == ELM_NODE_CONTINUE)
            return true;
        if (k->kind == ELM_NODE_FOR || k->kind == ELM_NODE_WHILE || k->kind == ELM_NODE_DO)
            k += k->size - 1;
    }
    return false;
}

static void add_copies(struct nano_spot *s)
{
    const struct elm_tree *t = s->program->tree;
    const struct elm_node *n = &t->nodes[s->at];
    uint32_t kid = s->at + 1;
    for (uint32_t k = 0; k < NANO_COPIES && k <= n->kids; k++) {
        uint32_t at = k == 0 ? s->at : kid;
        const struct elm_node *c = &t->nodes[at];
        s->copies[k] = (struct nano_copy){at, c->size, c->kind, c->type, jumps_out(c)};
        kid += k == 0 ? 0 : c->size;
        if ((k == 0 && n->kind == ELM_NODE_DECLARE) || (k > 0 && n->kind == ELM_NODE_FOR))
            continue;
        if (k > 0 && n->kind == ELM_NODE_BLOCK)
            break;
        uint32_t token = NANO_COPY + k;
        s->cost[token] = 1;
        if (s->copies[k].jumps)
            nano_mask_add(&s->jumps, token);
        if (c->kind == ELM_NODE_BLOCK)
            nano_mask_add(&s->allowed[NANO_BLOCK], token);
        if (c->kind < ELM_NODE_INT) {
            if (c->kind != ELM_NODE_DECLARE && c->kind != ELM_NODE_EMPTY &&
                c->kind != ELM_NODE_INIT_LIST)
                nano_mask_add(&s->allowed[NANO_STATEMENT], token);
            continue;
        }
        if (c->kind >= ELM_NODE_ASSIGN)
            nano_mask_add(&s->allowed[NANO_EFFECT], token);
        if (c->kind == ELM_NODE_VAR || c->kind == ELM_NODE_INDEX) {
            if (is_scalar(c->type))
                nano_mask_add(&s->allowed[NANO_LVALUE], token);
            if (is_scalar(c->type))
                nano_mask_add(&s->allowed[lvalue_of(c->type)], token);
        }
        if (is_scalar(c->type)) {
            nano_mask_add(&s->allowed[exactly(c->type)], token);
            nano_mask_add(&s->allowed[NANO_NUMBER], token);
        }
    }
}

static void allow_number(struct nano_spot *s, uint8_t type, uint32_t token)
{
    if (type == ELM_TYPE_DOUBLE && !s->program->real)
        return;
    nano_mask_add(&s->allowed[exactly(type)], token);
    nano_mask_add(&s->allowed[NANO_NUMBER], token);
}

/* The name that the declaration around the spot is about to bring in may not be used in it. */
static uint32_t declaring(const struct nano_spot *s)
{
    uint32_t at = s->at;
    while (at != 0 && s->program->tree->nodes[at].kind >= ELM_NODE_INT)
        at = s->program->places[at].parent;
    while (s->program->tree->nodes[at].kind == ELM_NODE_INIT_LIST)
        at = s->program->places[at].parent;
    const struct elm_node *n = &s->program->tree->nodes[at];
    return n->kind == ELM_NODE_DECLARE && at != s->at ? n->name : UINT32_MAX;
}

static void add_slots(struct nano_spot *s)
{
    uint32_t banned = declaring(s);
    s->symbol_count = nano_scope(s->program, s->at, s->symbols, NANO_SLOTS);
    for (uint32_t k = 0; k < s->symbol_count; k++) {
        const struct elm_symbol *y = &s->symbols[k];
        uint32_t token = NANO_SLOT + k;
        if (y->name == banned)
            continue;
        uint8_t element = y->type == ELM_TYPE_INT || y->type == ELM_TYPE_INT_ARRAY
                              ? ELM_TYPE_INT : ELM_TYPE_DOUBLE;
        s->cost[token] = is_array(y->type) ? (y->dims[1] > 0 ? 3 : 2) : 1;
        allow_number(s, element, token);
        nano_mask_add(&s->allowed[NANO_LVALUE], token);
        nano_mask_add(&s->allowed[lvalue_of(element)], token);
        uint8_t *least = &s->minimum[lvalue_of(element)];
        *least = *least == 0 || s->cost[token] < *least ? s->cost[token] : *least;
        least = &s->minimum[NANO_LVALUE];
        *least = *least == 0 || s->cost[token] < *least ? s->cost[token] : *least;
    }
}

static bool names_hide(const struct nano_spot *s, uint32_t name)
{
    for (uint32_t k = 0; k < s->symbol_count; k++) {
        if (s->symbols[k].name == name)
            return true;
    }
    return false;
}

static bool calls(const struct elm_tree *t, uint32_t name)
{
    for (uint32_t i = 0; i < t->count; i++) {
        if (t->nodes[i].kind == ELM_NODE_CALL && t->nodes[i].name == name)
            return true;
    }
    return false;
}

static void add_calls(struct nano_spot *s)
{
    for (uint32_t m = 0; s->program->math && m < ELM_MATH_FUNCTIONS; m++) {
        int arguments;
        enum elm_type type;
        if (!elm_math_name(m, &arguments, &type) || names_hide(s, m))
            continue;
        s->cost[NANO_MATH + m] = (uint8_t)(1 + arguments);
        allow_number(s, (uint8_t)type, NANO_MATH + m);
    }
    for (uint32_t k = 0; k < s->program->callable_count; k++) {
        uint32_t at = s->program->callable[k];
        const struct elm_node *f = &s->program->tree->nodes[at];
        /* functions defined above; their own only where the program does so already */
        bool own = at == s->program->places[s->at].function;
        if (at > s->at || names_hide(s, f->name) || f->name == declaring(s) ||
            (own && !calls(s->program->tree, f->name)))
            continue;
        s->cost[NANO_FUNCTION + k] = (uint8_t)f->kids;
        allow_number(s, f->type, NANO_FUNCTION + k);
    }
}

static void add_expressions(struct nano_spot *s)
{
    for (uint32_t k = ELM_NODE_NEG; k <= ELM_NODE_COND; k++) {
        const struct elm_kind_info *info = elm_kind_info(k);
        if ((k == ELM_NODE_TO_DOUBLE || k == ELM_NODE_TO_INT) && !s->program->real)
            continue;
        s->cost[k] = (uint8_t)(1 + info->kids_min);
        bool truth = (k >= ELM_NODE_EQ && k <= ELM_NODE_LOGIC_OR) || k == ELM_NODE_NOT;
        if (k != ELM_NODE_TO_DOUBLE)
            allow_number(s, ELM_TYPE_INT, k);
        if (!truth && !info->int_only && k != ELM_NODE_TO_INT)
            allow_number(s, ELM_TYPE_DOUBLE, k);
    }
    for (uint32_t k = 0; k < NANO_LITERALS; k++) {
        s->cost[NANO_LITERAL + k] = 1;
        allow_number(s, k < nano_literal_reals ? ELM_TYPE_INT : ELM_TYPE_DOUBLE,
                     NANO_LITERAL + k);
    }
    for (uint32_t k = 0; k < s->program->own_count; k++) {
        s->cost[NANO_OWN_LITERAL + k] = 1;
        allow_number(s, s->program->own[k].kind == ELM_NODE_INT ? ELM_TYPE_INT : ELM_TYPE_DOUBLE,
                     NANO_OWN_LITERAL + k);
    }
}

static void add_effects(struct nano_spot *s)
{
    uint8_t any = s->minimum[NANO_LVALUE], ints = s->minimum[NANO_LVALUE_INT];
    for (uint32_t k = ELM_NODE_ASSIGN; k < ELM_NODE_KINDS; k++) {
        bool int_only = elm_kind_info(k)->int_only;
        uint8_t lvalue = int_only ? ints : any;
        if (lvalue == 0)
            continue;
        s->cost[k] = (uint8_t)(k >= ELM_NODE_PRE_INC ? 1 + lvalue : 2 + lvalue);
        nano_mask_add(&s->allowed[NANO_EFFECT], k);
        nano_mask_add(&s->allowed[NANO_STATEMENT], k);
        uint8_t *least = &s->minimum[NANO_EFFECT];
        *least = *least == 0 || s->cost[k] < *least ? s->cost[k] : *least;
    }
}

static void add_statements(struct nano_spot *s)
{
    static const uint8_t kinds[][2] = {{ELM_NODE_IF, 4}, {ELM_NODE_WHILE, 4}, {NANO_IF_ELSE, 6},
                                       {ELM_NODE_RETURN, 1}, {ELM_NODE_BREAK, 1},
                                       {ELM_NODE_CONTINUE, 1}};
    for (uint32_t k = 0; k < ELM_COUNT(kinds); k++) {
        s->cost[kinds[k][0]] = kinds[k][1];
        nano_mask_add(&s->allowed[NANO_STATEMENT], kinds[k][0]);
    }
    s->cost[ELM_NODE_RETURN] = s->returns == ELM_TYPE_NONE ? 1 : 2;
    nano_mask_add(&s->jumps, ELM_NODE_BREAK);
    nano_mask_add(&s->jumps, ELM_NODE_CONTINUE);
    s->cost[ELM_NODE_BLOCK] = 2;
    nano_mask_add(&s->allowed[NANO_BLOCK], ELM_NODE_BLOCK);
    s->cost[NANO_END] = 1;
    s->allowed[NANO_LIST] = s->allowed[NANO_STATEMENT];
    nano_mask_add(&s->allowed[NANO_LIST], NANO_END);
}

static void clear(struct nano_mask *m, uint32_t token)
{
    m->w[token / 64] &= ~(1ull << (token % 64));
}

/* What may begin a replacement: not what is there already. */
static void set_root(struct nano_spot *s)
{
    const struct elm_node *n = &s->program->tree->nodes[s->at];
    s->root = s->allowed[s->need == NANO_BLOCK ? NANO_NOTHING : s->need];
    clear(&s->root, NANO_COPY);
    if (n->kind == ELM_NODE_VAR)
        clear(&s->root, NANO_SLOT + s->program->places[s->at].slot);
    uint32_t literal = nano_literal_find(n);
    if (literal < NANO_LITERALS)
        clear(&s->root, NANO_LITERAL + literal);
    for (uint32_t k = 0; k < s->program->own_count; k++) {
        if (s->program->own[k].kind == n->kind && s->program->own[k].i == n->i)
            clear(&s->root, NANO_OWN_LITERAL + k);
    }
    if (n->kind == ELM_NODE_INT && n->i < INT32_MAX) {
        nano_mask_add(&s->root, NANO_MORE);
        s->cost[NANO_MORE] = 1;
        if (n->i > 0) {
            nano_mask_add(&s->root, NANO_LESS);
            s->cost[NANO_LESS] = 1;
        }
    }
    if (s->need == NANO_BLOCK) {
        nano_mask_add(&s->root, NANO_BEFORE);
    } else if (s->need == NANO_STATEMENT) {
        bool stays = n->kind == ELM_NODE_DECLARE, tail = s->flags & NANO_TAIL;
        if (stays)
            s->root = (struct nano_mask){0};
        if (tail) {
            s->root = (struct nano_mask){0};
            nano_mask_add(&s->root, ELM_NODE_RETURN);
        }
        nano_mask_add(&s->root, NANO_BEFORE);
        if (!tail)
            nano_mask_add(&s->root, NANO_AFTER);
        if (!tail && !stays)
            nano_mask_add(&s->root, NANO_DELETE);
    }
    s->cost[NANO_DELETE] = 1;
    s->cost[NANO_BEFORE] = s->cost[NANO_AFTER] = 2;
}

void nano_spot_read(struct nano_spot *s, const struct nano_program *p, uint32_t at)
{
    memset(s, 0, sizeof(*s));
    s->program = p;
    s->at = at;
    s->need = p->places[at].need;
    s->flags = p->places[at].flags;
    s->returns = p->tree->nodes[p->places[at].function].type;
    s->minimum[NANO_INT] = s->minimum[NANO_REAL] = s->minimum[NANO_NUMBER] = 1;
    s->minimum[NANO_STATEMENT] = s->minimum[NANO_LIST] = 1;
    s->minimum[NANO_BLOCK] = 2;
    add_slots(s);
    add_expressions(s);
    add_calls(s);
    add_effects(s);
    add_copies(s);
    add_statements(s);
    set_root(s);
    for (uint32_t t = 0; t < NANO_TOKENS; t++) {
        for (uint32_t c = s->cost[t]; s->cost[t] > 0 && c < 8; c++)
            nano_mask_add(&s->fits[c], t);
    }
}
