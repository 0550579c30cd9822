/* held: admitted programs by id, counted by reference, with the lines of their lineage. */
#include "search/state.h"

#include <stdlib.h>
#include <string.h>

static struct held **slot_of(const struct held_map *map, int64_t id)
{
    uint32_t mask = map->cap - 1;
    uint32_t at = (uint32_t)elm_hash_mix((uint64_t)id, 1) & mask;
    while (map->slots[at] != NULL && map->slots[at]->id != id)
        at = (at + 1) & mask;
    return &map->slots[at];
}

static void resize(struct held_map *map, uint32_t cap)
{
    struct held_map old = *map;
    map->slots = elm_calloc(cap, sizeof(*map->slots));
    map->cap = cap;
    for (uint32_t i = 0; i < old.cap; i++) {
        if (old.slots[i] != NULL)
            *slot_of(map, old.slots[i]->id) = old.slots[i];
    }
    free(old.slots);
}

static int compare_u64(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static bool has_value(uint8_t kind)
{
    return kind == ELM_NODE_INT || kind == ELM_NODE_REAL || kind == ELM_NODE_VAR ||
           kind == ELM_NODE_INDEX || kind == ELM_NODE_CALL || kind == ELM_NODE_DECLARE;
}

/* A line is a simple statement, or the head of a compound one. */
static bool line_hash(const struct elm_tree *t, uint32_t at, uint64_t *hash)
{
    const struct elm_node *n = &t->nodes[at];
    uint32_t size = n->size;
    switch (n->kind) {
    case ELM_NODE_DECLARE:
    case ELM_NODE_EVAL:
    case ELM_NODE_RETURN:
        break;
    case ELM_NODE_IF:
    case ELM_NODE_WHILE:
        size = 1 + t->nodes[at + 1].size;
        break;
    default:
        return false;
    }
    uint64_t h = n->kind;
    for (uint32_t i = at + (n->kind != ELM_NODE_DECLARE); i < at + size; i++) {
        const struct elm_node *k = &t->nodes[i];
        uint64_t value = has_value(k->kind) ? (uint64_t)k->i : 0;
        h = elm_hash_mix(h, ((uint64_t)k->kind << 32 | k->size) ^ value);
    }
    *hash = h;
    return true;
}

static uint32_t collect_lines(const struct elm_tree *t, uint64_t *lines, uint32_t max)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < t->count && count < max; i++) {
        if (line_hash(t, i, &lines[count]))
            count++;
    }
    qsort(lines, count, sizeof(*lines), compare_u64);
    return count;
}

struct held *held_new(struct held_map *map, int64_t id, struct elm_tree *tree,
                      struct elm_str text, const struct elm_names *names,
                      const struct elm_evaluation *e)
{
    struct held *h = elm_calloc(1, sizeof(*h));
    h->id = id;
    h->parent = -1;
    h->refs = 1;
    h->evaluation = *e;
    if (tree != NULL && tree->count > 0) {
        h->tree = *tree;
        *tree = (struct elm_tree){0};
        h->editable = elm_calloc(1, h->tree.count / 8 + 1);
        h->editable_count = elm_tree_editable(&h->tree, names, h->editable);
        h->lines = elm_malloc(h->tree.count * sizeof(*h->lines));
        h->line_count = collect_lines(&h->tree, h->lines, h->tree.count);
        h->lines = elm_realloc(h->lines, (h->line_count + 1) * sizeof(*h->lines));
    } else {
        elm_buf_add_str(&h->text, text);
    }
    if ((map->count + 1) * 2 > map->cap)
        resize(map, map->cap == 0 ? 64 : map->cap * 2);
    struct held **slot = slot_of(map, id);
    ELM_ASSERT(*slot == NULL);
    *slot = h;
    map->count++;
    return h;
}

struct held *held_find(const struct held_map *map, int64_t id)
{
    return map->cap == 0 ? NULL : *slot_of(map, id);
}

struct held *held_ref(struct held *h)
{
    if (h != NULL)
        h->refs++;
    return h;
}

static void free_one(struct held *h)
{
    elm_tree_release(&h->tree);
    elm_buf_release(&h->text);
    elm_buf_release(&h->wrong);
    elm_buf_release(&h->broken);
    free(h->editable);
    free(h->lines);
    free(h);
}

void held_unref(struct held_map *map, struct held *h)
{
    if (h == NULL || --h->refs > 0)
        return;
    /* backward-shift deletion keeps every probe sequence whole */
    uint32_t mask = map->cap - 1;
    uint32_t hole = (uint32_t)(slot_of(map, h->id) - map->slots);
    free_one(h);
    map->slots[hole] = NULL;
    map->count--;
    for (uint32_t at = (hole + 1) & mask; map->slots[at] != NULL; at = (at + 1) & mask) {
        struct held *moved = map->slots[at];
        map->slots[at] = NULL;
        *slot_of(map, moved->id) = moved;
    }
}

void held_release(struct held_map *map)
{
    for (uint32_t i = 0; i < map->cap; i++) {
        if (map->slots[i] != NULL)
            free_one(map->slots[i]);
    }
    free(map->slots);
    *map = (struct held_map){0};
}

static bool has_line(const uint64_t *lines, uint32_t count, uint64_t line)
{
    return bsearch(&line, lines, count, sizeof(line), compare_u64) != NULL;
}

void held_inherit(struct held *child, const struct held *parent)
{
    if (parent == NULL || child->tree.count == 0 || parent->tree.count == 0)
        return;
    for (uint32_t i = 0; i < parent->gone_count + parent->line_count; i++) {
        uint64_t line = i < parent->gone_count ? parent->gone[i]
                                               : parent->lines[i - parent->gone_count];
        if (has_line(child->lines, child->line_count, line))
            continue;
        if (child->gone_count == HELD_GONE_MAX) {
            memmove(child->gone, child->gone + 1, (HELD_GONE_MAX - 1) * sizeof(child->gone[0]));
            child->gone_count--;
        }
        child->gone[child->gone_count++] = line;
    }
}

bool held_reintroduces(const struct held *parent, const struct elm_tree *child)
{
    if (parent->gone_count == 0)
        return false;
    for (uint32_t i = 0; i < child->count; i++) {
        uint64_t line;
        if (!line_hash(child, i, &line))
            continue;
        for (uint32_t k = 0; k < parent->gone_count; k++) {
            if (parent->gone[k] == line)
                return true;
        }
    }
    return false;
}
