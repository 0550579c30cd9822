/* pool: subtrees of admitted programs, one ring per class; what is in a ring already is not added
 * again, so that frequent small subtrees don't crowd out the rest. Hashes are of names by number:
 * they find what is equal and decide nothing else, for another process numbers names its own way. */
#include "elm/operator.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RING_ENTRIES 1024        /* a power of two */
#define CHAINS 4096
#define NODE_MAX ELM_POOL_SUBTREE_NODES

enum { RING_STATEMENT, RING_INT, RING_DOUBLE, RINGS };

struct entry {
    uint64_t hash;
    struct elm_node nodes[NODE_MAX];
};

struct ring {
    struct entry *entries;           /* [RING_ENTRIES], allocated by the first add */
    uint8_t sizes[RING_ENTRIES];
    uint32_t count, next;
    uint16_t chains[CHAINS];         /* by hash: 1 + the first entry of those that share it */
    uint16_t after[RING_ENTRIES];    /* 1 + the next one of the chain */
};

struct elm_pool {
    struct ring rings[RINGS];
};

struct elm_pool *elm_pool_new(void)
{
    return elm_calloc(1, sizeof(struct elm_pool));
}

void elm_pool_free(struct elm_pool *p)
{
    if (p == NULL)
        return;
    for (int i = 0; i < RINGS; i++)
        free(p->rings[i].entries);
    free(p);
}

/* Exact, over everything that tells two subtrees apart. */
static uint64_t subtree_hash(const struct elm_node *nodes, uint32_t count)
{
    uint64_t hash = count;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t head = (uint64_t)nodes[i].kind | (uint64_t)nodes[i].type << 8 |
                        (uint64_t)nodes[i].kids << 16;
        hash = elm_hash_mix(hash, elm_hash_mix(head, (uint64_t)nodes[i].i));
    }
    return hash;
}

static bool is_array(uint8_t type)
{
    return type == ELM_TYPE_INT_ARRAY || type == ELM_TYPE_DOUBLE_ARRAY;
}

/* The ring a subtree belongs to, -1 when it is no material. */
static int ring_of(const struct elm_node *n)
{
    switch (elm_kind_info(n->kind)->cls) {
    case ELM_CLASS_STATEMENT:
        /* an empty part of a for, the insides of an array declaration, a lone jump */
        return n->size > 1 && n->kind != ELM_NODE_INIT_LIST ? RING_STATEMENT : -1;
    case ELM_CLASS_EXPRESSION:
    case ELM_CLASS_LVALUE:
        if (n->type == ELM_TYPE_INT)
            return RING_INT;
        return n->type == ELM_TYPE_DOUBLE ? RING_DOUBLE : -1;
    default:
        return -1;
    }
}

/* Does a statement use a name before its own declaration of it? Renaming can't keep that apart. */
static bool declares_late(const struct elm_node *nodes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (nodes[i].kind != ELM_NODE_DECLARE)
            continue;
        for (uint32_t j = 0; j < i; j++) {
            bool use = nodes[j].kind == ELM_NODE_VAR || nodes[j].kind == ELM_NODE_INDEX;
            if (use && nodes[j].name == nodes[i].name)
                return true;
        }
    }
    return false;
}

/* Unused bytes of the union are zeroed, so that equal subtrees hash equally. */
static struct elm_node clean(const struct elm_node *n)
{
    struct elm_node out = {.kind = n->kind, .type = n->type, .kids = n->kids, .size = n->size};
    switch (n->kind) {
    case ELM_NODE_INT: out.i = n->i; break;
    case ELM_NODE_REAL: out.d = n->d; break;
    case ELM_NODE_DECLARE:
        out.name = n->name;
        out.dims[0] = n->dims[0];
        out.dims[1] = n->dims[1];
        break;
    case ELM_NODE_VAR: case ELM_NODE_INDEX: case ELM_NODE_CALL: case ELM_NODE_COMMENT:
        out.name = n->name;
        break;
    default: break;
    }
    return out;
}

static void unchain(struct ring *r, uint32_t at)
{
    uint16_t *link = &r->chains[r->entries[at].hash % CHAINS];
    while (*link != at + 1)
        link = &r->after[*link - 1];
    *link = r->after[at];
}

static void ring_put(struct ring *r, const struct elm_node *nodes, uint32_t count)
{
    uint64_t hash = subtree_hash(nodes, count);
    uint16_t *chain = &r->chains[hash % CHAINS];
    for (uint32_t at = *chain; at != 0; at = r->after[at - 1]) {
        if (r->entries[at - 1].hash == hash)
            return;
    }
    if (r->entries == NULL)
        r->entries = elm_malloc(RING_ENTRIES * sizeof(r->entries[0]));
    if (r->count == RING_ENTRIES)
        unchain(r, r->next);
    struct entry *e = &r->entries[r->next];
    e->hash = hash;
    memcpy(e->nodes, nodes, count * sizeof(nodes[0]));
    r->sizes[r->next] = (uint8_t)count;
    r->after[r->next] = *chain;
    *chain = (uint16_t)(r->next + 1);
    r->next = (r->next + 1) % RING_ENTRIES;
    r->count += r->count < RING_ENTRIES;
}

void elm_pool_add(struct elm_pool *p, const struct elm_tree *t)
{
    struct elm_node copy[NODE_MAX];
    for (uint32_t i = 1; i < t->count; i++) {
        const struct elm_node *n = &t->nodes[i];
        if (n->size > NODE_MAX)
            continue;
        int ring = ring_of(n);
        if (ring < 0)
            continue;
        for (uint32_t k = 0; k < n->size; k++)
            copy[k] = clean(&n[k]);
        if (ring != RING_STATEMENT || !declares_late(copy, n->size))
            ring_put(&p->rings[ring], copy, n->size);
    }
}

