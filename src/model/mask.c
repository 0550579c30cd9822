/* mask: the vocabulary as a trie, so that tokens that begin alike are read once. */
#include "elm/mask.h"

#include <stdlib.h>
#include <string.h>

#define TOKEN_BYTES_MAX 64
#define MEMORY_BYTES ((size_t)4 << 20)

struct trie_node {
    uint32_t child;            /* the first of them, which lie together in order of their bytes */
    uint32_t ids;              /* tokens that end here, in trie.ids */
    uint16_t child_count, id_count;
    uint8_t byte;
};

struct elm_vocabulary_trie {
    struct trie_node *nodes;   /* nodes[0] is the root */
    uint32_t count, cap;
    uint32_t *ids;             /* by bytes */
    uint32_t id_count;
    struct elm_str *tokens;    /* by id; empty for those that are never admitted */
    uint32_t token_count;
    char *text;
};

/* ---- making the trie ---- */

/* Bytes that the grammar may admit, in a span or in the code after it. */
static bool is_code(uint8_t byte)
{
    return byte == '\n' || (byte >= ' ' && byte < 127 && strchr("\"#$'@\\`", byte) == NULL);
}

static bool is_useful(struct elm_str token)
{
    for (size_t i = 0; i < token.len; i++) {
        if (!is_code((uint8_t)token.ptr[i]))
            return false;
    }
    return token.len > 0 && token.len <= TOKEN_BYTES_MAX;
}

static int by_bytes(const void *left, const void *right, void *tokens)
{
    uint32_t i = *(const uint32_t *)left, k = *(const uint32_t *)right;
    struct elm_str a = ((struct elm_str *)tokens)[i], b = ((struct elm_str *)tokens)[k];
    int order = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);
    if (order == 0)
        order = (a.len > b.len) - (a.len < b.len);
    return order != 0 ? order : (i > k) - (i < k);
}

static uint32_t add_nodes(struct elm_vocabulary_trie *v, uint32_t count)
{
    if (v->count + count > v->cap) {
        v->cap = (v->count + count) * 2;
        v->nodes = elm_realloc(v->nodes, v->cap * sizeof(*v->nodes));
    }
    memset(v->nodes + v->count, 0, count * sizeof(*v->nodes));
    v->count += count;
    return v->count - count;
}

/* The end of the run of ids from `from` on whose byte at `depth` is the same. */
static uint32_t run_end(const struct elm_vocabulary_trie *v, uint32_t from, uint32_t to,
                        size_t depth)
{
    char byte = v->tokens[v->ids[from]].ptr[depth];
    while (from < to && v->tokens[v->ids[from]].ptr[depth] == byte)
        from++;
    return from;
}

/* Fills `node`, whose tokens are ids [from, to) and begin with the same `depth` bytes. */
static void fill_node(struct elm_vocabulary_trie *v, uint32_t node, uint32_t from, uint32_t to,
                      size_t depth)
{
    uint32_t first = from, children = 0;
    while (from < to && v->tokens[v->ids[from]].len == depth)
        from++;
    for (uint32_t i = from; i < to; i = run_end(v, i, to, depth))
        children++;
    uint32_t child = add_nodes(v, children);
    v->nodes[node].ids = first;
    v->nodes[node].id_count = (uint16_t)(from - first);
    v->nodes[node].child = child;
    v->nodes[node].child_count = (uint16_t)children;
    for (uint32_t i = from; i < to; child++) {
        uint32_t end = run_end(v, i, to, depth);
        v->nodes[child].byte = (uint8_t)v->tokens[v->ids[i]].ptr[depth];
        fill_node(v, child, i, end, depth + 1);
        i = end;
    }
}

/* Tokens, and all that they point to, become the trie's own. */
static void take_tokens(struct elm_vocabulary_trie *v, const struct elm_str *tokens, uint32_t count)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < count; i++)
        bytes += is_useful(tokens[i]) ? tokens[i].len : 0;
    v->text = elm_malloc(bytes + 1);
    v->tokens = elm_calloc(count + 1u, sizeof(*v->tokens));
    v->ids = elm_malloc((count + 1u) * sizeof(*v->ids));
    v->token_count = count;
    bytes = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!is_useful(tokens[i]))
            continue;
        v->tokens[i] = (struct elm_str){v->text + bytes, tokens[i].len};
        memcpy(v->text + bytes, tokens[i].ptr, tokens[i].len);
        bytes += tokens[i].len;
        v->ids[v->id_count++] = i;
    }
}

struct elm_vocabulary_trie *elm_vocabulary_trie_of(const struct elm_str *tokens, uint32_t count)
{
    struct elm_vocabulary_trie *v = elm_calloc(1, sizeof(*v));
    take_tokens(v, tokens, count);
    qsort_r(v->ids, v->id_count, sizeof(*v->ids), by_bytes, v->tokens);
    fill_node(v, add_nodes(v, 1), 0, v->id_count, 0);
    return v;
}

