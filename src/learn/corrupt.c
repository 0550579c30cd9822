/*
 * corrupt: single mistakes, as people and mutations make them: a wrong operator, name or number, an
 * end missed by one, operands the wrong way round, a part lost, doubled, moved or made up.
 */
#include "learn/sketch.h"

#include <string.h>

#define SYMBOLS_MAX 24
#define DECOYS 16                /* names for them */

struct corruption {
    struct elm_rng *rng;
    struct sketch_tree *t;               /* changed in place */
    uint16_t up[SKETCH_NODES_MAX];       /* parent */
    uint16_t place[SKETCH_NODES_MAX];    /* kid number there */
    struct elm_symbol symbols[SYMBOLS_MAX];
    uint32_t symbol_count;
};

static uint32_t below(struct corruption *c, uint32_t n)
{
    return elm_rng_below(c->rng, n);
}

static bool chance(struct corruption *c, uint32_t percent)
{
    return elm_rng_below(c->rng, 100) < percent;
}

static struct elm_node *node(struct corruption *c, uint32_t at)
{
    return &c->t->nodes[at];
}

static void find_parents(struct corruption *c)
{
    c->up[0] = c->place[0] = 0;
    for (uint32_t i = 0; i < c->t->count; i++) {
        uint32_t kid = i + 1;
        for (uint16_t k = 0; k < node(c, i)->kids; k++, kid += node(c, kid)->size) {
            c->up[kid] = (uint16_t)i;
            c->place[kid] = k;
        }
    }
}

/* Puts `count` nodes in the place of `removed` at `at`, all inside the node `parent`. */
static bool splice(struct corruption *c, uint32_t parent, uint32_t at, uint32_t removed,
                   const struct elm_node *put, uint32_t count)
{
    struct sketch_tree *t = c->t;
    if (t->count + count - removed > SKETCH_NODES_MAX)
        return false;
    memmove(t->nodes + at + count, t->nodes + at + removed,
            (t->count - at - removed) * sizeof(t->nodes[0]));
    if (count > 0)
        memcpy(t->nodes + at, put, count * sizeof(put[0]));
    t->count += count - removed;
    for (uint32_t i = parent;; i = c->up[i]) {
        t->nodes[i].size += count - removed;
        if (i == 0)
            return true;
    }
}

static bool replace(struct corruption *c, uint32_t at, const struct elm_node *put, uint32_t count)
{
    return splice(c, c->up[at], at, node(c, at)->size, put, count);
}

/* ---- where ---- */

static bool is_assignment(uint8_t kind)
{
    return kind >= ELM_NODE_ASSIGN && kind <= ELM_NODE_SHR_ASSIGN;
}

static bool is_step(uint8_t kind)
{
    return kind >= ELM_NODE_PRE_INC && kind <= ELM_NODE_POST_DEC;
}

static bool is_lvalue(struct corruption *c, uint32_t i)
{
    uint8_t kind = node(c, c->up[i])->kind;
    return is_step(kind) || (is_assignment(kind) && c->place[i] == 0);
}

/* A number that somebody reads. */
static bool is_value(struct corruption *c, uint32_t i)
{
    const struct elm_node *n = node(c, i);
    return n->kind >= ELM_NODE_INT && n->kind <= ELM_NODE_COND &&
           (n->type == ELM_TYPE_INT || n->type == ELM_TYPE_DOUBLE) && !is_lvalue(c, i);
}

static bool is_compound(struct corruption *c, uint32_t i)
{
    return is_value(c, i) && node(c, i)->size > 1 && node(c, i)->kind != ELM_NODE_INDEX;
}

static bool is_statement(struct corruption *c, uint32_t i)
{
    uint8_t kind = node(c, i)->kind;
    return node(c, c->up[i])->kind == ELM_NODE_BLOCK && i > 0 && kind != ELM_NODE_RETURN;
}

static bool is_literal(struct corruption *c, uint32_t i)
{
    return node(c, i)->kind == ELM_NODE_INT || node(c, i)->kind == ELM_NODE_REAL;
}

static bool is_name(struct corruption *c, uint32_t i)
{
    return node(c, i)->kind == ELM_NODE_VAR || node(c, i)->kind == ELM_NODE_INDEX;
}

static bool is_operator(struct corruption *c, uint32_t i)
{
    uint8_t kind = node(c, i)->kind;
    return (kind >= ELM_NODE_NEG && kind <= ELM_NODE_LOGIC_OR) || kind == ELM_NODE_CALL ||
           (kind > ELM_NODE_ASSIGN && kind < ELM_NODE_KINDS);
}

