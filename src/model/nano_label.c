/*
 * nano_label: the smallest edit that turns a program into another one: top down, keeping what is the
 * same, or putting the new subtree with copies of old ones; statements of a block are aligned.
 */
#include "model/nano.h"

#include <stdlib.h>
#include <string.h>

#define FAR 300                  /* what can't be said; other parts still may */
#define FARTHEST 30000
#define BLOCK_KIDS_MAX 40

enum way { WAY_SAME, WAY_KIDS, WAY_PUT, WAY_RELABEL, WAY_ALIGN, WAY_NONE };
struct memo {
    int16_t cost;                /* -1: not computed */
    uint8_t way;
};
struct raw_hole {
    uint32_t at, to;             /* nodes of both programs */
    uint8_t form;                /* 0, DELETE, BEFORE, AFTER */
    bool relabel;
};
struct nano_differ {
    struct memo *memos;
    size_t cap;
    uint64_t *hashes[2];
    uint32_t hash_cap[2];
    const struct nano_program *from;
    const struct elm_tree *to;
    struct raw_hole raw[64];
    uint32_t raw_count;
    struct elm_arena arena;
};

struct nano_differ *nano_differ_new(void)
{
    return elm_calloc(1, sizeof(struct nano_differ));
}

void nano_differ_free(struct nano_differ *d)
{
    if (d == NULL)
        return;
    free(d->memos);
    free(d->hashes[0]);
    free(d->hashes[1]);
    elm_arena_release(&d->arena);
    free(d);
}

static bool is_named(uint8_t kind)
{
    return kind == ELM_NODE_VAR || kind == ELM_NODE_INDEX || kind == ELM_NODE_CALL ||
           (kind >= ELM_NODE_FUNCTION && kind <= ELM_NODE_TEXT) || kind == ELM_NODE_DECLARE;
}

static uint64_t header(const struct elm_node *n)
{
    uint64_t h = (uint64_t)n->kind << 32 | n->kids;
    if (n->kind == ELM_NODE_INT || n->kind == ELM_NODE_REAL)
        h = elm_hash_mix(h, (uint64_t)n->i);
    else if (is_named(n->kind))
        h = elm_hash_mix(h, n->name);
    if (n->kind == ELM_NODE_DECLARE || n->kind == ELM_NODE_PARAM || n->kind == ELM_NODE_FUNCTION)
        h = elm_hash_mix(h, (uint64_t)n->type << 32 | (uint64_t)n->dims[0] << 16 | n->dims[1]);
    return h;
}

static void hash_all(struct nano_differ *d, uint32_t side, const struct elm_tree *t)
{
    if (d->hash_cap[side] < t->count) {
        free(d->hashes[side]);
        d->hash_cap[side] = t->count * 2;
        d->hashes[side] = elm_malloc(d->hash_cap[side] * sizeof(uint64_t));
    }
    for (uint32_t i = t->count; i-- > 0;) {
        uint64_t h = header(&t->nodes[i]);
        uint32_t kid = i + 1;
        for (uint16_t k = 0; k < t->nodes[i].kids; k++, kid += t->nodes[kid].size)
            h = elm_hash_mix(h, d->hashes[side][kid]);
        d->hashes[side][i] = h;
    }
}

