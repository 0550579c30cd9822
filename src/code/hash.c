/*
 * hash: of the normal form. Functions and locals are numbered in order of declaration, because what
 * number a name has differs between processes; blocks are flattened, comments and empty statements
 * dropped, commutative operands without side effects sorted, and every way of writing x = x + 1 is
 * one.
 */
#include "elm/code.h"

struct hasher {
    const struct elm_node *nodes;
    struct {
        uint32_t name, number;
    } symbols[ELM_NODES_MAX];
    uint32_t symbol_count;
    uint32_t declared;         /* in this function so far */
    bool pure;                 /* no side effect met since it was last set */
};

static uint64_t mix(uint64_t a, uint64_t b)
{
    return elm_hash_mix(a, b);
}

static uint64_t name_hash(const struct hasher *h, uint32_t name)
{
    for (uint32_t i = h->symbol_count; i-- > 0;) {
        if (h->symbols[i].name == name)
            return h->symbols[i].number;
    }
    /* only in trees that were not checked */
    return (uint64_t)name << 20 | 0x80000;
}

/* Those of math.h have numbers of their own, the same everywhere. */
static uint64_t function_hash(const struct hasher *h, uint32_t name)
{
    const struct elm_node *kid = h->nodes + 1;
    uint64_t number = ELM_MATH_FUNCTIONS;
    for (uint16_t i = 0; name >= ELM_MATH_FUNCTIONS && i < h->nodes[0].kids; i++, kid += kid->size) {
        if (kid->kind != ELM_NODE_FUNCTION)
            continue;
        if (kid->name == name)
            return number;
        number++;
    }
    return name;
}

static void declare(struct hasher *h, uint32_t name)
{
    if (h->symbol_count < ELM_NODES_MAX) {
        h->symbols[h->symbol_count].name = name;
        h->symbols[h->symbol_count].number = h->declared;
        h->symbol_count++;
    }
    h->declared++;
}

static uint64_t expression(struct hasher *h, const struct elm_node *n);

static uint64_t pair(uint64_t kind, uint64_t a, uint64_t b)
{
    return mix(mix(kind, a), b);
}

static uint64_t kids(struct hasher *h, const struct elm_node *n, uint64_t hash)
{
    const struct elm_node *kid = n + 1;
    for (uint16_t i = 0; i < n->kids; i++, kid += kid->size)
        hash = mix(hash, expression(h, kid));
    return hash;
}

static uint64_t binary(struct hasher *h, const struct elm_node *n)
{
    bool before = h->pure;
    h->pure = true;
    uint64_t a = expression(h, n + 1), b = expression(h, n + 1 + n[1].size);
    bool pure = h->pure;
    h->pure = before && pure;
    uint64_t kind = n->kind;
    bool flip = false;
    if (pure && (kind == ELM_NODE_GT || kind == ELM_NODE_GE)) {
        kind = kind == ELM_NODE_GT ? ELM_NODE_LT : ELM_NODE_LE;
        flip = true;
    } else if (pure && elm_kind_info(n->kind)->commutative) {
        flip = a > b;
    }
    return flip ? pair(kind, b, a) : pair(kind, a, b);
}

static const uint64_t one_hash_seed = 0x0e1;

static uint64_t int_hash(int64_t value)
{
    return pair(ELM_NODE_INT, one_hash_seed, (uint64_t)value);
}

/* x += v as x = x + v, with the operands in the order that `binary` would choose. value NULL: 1. A
 * place with side effects is not the same written twice. */
static uint64_t compound(struct hasher *h, const struct elm_node *n, enum elm_kind op,
                         const struct elm_node *value)
{
    h->pure = true;
    uint64_t place = expression(h, n + 1);
    bool twice = h->pure;
    uint64_t v = value != NULL ? expression(h, value) : int_hash(1);
    bool flip = h->pure && elm_kind_info(op)->commutative && place > v;
    h->pure = false;
    if (!twice)
        return pair(ELM_NODE_ADD_ASSIGN + (op - ELM_NODE_ADD), place, v);
    return pair(ELM_NODE_ASSIGN, place, flip ? pair(op, v, place) : pair(op, place, v));
}

