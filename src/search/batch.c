/* batch: the candidates of one step of the pipeline, and what they hold on to. */
#include "search/state.h"

#include <stdlib.h>
#include <string.h>

struct candidate *batch_add(struct batch *b)
{
    if (b->count == b->cap) {
        b->cap = b->cap == 0 ? 2 * ELM_SEARCH_BATCH : b->cap * 2;
        b->items = elm_realloc(b->items, b->cap * sizeof(b->items[0]));
    }
    struct candidate *c = &b->items[b->count++];
    memset(c, 0, sizeof(*c));
    c->attempt.batch = b->number;
    c->attempt.parents[0] = c->attempt.parents[1] = c->attempt.opponent = -1;
    return c;
}

void batch_free(struct held_map *map, struct batch *b)
{
    if (b == NULL)
        return;
    for (uint32_t i = 0; i < b->count; i++) {
        struct candidate *c = &b->items[i];
        elm_tree_release(&c->tree);
        held_unref(map, c->parent);
        held_unref(map, c->opponent);
        held_unref(map, c->again);
    }
    free(b->items);
    elm_buf_release(&b->edits);
    elm_buf_release(&b->texts);
    free(b);
}