struct elm_vocabulary_trie *elm_vocabulary_trie_new(const struct elm_tokenizer *t)
{
    uint32_t count = elm_tokenizer_count(t);
    struct elm_str *tokens = elm_malloc((count + 1u) * sizeof(*tokens));
    for (uint32_t i = 0; i < count; i++)
        tokens[i] = elm_tokenizer_bytes(t, i);
    struct elm_vocabulary_trie *v = elm_vocabulary_trie_of(tokens, count);
    free(tokens);
    return v;
}

void elm_vocabulary_trie_free(struct elm_vocabulary_trie *v)
{
    if (v == NULL)
        return;
    free(v->nodes);
    free(v->ids);
    free(v->tokens);
    free(v->text);
    free(v);
}

bool elm_mask_step(const struct elm_vocabulary_trie *v, const struct elm_grammar *g,
                   struct elm_grammar_state *s, uint32_t token)
{
    if (token >= v->token_count || v->tokens[token].len == 0)
        return false;
    struct elm_str bytes = v->tokens[token];
    for (size_t i = 0; i < bytes.len; i++) {
        if (!elm_grammar_step(g, s, (uint8_t)bytes.ptr[i]))
            return false;
    }
    return true;
}

/* ---- masks ---- */

size_t elm_mask_bytes(const struct elm_vocabulary_trie *v)
{
    return (v->token_count + 511u) / 512 * 64;
}

struct reading {
    const struct elm_vocabulary_trie *v;
    const struct elm_grammar *g;
    uint8_t *bits;
    uint32_t asked;            /* the most nodes that any byte read asked for */
    bool any;
};

static void read_on(struct reading *r, const struct trie_node *node,
                    const struct elm_grammar_state *s)
{
    struct elm_grammar_state next;
    const struct trie_node *child = r->v->nodes + node->child, *end = child + node->child_count;
    for (; child < end; child++) {
        next = *s;
        bool steps = elm_grammar_step(r->g, &next, child->byte);
        uint32_t asked = elm_grammar_asked(&next);
        r->asked = asked > r->asked ? asked : r->asked;
        if (!steps)
            continue;
        for (uint32_t i = 0; i < child->id_count; i++) {
            uint32_t id = r->v->ids[child->ids + i];
            r->bits[id / 8] |= (uint8_t)(1u << (id % 8));
            r->any = true;
        }
        if (child->child_count > 0)
            read_on(r, child, &next);
    }
}

static struct reading make(const struct elm_vocabulary_trie *v, const struct elm_grammar *g,
                           const struct elm_grammar_state *s, uint8_t *bits)
{
    struct reading r = {.v = v, .g = g, .bits = bits};
    memset(bits, 0, elm_mask_bytes(v));
    read_on(&r, v->nodes, s);
    return r;
}

bool elm_mask_make(const struct elm_vocabulary_trie *v, const struct elm_grammar *g,
                   const struct elm_grammar_state *s, uint8_t *bits)
{
    return make(v, g, s, bits).any;
}

/* ---- masks made before ---- */

struct memory_entry {
    struct elm_grammar_state key;
    uint64_t hash;             /* of grammar and key; 0: empty */
    uint32_t asked;            /* nodes, beyond those written */
    bool any;
};

struct elm_mask_memory {
    const struct elm_vocabulary_trie *v;
    struct memory_entry *entries;
    uint8_t *bits;             /* [entries][mask_bytes] */
    size_t mask_bytes;
    uint64_t place_mask;
};

struct elm_mask_memory *elm_mask_memory_new(const struct elm_vocabulary_trie *v)
{
    struct elm_mask_memory *m = elm_calloc(1, sizeof(*m));
    uint64_t count = 64;
    m->v = v;
    m->mask_bytes = elm_mask_bytes(v);
    while (2 * count * (sizeof(*m->entries) + m->mask_bytes) <= MEMORY_BYTES)
        count *= 2;
    m->place_mask = count - 1;
    m->entries = elm_calloc(count, sizeof(*m->entries));
    m->bits = elm_malloc(count * m->mask_bytes + 1);
    return m;
}

void elm_mask_memory_free(struct elm_mask_memory *m)
{
    if (m == NULL)
        return;
    free(m->entries);
    free(m->bits);
    free(m);
}

bool elm_mask_recall(struct elm_mask_memory *m, const struct elm_grammar *g, uint64_t grammar,
                     const struct elm_grammar_state *s, uint8_t *bits)
{
    struct elm_grammar_state key = *s;
    const uint32_t written = elm_grammar_forget(&key), room = elm_grammar_room(g);
    const uint64_t hash = elm_hash(&key, sizeof(key), grammar) | 1;
    const size_t place = hash >> 1 & m->place_mask;
    struct memory_entry *e = &m->entries[place];
    uint8_t *kept = m->bits + place * m->mask_bytes;
    if (e->hash == hash && written + e->asked <= room && memcmp(&e->key, &key, sizeof(key)) == 0) {
        memcpy(bits, kept, m->mask_bytes);
        return e->any;
    }
    struct reading r = make(m->v, g, s, bits);
    if (r.asked <= room) {
        *e = (struct memory_entry){key, hash, r.asked > written ? r.asked - written : 0, r.any};
        memcpy(kept, bits, m->mask_bytes);
    }
    return r.any;
}