/* Tokens of new node t when it is put in the place of `at`; FAR when it can't be said. */
static int tokens(const struct nano_differ *d, uint32_t at, uint32_t t, bool root)
{
    const struct elm_node *old = &d->from->tree->nodes[at], *n = &d->to->nodes[t];
    if (!root && d->hashes[0][at] == d->hashes[1][t])
        return 1;
    uint32_t kid = at + 1;
    for (uint16_t k = 0; k < old->kids && k + 1 < NANO_COPIES && old->kind != ELM_NODE_FOR; k++) {
        if (d->hashes[0][kid] == d->hashes[1][t])
            return 1;
        kid += d->from->tree->nodes[kid].size;
    }
    if (nano_literal_find(n) != NANO_LITERALS)
        return 1;
    int sum = 1;
    switch (n->kind) {
    case ELM_NODE_INT: case ELM_NODE_REAL:
        for (uint32_t k = 0; k < d->from->own_count; k++) {
            if (d->from->own[k].kind == n->kind && d->from->own[k].i == n->i)
                return 1;
        }
        return root && n->kind == ELM_NODE_INT && old->kind == ELM_NODE_INT &&
                       (n->i == old->i + 1 || n->i == old->i - 1) ? 1 : FAR;
    case ELM_NODE_FOR: case ELM_NODE_DO: case ELM_NODE_DECLARE: case ELM_NODE_EMPTY:
    case ELM_NODE_COMMENT: case ELM_NODE_INIT_LIST:
        return FAR;
    case ELM_NODE_EVAL:
        if (n[1].kind < ELM_NODE_ASSIGN)
            return FAR;
        sum = 0;
        break;
    case ELM_NODE_BLOCK: sum = 2; break;
    default: break;
    }
    uint32_t below = t + 1;
    for (uint16_t k = 0; k < n->kids && sum <= NANO_HOLE_TOKENS; k++) {
        sum += tokens(d, at, below, false);
        below += d->to->nodes[below].size;
    }
    return sum <= NANO_HOLE_TOKENS ? sum : FAR;
}

static int distance(struct nano_differ *d, uint32_t at, uint32_t t);

static int insertion(const struct nano_differ *d, uint32_t at, uint32_t t)
{
    int sum = tokens(d, at, t, false);
    return sum < NANO_HOLE_TOKENS ? 2 + sum : FAR;
}

static int deletion(const struct nano_differ *d, uint32_t at)
{
    const struct nano_place *p = &d->from->places[at];
    uint8_t kind = d->from->tree->nodes[at].kind;
    bool may = p->need == NANO_STATEMENT && !(p->flags & NANO_TAIL) && kind != ELM_NODE_DECLARE;
    return may ? 2 : FAR;
}

struct alignment {
    uint32_t rows, columns;
    uint32_t old[BLOCK_KIDS_MAX + 1], new[BLOCK_KIDS_MAX + 1];
    int16_t cost[BLOCK_KIDS_MAX + 1][BLOCK_KIDS_MAX + 1];
};

