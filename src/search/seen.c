/* seen: a set of 64-bit hashes, 11 to 23 bytes a program. */
#include "search/state.h"

#include <stdlib.h>

static uint64_t *slot_of(uint64_t *slots, uint64_t cap, uint64_t hash)
{
    uint64_t at = hash & (cap - 1);
    while (slots[at] != 0 && slots[at] != hash)
        at = (at + 1) & (cap - 1);
    return &slots[at];
}

static void grow(struct seen *s)
{
    uint64_t cap = s->cap == 0 ? 1024 : s->cap * 2;
    uint64_t *slots = elm_calloc(cap, sizeof(*slots));
    for (uint64_t i = 0; i < s->cap; i++) {
        if (s->slots[i] != 0)
            *slot_of(slots, cap, s->slots[i]) = s->slots[i];
    }
    free(s->slots);
    s->slots = slots;
    s->cap = cap;
}

bool seen_add(struct seen *s, uint64_t hash)
{
    ELM_ASSERT(hash != 0);
    if ((s->count + 1) * 10 > s->cap * 7)
        grow(s);
    uint64_t *slot = slot_of(s->slots, s->cap, hash);
    if (*slot == hash)
        return false;
    *slot = hash;
    s->count++;
    return true;
}

bool seen_has(const struct seen *s, uint64_t hash)
{
    return s->cap > 0 && *slot_of(s->slots, s->cap, hash) == hash;
}

void seen_release(struct seen *s)
{
    free(s->slots);
    *s = (struct seen){0};
}