static uint64_t expression(struct hasher *h, const struct elm_node *n)
{
    switch (n->kind) {
    case ELM_NODE_INT:
        return int_hash(n->i);
    case ELM_NODE_REAL:
        return mix(ELM_NODE_REAL, (uint64_t)n->i);
    case ELM_NODE_VAR:
        return mix(ELM_NODE_VAR, name_hash(h, n->name));
    case ELM_NODE_INDEX:
        return kids(h, n, mix(ELM_NODE_INDEX, name_hash(h, n->name)));
    case ELM_NODE_CALL: {
        uint64_t hash = kids(h, n, pair(ELM_NODE_CALL, function_hash(h, n->name), n->kids));
        /* math functions have no side effects, those of the file may */
        h->pure = h->pure && n->name < ELM_MATH_FUNCTIONS;
        return hash;
    }
    case ELM_NODE_PRE_INC:
        return compound(h, n, ELM_NODE_ADD, NULL);
    case ELM_NODE_PRE_DEC:
        return compound(h, n, ELM_NODE_SUB, NULL);
    case ELM_NODE_POST_INC:
    case ELM_NODE_POST_DEC:
    case ELM_NODE_ASSIGN: {
        uint64_t hash = kids(h, n, n->kind);
        h->pure = false;
        return hash;
    }
    case ELM_NODE_INIT_LIST:
        return kids(h, n, ELM_NODE_INIT_LIST);
    default:
        if (n->kind >= ELM_NODE_ADD_ASSIGN && n->kind <= ELM_NODE_SHR_ASSIGN)
            return compound(h, n, n->kind - ELM_NODE_ADD_ASSIGN + ELM_NODE_ADD, n + 1 + n[1].size);
        if (n->kind >= ELM_NODE_ADD && n->kind <= ELM_NODE_LOGIC_OR)
            return binary(h, n);
        return kids(h, n, mix(n->kind, n->kids));
    }
}

static uint64_t statement(struct hasher *h, const struct elm_node *n, uint64_t hash);

/* Adds a block's statements to the sequence it stands in. */
static uint64_t flatten(struct hasher *h, const struct elm_node *n, uint64_t hash)
{
    uint32_t symbols = h->symbol_count;
    const struct elm_node *kid = n + 1;
    for (uint16_t i = 0; i < n->kids; i++, kid += kid->size)
        hash = statement(h, kid, hash);
    h->symbol_count = symbols;
    return hash;
}

static uint64_t body(struct hasher *h, const struct elm_node *n)
{
    return n->kind == ELM_NODE_BLOCK ? flatten(h, n, ELM_NODE_BLOCK)
                                     : statement(h, n, ELM_NODE_BLOCK);
}

static uint64_t declaration(struct hasher *h, const struct elm_node *n)
{
    uint64_t hash = pair(ELM_NODE_DECLARE, n->type,
                         (uint64_t)n->dims[0] << 16 | n->dims[1]);
    if (n->kids > 0)
        hash = mix(hash, expression(h, n + 1));
    declare(h, n->name);
    return hash;
}

