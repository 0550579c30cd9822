/* memory: allocation that aborts instead of failing, and arenas. */
#include "elm/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *memory, size_t bytes)
{
    if (memory == NULL && bytes != 0) {
        fprintf(stderr, "elm: out of memory asking for %zu bytes\n", bytes);
        abort();
    }
    return memory;
}

void *elm_malloc(size_t bytes)
{
    return checked(malloc(bytes), bytes);
}

void *elm_calloc(size_t count, size_t bytes)
{
    return checked(calloc(count, bytes), count * bytes);
}

void *elm_realloc(void *old, size_t bytes)
{
    return checked(realloc(old, bytes), bytes);
}

char *elm_strndup(const char *bytes, size_t len)
{
    char *copy = elm_malloc(len + 1);
    if (len > 0)
        memcpy(copy, bytes, len);
    copy[len] = '\0';
    return copy;
}

char *elm_strdup(const char *terminated)
{
    return elm_strndup(terminated, strlen(terminated));
}

struct elm_arena_chunk {
    struct elm_arena_chunk *next;
    size_t bytes;
    _Alignas(16) char data[];
};

#define CHUNK_BYTES ((size_t)64 * 1024)

void *elm_arena_alloc(struct elm_arena *a, size_t bytes)
{
    bytes = (bytes + 15) & ~(size_t)15;
    if (a->head == NULL || a->head->bytes - a->used < bytes) {
        size_t room = bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES;
        struct elm_arena_chunk *chunk = elm_malloc(sizeof(*chunk) + room);
        chunk->next = a->head;
        chunk->bytes = room;
        a->head = chunk;
        a->used = 0;
    }
    void *memory = a->head->data + a->used;
    a->used += bytes;
    return memory;
}

void elm_arena_clear(struct elm_arena *a)
{
    struct elm_arena_chunk *keep = a->head;
    for (struct elm_arena_chunk *c = a->head; c != NULL; c = c->next) {
        if (c->bytes > keep->bytes)
            keep = c;
    }
    struct elm_arena_chunk *c = a->head;
    while (c != NULL) {
        struct elm_arena_chunk *next = c->next;
        if (c != keep)
            free(c);
        c = next;
    }
    if (keep != NULL)
        keep->next = NULL;
    a->head = keep;
    a->used = 0;
}

void elm_arena_release(struct elm_arena *a)
{
    elm_arena_clear(a);
    free(a->head);
    a->head = NULL;
}