static bool is_pair(struct corruption *c, uint32_t i)
{
    uint8_t kind = node(c, i)->kind;
    return (kind >= ELM_NODE_ADD && kind <= ELM_NODE_LOGIC_OR &&
            !elm_kind_info(kind)->commutative) || kind == ELM_NODE_COND;
}

static bool is_comparison(struct corruption *c, uint32_t i)
{
    uint8_t kind = node(c, i)->kind;
    return kind >= ELM_NODE_LT && kind <= ELM_NODE_GE;
}

static bool is_condition(struct corruption *c, uint32_t i)
{
    const struct elm_node *up = node(c, c->up[i]);
    return is_value(c, i) && c->place[i] == 0 &&
           (up->kind == ELM_NODE_IF || up->kind == ELM_NODE_COND || up->kind == ELM_NODE_WHILE);
}

/* First value and end of a counting loop. */
static bool is_bound(struct corruption *c, uint32_t i)
{
    uint32_t up = c->up[i], loop = c->up[up];
    if (node(c, loop)->kind != ELM_NODE_FOR || !is_value(c, i))
        return false;
    return c->place[up] == 0 || (c->place[up] == 1 && c->place[i] == 1);
}

/* A uniformly drawn node that fits; 0: none. */
static uint32_t pick(struct corruption *c, bool (*fits)(struct corruption *c, uint32_t i))
{
    uint16_t found[SKETCH_NODES_MAX];
    uint32_t count = 0;
    for (uint32_t i = 2; i < c->t->count; i++) {
        if (node(c, i)->kind != ELM_NODE_PARAM && fits(c, i))
            found[count++] = (uint16_t)i;
    }
    return count > 0 ? found[below(c, count)] : 0;
}

/* ---- what is put there ---- */

static void find_scope(struct corruption *c, uint32_t at)
{
    struct elm_tree view = {c->t->nodes, c->t->count};
    c->symbol_count = elm_tree_scope(&view, at, c->symbols, SYMBOLS_MAX);
}

/* Another name of the type; UINT32_MAX if there is none. */
static uint32_t draw_symbol(struct corruption *c, uint8_t type, uint32_t but)
{
    uint32_t fit[SYMBOLS_MAX], count = 0;
    for (uint32_t i = 0; i < c->symbol_count; i++) {
        if (c->symbols[i].type == type && c->symbols[i].name != but)
            fit[count++] = c->symbols[i].name;
    }
    return count > 0 ? fit[below(c, count)] : UINT32_MAX;
}

static uint32_t make_leaf(struct corruption *c, uint8_t type, struct elm_node *out)
{
    uint32_t name = chance(c, 30) ? UINT32_MAX : draw_symbol(c, type, UINT32_MAX);
    if (name == UINT32_MAX)
        return sketch_literal(below(c, SKETCH_LITERALS), type, out);
    out[0] = (struct elm_node){.kind = ELM_NODE_VAR, .type = type, .size = 1};
    out[0].name = name;
    return 1;
}

static uint8_t make_operator(struct corruption *c, uint8_t type)
{
    static const uint8_t kinds[] = {ELM_NODE_ADD, ELM_NODE_SUB, ELM_NODE_MUL, ELM_NODE_ADD,
                                    ELM_NODE_SUB, ELM_NODE_MOD, ELM_NODE_DIV, ELM_NODE_AND,
                                    ELM_NODE_XOR, ELM_NODE_SHR};
    return kinds[below(c, type == ELM_TYPE_INT ? ELM_COUNT(kinds) : 5)];
}

/* One to five nodes. */
static uint32_t make_small(struct corruption *c, uint8_t type, struct elm_node *out)
{
    if (chance(c, 40))
        return make_leaf(c, type, out);
    out[0] = (struct elm_node){.kind = make_operator(c, type), .type = type, .kids = 2};
    uint32_t n = 1 + make_leaf(c, type, out + 1);
    n += make_leaf(c, type, out + n);
    out[0].size = n;
    return n;
}

/* ---- mistakes; false: nothing done ---- */