static uint32_t list(const struct elm_tree *t, uint32_t at, uint32_t *kids)
{
    uint32_t kid = at + 1;
    for (uint16_t k = 0; k < t->nodes[at].kids; k++, kid += t->nodes[kid].size)
        kids[k] = kid;
    return t->nodes[at].kids;
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

static bool align(struct nano_differ *d, uint32_t at, uint32_t t, struct alignment *a)
{
    if (d->from->tree->nodes[at].kids > BLOCK_KIDS_MAX || d->to->nodes[t].kids > BLOCK_KIDS_MAX)
        return false;
    a->rows = list(d->from->tree, at, a->old);
    a->columns = list(d->to, t, a->new);
    for (uint32_t i = 0; i <= a->rows; i++) {
        for (uint32_t j = 0; j <= a->columns; j++) {
            int best = i == 0 && j == 0 ? 0 : FARTHEST;
            if (i > 0)
                best = least(best, a->cost[i - 1][j] + deletion(d, a->old[i - 1]));
            if (j > 0)
                best = least(best, a->cost[i][j - 1] + insertion(d, i > 0 ? a->old[i - 1] : at,
                                                                 a->new[j - 1]));
            if (i > 0 && j > 0)
                best = least(best, a->cost[i - 1][j - 1] +
                                       distance(d, a->old[i - 1], a->new[j - 1]));
            a->cost[i][j] = (int16_t)least(best, FARTHEST);
        }
    }
    return true;
}

static int kids_distance(struct nano_differ *d, uint32_t at, uint32_t t)
{
    const struct elm_node *old = &d->from->tree->nodes[at];
    uint32_t kid = at + 1, below = t + 1;
    int sum = 0;
    for (uint16_t k = 0; k < old->kids; k++) {
        sum = least(sum + distance(d, kid, below), FARTHEST);
        kid += d->from->tree->nodes[kid].size;
        below += d->to->nodes[below].size;
    }
    return sum;
}

static bool may_relabel(const struct elm_node *old, const struct elm_node *n)
{
    if (old->kids != n->kids || n->kids == 0 || n->kids >= NANO_COPIES)
        return false;
    if (old->kind >= ELM_NODE_INT)
        return n->kind >= ELM_NODE_INT;
    return (old->kind == ELM_NODE_IF || old->kind == ELM_NODE_WHILE) && n->kids == 2 &&
           (n->kind == ELM_NODE_IF || n->kind == ELM_NODE_WHILE);
}

static int distance(struct nano_differ *d, uint32_t at, uint32_t t)
{
    struct memo *m = &d->memos[(size_t)at * d->to->count + t];
    const struct elm_node *old = &d->from->tree->nodes[at], *n = &d->to->nodes[t];
    if (m->cost >= 0)
        return m->cost;
    int best = FAR, cost;
    enum way way = WAY_NONE;
    uint8_t need = d->from->places[at].need;
    bool spot = need != NANO_NOTHING && need != NANO_BLOCK;
    if (d->hashes[0][at] == d->hashes[1][t]) {
        best = 0;
        way = WAY_SAME;
    } else if (old->kind == ELM_NODE_BLOCK && n->kind == ELM_NODE_BLOCK) {
        struct alignment *a = elm_malloc(sizeof(*a));
        if (align(d, at, t, a)) {
            best = a->cost[a->rows][a->columns];
            way = WAY_ALIGN;
        }
        free(a);
    } else if (header(old) == header(n) && old->kids > 0) {
        best = kids_distance(d, at, t);
        way = WAY_KIDS;
    }
    if (spot && best > 0 && (cost = 1 + tokens(d, at, t, true)) < best) {
        best = cost;
        way = WAY_PUT;
    }
    if (spot && best > 0 && header(old) != header(n) && may_relabel(old, n) &&
        (cost = 2 + n->kids + kids_distance(d, at, t)) < best) {
        best = cost;
        way = WAY_RELABEL;
    }
    *m = (struct memo){(int16_t)best, (uint8_t)way};
    return m->cost;
}

/* ---- collecting ---- */

static void add(struct nano_differ *d, struct raw_hole h)
{
    if (d->raw_count < ELM_COUNT(d->raw))
        d->raw[d->raw_count++] = h;
}

static bool taken(const struct nano_differ *d, uint32_t at)
{
    for (uint32_t k = 0; k < d->raw_count; k++) {
        if (d->raw[k].at == at)
            return true;
    }
    return false;
}

static void collect(struct nano_differ *d, uint32_t at, uint32_t t);

/* A statement between two: before the one after, after the one before, or first in the block. */
static void collect_insertion(struct nano_differ *d, const struct alignment *a, uint32_t block,
                              uint32_t i, uint32_t t)
{
    const struct nano_place *places = d->from->places;
    uint32_t before = i > 0 ? a->old[i - 1] : 0, after = i < a->rows ? a->old[i] : 0;
    if (after != 0 && places[after].need == NANO_STATEMENT && !taken(d, after))
        add(d, (struct raw_hole){after, t, NANO_BEFORE, false});
    else if (before != 0 && places[before].need == NANO_STATEMENT &&
             !(places[before].flags & NANO_TAIL) && !taken(d, before))
        add(d, (struct raw_hole){before, t, NANO_AFTER, false});
    else if (i == 0 && places[block].need == NANO_BLOCK && !taken(d, block))
        add(d, (struct raw_hole){block, t, NANO_BEFORE, false});
    else
        d->raw_count = ELM_COUNT(d->raw);        /* can't be said */
}

static void collect_block(struct nano_differ *d, uint32_t at, uint32_t t)
{
    struct alignment *a = elm_malloc(sizeof(*a));
    struct { uint32_t i, t; } inserted[BLOCK_KIDS_MAX];
    uint32_t count = 0;
    align(d, at, t, a);
    for (uint32_t i = a->rows, j = a->columns; i > 0 || j > 0;) {
        int cost = a->cost[i][j];
        if (i > 0 && j > 0 &&
            cost == a->cost[i - 1][j - 1] + distance(d, a->old[i - 1], a->new[j - 1])) {
            collect(d, a->old[--i], a->new[--j]);
        } else if (i > 0 && cost == a->cost[i - 1][j] + deletion(d, a->old[i - 1])) {
            add(d, (struct raw_hole){a->old[--i], 0, NANO_DELETE, false});
        } else if (j > 0) {
            inserted[count].i = i;
            inserted[count++].t = a->new[--j];
        } else {
            break;
        }
    }
    while (count-- > 0)
        collect_insertion(d, a, at, inserted[count].i, inserted[count].t);
    free(a);
}

static void collect(struct nano_differ *d, uint32_t at, uint32_t t)
{
    distance(d, at, t);
    uint8_t way = d->memos[(size_t)at * d->to->count + t].way;
    if (way == WAY_SAME || way == WAY_NONE)
        return;
    if (way == WAY_ALIGN) {
        collect_block(d, at, t);
        return;
    }
    if (way == WAY_PUT || way == WAY_RELABEL)
        add(d, (struct raw_hole){at, t, 0, way == WAY_RELABEL});
    if (way == WAY_PUT)
        return;
    uint32_t kid = at + 1, below = t + 1;
    for (uint16_t k = 0; k < d->from->tree->nodes[at].kids; k++) {
        collect(d, kid, below);
        kid += d->from->tree->nodes[kid].size;
        below += d->to->nodes[below].size;
    }
}

/* ---- saying it ---- */

static bool say(struct nano_hole *h, uint32_t token)
{
    struct nano_mask mask;
    if (h->count == NANO_HOLE_TOKENS || nano_hole_done(h))
        return false;
    nano_hole_mask(h, &mask);
    if (token >= NANO_TOKENS || !nano_mask_has(&mask, token))
        return false;
    nano_hole_put(h, token);
    return true;
}

static uint32_t name_token(const struct nano_hole *h, const struct elm_node *n)
{
    const struct nano_spot *s = h->spot;
    if (n->kind != ELM_NODE_CALL) {
        for (uint32_t k = 0; k < s->symbol_count; k++) {
            if (s->symbols[k].name == n->name)
                return NANO_SLOT + k;
        }
        return NANO_TOKENS;
    }
    if (n->name < ELM_MATH_FUNCTIONS)
        return NANO_MATH + n->name;
    for (uint32_t k = 0; k < s->program->callable_count; k++) {
        if (s->program->tree->nodes[s->program->callable[k]].name == n->name)
            return NANO_FUNCTION + k;
    }
    return NANO_TOKENS;
}

static uint32_t token_of(const struct nano_hole *h, const struct elm_node *n)
{
    const struct elm_node *old = &h->spot->program->tree->nodes[h->spot->at];
    uint32_t literal = nano_literal_find(n);
    if (literal != NANO_LITERALS)
        return NANO_LITERAL + literal;
    if (n->kind == ELM_NODE_VAR || n->kind == ELM_NODE_INDEX || n->kind == ELM_NODE_CALL)
        return name_token(h, n);
    if (n->kind == ELM_NODE_INT || n->kind == ELM_NODE_REAL) {
        for (uint32_t k = 0; k < h->spot->program->own_count; k++) {
            if (h->spot->program->own[k].kind == n->kind && h->spot->program->own[k].i == n->i)
                return NANO_OWN_LITERAL + k;
        }
        if (h->count == 0 && old->kind == ELM_NODE_INT && n->i == old->i + 1)
            return NANO_MORE;
        return h->count == 0 && n->i == old->i - 1 ? NANO_LESS : NANO_TOKENS;
    }
    return n->kind == ELM_NODE_IF && n->kids == 3 ? NANO_IF_ELSE : n->kind;
}

/* relabel: the old kids stand for the new ones, whatever has changed in them. */
static bool say_node(struct nano_differ *d, struct nano_hole *h, uint32_t t, bool root,
                     bool relabel)
{
    const struct elm_node *n = &d->to->nodes[t];
    uint32_t at = h->spot->at, kid = at + 1;
    const struct elm_node *old = &d->from->tree->nodes[at];
    if (!root && d->hashes[0][at] == d->hashes[1][t])
        return say(h, NANO_COPY);
    for (uint32_t k = 0; k < old->kids && k + 1 < NANO_COPIES && !relabel; k++) {
        if (old->kind != ELM_NODE_FOR && d->hashes[0][kid] == d->hashes[1][t])
            return say(h, NANO_COPY + 1 + k);
        kid += d->from->tree->nodes[kid].size;
    }
    if (n->kind == ELM_NODE_EVAL)
        return say_node(d, h, t + 1, false, relabel);
    uint32_t token = token_of(h, n), below = t + 1;
    if (!say(h, token))
        return false;
    if (token >= NANO_LITERAL || token == NANO_MORE || token == NANO_LESS)
        return true;
    for (uint16_t k = 0; k < n->kids; k++) {
        if (relabel ? !say(h, NANO_COPY + 1u + k) : !say_node(d, h, below, false, false))
            return false;
        below += d->to->nodes[below].size;
    }
    return n->kind != ELM_NODE_BLOCK || say(h, NANO_END);
}

static bool fill(struct nano_differ *d, const struct raw_hole *raw, struct nano_spot *spot,
                 struct nano_hole *h)
{
    nano_spot_read(spot, d->from, raw->at);
    nano_hole_open(h, spot, NANO_HOLE_NODES);
    if (raw->form != 0 && !say(h, raw->form))
        return false;
    if (raw->form != NANO_DELETE && !say_node(d, h, raw->to, raw->form == 0, raw->relabel))
        return false;
    return nano_hole_done(h);
}

static void sort(struct nano_differ *d)
{
    for (uint32_t i = 1; i < d->raw_count; i++) {
        struct raw_hole h = d->raw[i];
        uint32_t k = i;
        for (; k > 0 && d->raw[k - 1].at > h.at; k--)
            d->raw[k] = d->raw[k - 1];
        d->raw[k] = h;
    }
}

/* Do the holes give the other program? */
static bool proves(struct nano_differ *d, const struct nano_label *out)
{
    struct elm_edit edits[NANO_HOLES_MAX];
    struct elm_tree child = {0};
    elm_arena_clear(&d->arena);
    uint32_t count = nano_edits(d->from, out->holes, out->count, &d->arena, edits);
    if (elm_tree_edit(d->from->tree, edits, count, &child, NULL) != ELM_OK)
        return false;
    bool same = elm_tree_check(&child, d->from->names, NULL) == ELM_OK &&
                elm_tree_hash(&child) == elm_tree_hash(d->to);
    elm_tree_release(&child);
    return same;
}

bool nano_differ_find(struct nano_differ *d, const struct nano_program *from,
                      const struct elm_tree *to, struct elm_rng *rng, struct nano_label *out)
{
    size_t pairs = (size_t)from->tree->count * to->count;
    out->count = d->raw_count = 0;
    if (pairs > (1u << 20))
        return false;
    if (d->cap < pairs) {
        free(d->memos);
        d->cap = pairs * 2;
        d->memos = elm_malloc(d->cap * sizeof(d->memos[0]));
    }
    memset(d->memos, 0xff, pairs * sizeof(d->memos[0]));
    d->from = from;
    d->to = to;
    hash_all(d, 0, from->tree);
    hash_all(d, 1, to);
    out->whole = distance(d, 0, 0) < FAR;
    collect(d, 0, 0);
    if (d->raw_count == 0 || d->raw_count == ELM_COUNT(d->raw))
        return false;
    sort(d);
    while (d->raw_count > NANO_HOLES_MAX) {
        uint32_t drop = elm_rng_below(rng, d->raw_count--);
        memmove(&d->raw[drop], &d->raw[drop + 1], (d->raw_count - drop) * sizeof(d->raw[0]));
        out->whole = false;
    }
    uint32_t next = 0, not = UINT32_MAX;
    for (uint32_t k = 0; k < d->raw_count; k++) {
        struct nano_hole *h = &out->holes[out->count];
        if (d->raw[k].at < next || d->raw[k].at == not ||
            !fill(d, &d->raw[k], &out->spots[out->count], h)) {
            out->whole = false;
            continue;
        }
        out->count++;
        next = nano_hole_next(h, &not);
    }
    if (out->count > 0 && out->whole && !proves(d, out))
        return false;
    return out->count > 0;
}
