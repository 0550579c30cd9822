/* names: interned text with stable addresses, so that readers need no lock. */
#include "elm/code.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK 1024
#define CHUNKS_MAX 4096

struct elm_names {
    struct elm_str *chunks[CHUNKS_MAX];
    uint32_t count;
    uint32_t *slots;       /* open addressing, id + 1 */
    uint32_t cap;
    struct elm_arena arena;
};

static const char *const math_names[ELM_MATH_FUNCTIONS] = {
    "sqrt", "fabs", "floor", "ceil", "sin",  "cos",  "tan",  "atan", "atan2", "exp",
    "log",  "pow",  "fmin",  "fmax", "fmod", "tanh", "cbrt", "round", "abs",  "hypot",
};
static const char *const fresh_names[ELM_NAMES_FIXED - ELM_NAMES_FRESH] = {
    "t0", "t1", "t2",  "t3",  "t4",  "t5",  "t6",  "t7", "t8", "t9", "t10",
    "t11", "t12", "t13", "t14", "t15", "i",  "j",  "k",  "x",  "y",  "z",
};

struct elm_names *elm_names_new(void)
{
    struct elm_names *n = elm_calloc(1, sizeof(*n));
    for (uint32_t i = 0; i < ELM_MATH_FUNCTIONS; i++)
        elm_names_add(n, elm_str(math_names[i]));
    for (uint32_t i = 0; i < ELM_COUNT(fresh_names); i++)
        elm_names_add(n, elm_str(fresh_names[i]));
    ELM_ASSERT(n->count == ELM_NAMES_FIXED);
    return n;
}

void elm_names_free(struct elm_names *n)
{
    if (n == NULL)
        return;
    for (uint32_t i = 0; i < CHUNKS_MAX; i++)
        free(n->chunks[i]);
    free(n->slots);
    elm_arena_release(&n->arena);
    free(n);
}

static uint32_t *slot_of(const struct elm_names *n, struct elm_str text)
{
    uint32_t mask = n->cap - 1;
    uint32_t at = (uint32_t)elm_hash(text.ptr, text.len, 0) & mask;
    while (n->slots[at] != 0 && !elm_str_equal(elm_names_text(n, n->slots[at] - 1), text))
        at = (at + 1) & mask;
    return &n->slots[at];
}

static void grow(struct elm_names *n)
{
    free(n->slots);
    n->cap = n->cap == 0 ? 256 : n->cap * 2;
    n->slots = elm_calloc(n->cap, sizeof(*n->slots));
    for (uint32_t i = 0; i < n->count; i++)
        *slot_of(n, elm_names_text(n, i)) = i + 1;
}

uint32_t elm_names_add(struct elm_names *n, struct elm_str text)
{
    if (n->count * 2 >= n->cap)
        grow(n);
    uint32_t *slot = slot_of(n, text);
    if (*slot != 0)
        return *slot - 1;
    uint32_t chunk = n->count / CHUNK;
    ELM_ASSERT(chunk < CHUNKS_MAX);
    if (n->chunks[chunk] == NULL)
        n->chunks[chunk] = elm_calloc(CHUNK, sizeof(struct elm_str));
    char *copy = elm_arena_alloc(&n->arena, text.len + 1);
    if (text.len > 0)
        memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    n->chunks[chunk][n->count % CHUNK] = (struct elm_str){copy, text.len};
    *slot = ++n->count;
    return n->count - 1;
}

struct elm_str elm_names_text(const struct elm_names *n, uint32_t name)
{
    ELM_ASSERT(name < CHUNK * CHUNKS_MAX && n->chunks[name / CHUNK] != NULL);
    return n->chunks[name / CHUNK][name % CHUNK];
}

uint32_t elm_names_count(const struct elm_names *n)
{
    return n->count;
}

bool elm_math_name(uint32_t name, int *arguments, enum elm_type *type)
{
    if (name >= ELM_MATH_FUNCTIONS)
        return false;
    /* atan2 pow fmin fmax fmod hypot take two; abs is the only one over int */
    bool two = name == 8 || (name >= 11 && name <= 14) || name == 19;
    *arguments = two ? 2 : 1;
    *type = name == 18 ? ELM_TYPE_INT : ELM_TYPE_DOUBLE;
    return true;
}