static bool change_operator(struct corruption *c)
{
    uint32_t at = pick(c, is_operator), count;
    if (at == 0)
        return false;
    struct elm_node *n = node(c, at);
    if (n->kind == ELM_NODE_CALL) {
        /* fmin and fmax, floor and ceil and fabs */
        static const uint8_t two[] = {12, 13}, one[] = {1, 2, 3, 0};
        if (n->type != ELM_TYPE_DOUBLE)
            return false;
        n->name = n->kids == 2 ? two[below(c, 2)] : one[below(c, 4)];
        return true;
    }
    const uint8_t *kinds = elm_edit_alternatives(n, &count);
    if (count < 2)
        return false;
    uint8_t kind = kinds[below(c, count)];
    /* plus for minus is commoner than plus for shift */
    if (n->kind >= ELM_NODE_ADD && n->kind <= ELM_NODE_MUL && chance(c, 80))
        kind = (uint8_t)(ELM_NODE_ADD + below(c, 3));
    if (kind == n->kind)
        return false;
    n->kind = kind;
    return true;
}

static bool change_literal(struct corruption *c)
{
    uint32_t at = pick(c, is_literal), n;
    struct elm_node put[2];
    if (at == 0)
        return false;
    struct elm_node *old = node(c, at);
    uint32_t form = below(c, 8);
    bool real = old->kind == ELM_NODE_REAL;
    if (form < 6) {
        double v = real ? old->d : (double)old->i, by = chance(c, 75) ? 1 : 2;
        v = form < 3 ? v + by : v - by;
        n = real ? elm_edit_real(put, v) : elm_edit_int(put, (int64_t)v);
    } else if (form < 7) {
        n = real ? elm_edit_real(put, old->d * 2) : elm_edit_int(put, old->i * 2);
    } else {
        n = sketch_literal(below(c, SKETCH_LITERALS), real ? ELM_TYPE_DOUBLE : ELM_TYPE_INT, put);
    }
    return replace(c, at, put, n);
}

static bool change_name(struct corruption *c)
{
    uint32_t at = pick(c, is_name);
    if (at == 0)
        return false;
    find_scope(c, at);
    struct elm_node *n = node(c, at);
    uint8_t type = n->type;
    if (n->kind == ELM_NODE_INDEX)
        type = type == ELM_TYPE_INT ? ELM_TYPE_INT_ARRAY : ELM_TYPE_DOUBLE_ARRAY;
    uint32_t name = draw_symbol(c, type, n->name);
    if (name == UINT32_MAX)
        return false;
    n->name = name;
    return true;
}

static bool miss_by_one(struct corruption *c)
{
    uint32_t at = pick(c, chance(c, 60) ? is_comparison : is_bound);
    if (at == 0)
        return false;
    struct elm_node *n = node(c, at), put[1 + SKETCH_NODES_MAX];
    if (is_comparison(c, at)) {
        n->kind = n->kind == ELM_NODE_LT   ? ELM_NODE_LE
                  : n->kind == ELM_NODE_LE ? ELM_NODE_LT
                  : n->kind == ELM_NODE_GT ? ELM_NODE_GE
                                           : ELM_NODE_GT;
        return true;
    }
    if (n->kind == ELM_NODE_INT) {
        n->i += n->i == 0 || chance(c, 50) ? 1 : -1;
        return true;
    }
    uint32_t size = n->size;
    put[0] = (struct elm_node){.kind = chance(c, 70) ? ELM_NODE_SUB : ELM_NODE_ADD,
                               .type = ELM_TYPE_INT, .kids = 2, .size = size + 2};
    memcpy(put + 1, n, size * sizeof(*n));
    elm_edit_int(put + 1 + size, 1);
    return replace(c, at, put, size + 2);
}

static bool swap_operands(struct corruption *c)
{
    uint32_t at = pick(c, is_pair);
    if (at == 0)
        return false;
    uint32_t a = at + 1;
    if (node(c, at)->kind == ELM_NODE_COND)
        a += node(c, a)->size;
    uint32_t n = node(c, a)->size, m = node(c, a + n)->size;
    struct elm_node both[SKETCH_NODES_MAX];
    memcpy(both, node(c, a + n), m * sizeof(both[0]));
    memcpy(both + m, node(c, a), n * sizeof(both[0]));
    memcpy(node(c, a), both, (n + m) * sizeof(both[0]));
    return true;
}

static bool put_random(struct corruption *c)
{
    uint32_t at = pick(c, is_value);
    struct elm_node put[8];
    if (at == 0 || node(c, at)->size > 8)
        return false;
    find_scope(c, at);
    uint32_t n = make_small(c, node(c, at)->type, put);
    return replace(c, at, put, n);
}