static uint64_t compound_statement(struct hasher *h, const struct elm_node *n)
{
    uint32_t symbols = h->symbol_count;
    uint64_t hash = mix(n->kind, n->kids);
    const struct elm_node *kid = n + 1;
    for (uint16_t i = 0; i < n->kids; i++, kid += kid->size) {
        if (kid->kind == ELM_NODE_BLOCK || kid->kind == ELM_NODE_IF)
            hash = mix(hash, body(h, kid));
        else if (kid->kind == ELM_NODE_DECLARE)
            hash = mix(hash, declaration(h, kid));
        else if (n->kind == ELM_NODE_FOR && i == 2 && kid->kind == ELM_NODE_POST_INC)
            hash = mix(hash, compound(h, kid, ELM_NODE_ADD, NULL));
        else if (n->kind == ELM_NODE_FOR && i == 2 && kid->kind == ELM_NODE_POST_DEC)
            hash = mix(hash, compound(h, kid, ELM_NODE_SUB, NULL));
        else
            hash = mix(hash, expression(h, kid));
    }
    h->symbol_count = symbols;
    return hash;
}

static uint64_t statement(struct hasher *h, const struct elm_node *n, uint64_t hash)
{
    switch (n->kind) {
    case ELM_NODE_COMMENT:
    case ELM_NODE_TEXT:
    case ELM_NODE_EMPTY:
        return hash;
    case ELM_NODE_BLOCK:
        return flatten(h, n, hash);
    case ELM_NODE_DECLARE:
        return mix(hash, declaration(h, n));
    case ELM_NODE_EVAL:
        /* as a statement, x++ is x = x + 1 */
        if (n[1].kind == ELM_NODE_POST_INC)
            return mix(hash, compound(h, n + 1, ELM_NODE_ADD, NULL));
        if (n[1].kind == ELM_NODE_POST_DEC)
            return mix(hash, compound(h, n + 1, ELM_NODE_SUB, NULL));
        return mix(hash, expression(h, n + 1));
    case ELM_NODE_IF:
    case ELM_NODE_FOR:
    case ELM_NODE_WHILE:
    case ELM_NODE_DO:
        return mix(hash, compound_statement(h, n));
    default:
        return mix(hash, kids(h, n, mix(n->kind, n->kids)));
    }
}

static uint64_t function(struct hasher *h, const struct elm_node *n)
{
    uint64_t hash = pair(ELM_NODE_FUNCTION, function_hash(h, n->name), n->type);
    h->symbol_count = h->declared = 0;
    const struct elm_node *kid = n + 1;
    for (uint16_t i = 0; i + 1 < n->kids; i++, kid += kid->size)
        hash = mix(hash, declaration(h, kid));
    return mix(hash, flatten(h, kid, 0));
}

uint64_t elm_tree_hash(const struct elm_tree *t)
{
    struct hasher h;
    h.nodes = t->nodes;
    h.symbol_count = h.declared = 0;
    h.pure = true;
    uint64_t hash = ELM_NODE_PROGRAM;
    const struct elm_node *kid = t->nodes + 1;
    for (uint16_t i = 0; i < t->nodes[0].kids; i++, kid += kid->size) {
        if (kid->kind == ELM_NODE_FUNCTION)
            hash = mix(hash, function(&h, kid));
    }
    return hash;
}

uint64_t elm_tree_text_hash(const struct elm_tree *t)
{
    uint64_t hash = t->count;
    for (uint32_t i = 0; i < t->count; i++) {
        const struct elm_node *n = &t->nodes[i];
        hash = mix(hash, (uint64_t)n->kind << 32 | n->size);
        bool declares = n->kind == ELM_NODE_PARAM || n->kind == ELM_NODE_DECLARE ||
                        n->kind == ELM_NODE_FUNCTION;
        if (n->kind == ELM_NODE_INT || n->kind == ELM_NODE_REAL)
            hash = mix(hash, (uint64_t)n->i);
        else if (declares)
            hash = mix(mix(hash, n->name), (uint64_t)n->type << 32 | (uint64_t)n->dims[0] << 16 |
                                               n->dims[1]);
        else if (n->kind == ELM_NODE_VAR || n->kind == ELM_NODE_INDEX ||
                 n->kind == ELM_NODE_CALL || n->kind == ELM_NODE_COMMENT ||
                 n->kind == ELM_NODE_TEXT)
            hash = mix(hash, n->name);
    }
    return hash;
}