const struct elm_node *elm_pool_draw(const struct elm_pool *p, struct elm_rng *rng,
                                     enum elm_type type, uint32_t size_max)
{
    ELM_ASSERT(!is_array((uint8_t)type));
    const struct ring *r = &p->rings[type == ELM_TYPE_NONE  ? RING_STATEMENT
                                     : type == ELM_TYPE_INT ? RING_INT
                                                            : RING_DOUBLE];
    /* by age, not by place: a loaded pool draws as the saved one */
    uint32_t oldest = r->count < RING_ENTRIES ? 0 : r->next;
    uint32_t fitting = 0;
    for (uint32_t i = 0; i < r->count; i++)
        fitting += r->sizes[i] <= size_max;
    if (fitting == 0)
        return NULL;
    uint32_t chosen = elm_rng_below(rng, fitting);
    for (uint32_t i = 0;; i++) {
        uint32_t at = (oldest + i) % RING_ENTRIES;
        if (r->sizes[at] <= size_max && chosen-- == 0)
            return r->entries[at].nodes;
    }
}

/* ---- saving ---- */

static void save_node(const struct elm_node *n, struct elm_buf *out)
{
    elm_buf_byte(out, n->kind);
    elm_buf_byte(out, n->type);
    elm_buf_varint(out, n->kids);
    elm_buf_varint(out, (uint64_t)n->i);
}

void elm_pool_save(const struct elm_pool *p, struct elm_buf *out)
{
    for (int ring = 0; ring < RINGS; ring++) {
        const struct ring *r = &p->rings[ring];
        uint32_t oldest = r->count < RING_ENTRIES ? 0 : r->next;
        elm_buf_varint(out, r->count);
        for (uint32_t i = 0; i < r->count; i++) {
            uint32_t at = (oldest + i) % RING_ENTRIES;
            elm_buf_byte(out, r->sizes[at]);
            for (uint32_t k = 0; k < r->sizes[at]; k++)
                save_node(&r->entries[at].nodes[k], out);
        }
    }
}

/* Is what the node says beside its kind something that a program can say? */
static bool value_ok(const struct elm_node *n, const struct elm_names *names)
{
    switch (n->kind) {
    case ELM_NODE_INT:
        return n->i >= 0 && n->i <= INT32_MAX;
    case ELM_NODE_REAL:
        return isfinite(n->d) && !signbit(n->d);
    case ELM_NODE_COMMENT: case ELM_NODE_DECLARE: case ELM_NODE_VAR: case ELM_NODE_INDEX:
    case ELM_NODE_CALL:
        return n->name < elm_names_count(names) && elm_names_text(names, n->name).len > 0 &&
               (elm_names_text(names, n->name).ptr[0] == '/') == (n->kind == ELM_NODE_COMMENT);
    default:
        return true;
    }
}

/* Reads one node; its kids follow. Sizes are set by close_sizes. */
static bool load_node(struct elm_reader *r, const struct elm_names *names, struct elm_node *n)
{
    *n = (struct elm_node){.kind = elm_read_byte(r), .type = elm_read_byte(r), .size = 1};
    uint64_t kids = elm_read_varint(r);
    n->i = (int64_t)elm_read_varint(r);
    if (r->bad || n->kind == ELM_NODE_NONE || n->kind >= ELM_NODE_KINDS || kids > NODE_MAX ||
        n->type > ELM_TYPE_DOUBLE_ARRAY)
        return false;
    n->kids = (uint16_t)kids;
    const struct elm_kind_info *info = elm_kind_info(n->kind);
    if (info->cls == ELM_CLASS_TOP && n->kind != ELM_NODE_COMMENT)
        return false;
    return value_ok(n, names) && n->kids >= (info->kids_min < 0 ? 0 : info->kids_min) &&
           (info->kids_max < 0 || n->kids <= info->kids_max);
}

/* Sizes from arities, from the last node to the first; false unless it is exactly one subtree. */
static bool close_sizes(struct elm_node *nodes, uint32_t count)
{
    for (uint32_t i = count; i-- > 0;) {
        uint32_t kid = i + 1;
        for (uint32_t k = 0; k < nodes[i].kids; k++) {
            if (kid >= count)
                return false;
            kid += nodes[kid].size;
        }
        nodes[i].size = kid - i;
    }
    return nodes[0].size == count;
}

static bool load_ring(struct elm_reader *r, const struct elm_names *names, struct ring *ring,
                      int which)
{
    struct elm_node nodes[NODE_MAX];
    uint64_t count = elm_read_varint(r);
    if (count > RING_ENTRIES)
        return false;
    for (uint64_t i = 0; i < count; i++) {
        uint32_t size = elm_read_byte(r);
        if (r->bad || size == 0 || size > NODE_MAX)
            return false;
        for (uint32_t k = 0; k < size; k++) {
            if (!load_node(r, names, &nodes[k]))
                return false;
        }
        if (!close_sizes(nodes, size) || ring_of(nodes) != which)
            return false;
        ring_put(ring, nodes, size);
    }
    return !r->bad;
}

enum elm_status elm_pool_load(struct elm_pool *p, const struct elm_names *names,
                              struct elm_reader *r, struct elm_error *err)
{
    struct elm_pool *fresh = elm_pool_new();
    for (int ring = 0; ring < RINGS; ring++) {
        if (!load_ring(r, names, &fresh->rings[ring], ring)) {
            elm_pool_free(fresh);
            return elm_fail(err, ELM_CORRUPT, "the saved pool of subtrees is damaged");
        }
    }
    for (int ring = 0; ring < RINGS; ring++)
        free(p->rings[ring].entries);
    *p = *fresh;
    free(fresh);
    return ELM_OK;
}