static bool wrap(struct corruption *c)
{
    uint32_t at = pick(c, is_value);
    struct elm_node put[SKETCH_NODES_MAX + 8];
    if (at == 0)
        return false;
    find_scope(c, at);
    const struct elm_node *n = node(c, at);
    uint8_t type = n->type;
    put[0] = (struct elm_node){.kind = make_operator(c, type), .type = type, .kids = 2};
    memcpy(put + 1, n, n->size * sizeof(*n));
    uint32_t count = 1 + n->size;
    count += make_leaf(c, type, put + count);
    put[0].size = count;
    return replace(c, at, put, count);
}

static bool hoist(struct corruption *c)
{
    uint32_t at = pick(c, is_compound);
    if (at == 0)
        return false;
    uint32_t kid = at + 1;
    for (uint32_t k = below(c, node(c, at)->kids); k > 0; k--)
        kid += node(c, kid)->size;
    if (node(c, kid)->type != node(c, at)->type)
        return false;
    struct elm_node put[SKETCH_NODES_MAX];
    uint32_t n = node(c, kid)->size;
    memcpy(put, node(c, kid), n * sizeof(put[0]));
    return replace(c, at, put, n);
}

static bool delete_statement(struct corruption *c)
{
    uint32_t at = pick(c, is_statement);
    if (at == 0)
        return false;
    uint32_t block = c->up[at], kind = node(c, at)->kind;
    /* of an if or a loop sometimes only the body stays */
    if (chance(c, 30) && (kind == ELM_NODE_IF || kind == ELM_NODE_WHILE)) {
        uint32_t body = at + 1 + node(c, at + 1)->size;
        struct elm_node put[SKETCH_NODES_MAX];
        uint32_t n = node(c, body)->size - 1, kids = node(c, body)->kids;
        memcpy(put, node(c, body + 1), n * sizeof(put[0]));
        node(c, block)->kids = (uint16_t)(node(c, block)->kids + kids - 1);
        return replace(c, at, put, n);
    }
    node(c, block)->kids--;
    return splice(c, block, at, node(c, at)->size, NULL, 0);
}

/* Doubles a statement, or changes places with the next. */
static bool move_statement(struct corruption *c)
{
    uint32_t at = pick(c, is_statement);
    if (at == 0)
        return false;
    uint32_t n = node(c, at)->size, block = c->up[at];
    struct elm_node put[SKETCH_NODES_MAX];
    if (chance(c, 35) && node(c, at)->kind == ELM_NODE_EVAL) {
        memcpy(put, node(c, at), n * sizeof(put[0]));
        node(c, block)->kids++;
        return splice(c, block, at, 0, put, n);
    }
    if (c->place[at] + 1 >= node(c, block)->kids || node(c, at + n)->kind == ELM_NODE_RETURN)
        return false;
    uint32_t m = node(c, at + n)->size;
    memcpy(put, node(c, at + n), m * sizeof(put[0]));
    memcpy(put + m, node(c, at), n * sizeof(put[0]));
    memcpy(node(c, at), put, (n + m) * sizeof(put[0]));
    return true;
}

/* x += small; before a statement. */
static bool insert_statement(struct corruption *c)
{
    static const uint8_t kinds[] = {ELM_NODE_ASSIGN, ELM_NODE_ADD_ASSIGN, ELM_NODE_SUB_ASSIGN,
                                    ELM_NODE_MUL_ASSIGN};
    uint32_t at = pick(c, is_statement);
    if (at == 0)
        return false;
    find_scope(c, at);
    uint8_t type = chance(c, 50) ? ELM_TYPE_INT : ELM_TYPE_DOUBLE;
    uint32_t name = draw_symbol(c, type, UINT32_MAX);
    if (name == UINT32_MAX)
        return false;
    struct elm_node put[12];
    put[0] = (struct elm_node){.kind = ELM_NODE_EVAL, .kids = 1};
    put[1] = (struct elm_node){.kind = kinds[below(c, 4)], .type = type, .kids = 2};
    put[2] = (struct elm_node){.kind = ELM_NODE_VAR, .type = type, .size = 1};
    put[2].name = name;
    uint32_t n = 3 + make_small(c, type, put + 3);
    put[0].size = n;
    put[1].size = n - 1;
    node(c, c->up[at])->kids++;
    return splice(c, c->up[at], at, 0, put, n);
}

static bool negate(struct corruption *c)
{
    static const uint8_t others[] = {ELM_NODE_NE, ELM_NODE_EQ, ELM_NODE_GE, ELM_NODE_GT,
                                     ELM_NODE_LE, ELM_NODE_LT};     /* of EQ .. GE */
    uint32_t at = pick(c, is_condition);
    if (at == 0)
        return false;
    struct elm_node *n = node(c, at), put[1 + SKETCH_NODES_MAX];
    if (n->kind >= ELM_NODE_EQ && n->kind <= ELM_NODE_GE) {
        n->kind = others[n->kind - ELM_NODE_EQ];
        return true;
    }
    uint32_t size = n->size;
    put[0] = (struct elm_node){.kind = ELM_NODE_NOT, .type = ELM_TYPE_INT, .kids = 1,
                               .size = size + 1};
    memcpy(put + 1, n, size * sizeof(*n));
    return replace(c, at, put, size + 1);
}

/* Statements that go or move may leave a name without its declaration. */
static const struct {
    bool (*make)(struct corruption *c);
    enum sketch_mistake leaves;
    uint8_t weights[SKETCH_MOODS];
} mistakes[] = {
    {change_operator, SKETCH_SOUND, {20, 34, 15, 75}}, {change_literal, SKETCH_SOUND, {9, 18, 15, 10}},
    {change_name, SKETCH_SOUND, {12, 20, 70, 15}},     {miss_by_one, SKETCH_SOUND, {12, 24}},
    {swap_operands, SKETCH_SOUND, {6}},                {put_random, SKETCH_SOUND, {14}},
    {wrap, SKETCH_SOUND, {6}},                         {hoist, SKETCH_SOUND, {8}},
    {delete_statement, SKETCH_UNCHECKED, {6}},         {move_statement, SKETCH_UNCHECKED, {4}},
    {insert_statement, SKETCH_SOUND, {4}},             {negate, SKETCH_SOUND, {8, 10}},
};

enum sketch_mistake sketch_corrupt(struct elm_rng *rng, enum sketch_mood mood, const struct sketch_tree *t,
                                   struct sketch_tree *out)
{
    struct corruption c;
    c.rng = rng;
    c.t = out;
    out->count = t->count;
    memcpy(out->nodes, t->nodes, t->count * sizeof(t->nodes[0]));
    find_parents(&c);
    uint32_t sum = 0, drawn, k = 0;
    for (size_t i = 0; i < ELM_COUNT(mistakes); i++)
        sum += mistakes[i].weights[mood];
    drawn = below(&c, sum);
    for (; drawn >= mistakes[k].weights[mood]; k++)
        drawn -= mistakes[k].weights[mood];
    return mistakes[k].make(&c) ? mistakes[k].leaves : SKETCH_NOTHING;
}

void sketch_decoys(struct elm_rng *rng, struct sketch_tree *t)
{
    struct corruption c;
    struct elm_node put[2 * 4 + 8];
    uint32_t block = 2, wanted = 1 + elm_rng_below(rng, 4), made = 0, count = 0;
    uint32_t reals = 0, used = 0;
    c.rng = rng;
    c.t = t;
    find_parents(&c);
    while (t->nodes[block].kind == ELM_NODE_PARAM)
        reals += t->nodes[block++].type == ELM_TYPE_DOUBLE;
    for (uint32_t i = 0; i < t->count; i++) {
        if (t->nodes[i].kind == ELM_NODE_DECLARE && t->nodes[i].name < ELM_NAMES_FRESH + DECOYS)
            used |= 1u << (t->nodes[i].name - ELM_NAMES_FRESH);
    }
    uint8_t type = chance(&c, 85) == (reals > 0) ? ELM_TYPE_DOUBLE : ELM_TYPE_INT;
    bool zero = chance(&c, 60);
    for (uint32_t k = DECOYS; k-- > 0 && made < wanted;) {
        if (used >> k & 1)
            continue;
        struct elm_node *n = &put[count++];
        *n = (struct elm_node){.kind = ELM_NODE_DECLARE, .type = type, .kids = 1};
        n->name = ELM_NAMES_FRESH + k;
        uint32_t size = zero ? type == ELM_TYPE_DOUBLE ? elm_edit_real(put + count, 0)
                                                        : elm_edit_int(put + count, 0)
                             : sketch_literal(below(&c, SKETCH_LITERALS), type, put + count);
        n->size = 1 + size;
        count += size;
        made++;
    }
    if (splice(&c, block, block + 1, 0, put, count))
        t->nodes[block].kids = (uint16_t)(t->nodes[block].kids + made);
}
