/* session: a thread's buffers and its pages of keys and values. */
#include "model/transformer.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ALIGNMENT 64
#define SLAB_BYTES ((size_t)8 << 20)

static void *buffer(size_t bytes)
{
    /* whole tiles are read at the end of a row, and padding must be 0 */
    size_t room = (bytes + 2 * ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    void *memory = aligned_alloc(ALIGNMENT, room);
    ELM_ASSERT(memory != NULL);
    memset(memory, 0, room);
    return memory;
}

struct elm_session *elm_session_new(const struct elm_model *m, uint32_t rows_max)
{
    const struct elm_model_config *c = &m->config;
    const size_t left = left_bytes(&m->kernel), right = right_bytes(&m->kernel);
    ELM_ASSERT(rows_max >= 1 && rows_max <= 256);
    struct elm_session *s = elm_calloc(1, sizeof(*s));
    s->model = m;
    s->rows_max = rows_max;
    s->lines_max = rows_max > LINES_LEAST ? rows_max : LINES_LEAST;
    s->group = c->heads / c->kv_heads;
    s->key_depth = round_up(c->head_width, DEPTH_UNIT);
    s->value_columns = round_up(c->head_width, PANEL);
    s->x_stride = m->layers[0].output.panels * PANEL;
    s->qkv_stride = m->layers[0].qkv.panels * PANEL;
    s->key_bytes = (size_t)s->key_depth * BLOCK * right;
    s->head_bytes = s->key_bytes + (size_t)s->value_columns * BLOCK * right;
    s->page_bytes = s->head_bytes * c->layers * c->kv_heads;
    const size_t lines = s->lines_max, heads = lines * c->heads;
    s->x = buffer(lines * s->x_stride * sizeof(float));
    s->left = buffer(lines * m->head.depth * left);
    s->qkv = buffer(lines * s->qkv_stride * sizeof(float));
    s->queries = buffer(heads * s->key_depth * left);
    s->attended = buffer(lines * m->layers[0].output.depth * left);
    s->gate_up = buffer(lines * GATE_PANELS * PANEL * sizeof(float));
    s->hidden = buffer(lines * m->layers[0].down.depth * left);
    s->mixed = buffer(heads * s->value_columns * sizeof(float));
    s->sums = buffer(heads * sizeof(float));
    s->rights = elm_calloc(c->context_max / BLOCK + 1, sizeof(*s->rights));
    s->logits = buffer((size_t)rows_max * m->head.panels * PANEL * sizeof(float));
    s->draw_sums = buffer((c->vocabulary / 256 + 1) * sizeof(float));
    return s;
}

void elm_session_free(struct elm_session *s)
{
    if (s == NULL)
        return;
    for (struct slab *slab = s->slabs, *next; slab != NULL; slab = next) {
        next = slab->next;
        free(slab);
    }
    free(s->x);
    free(s->left);
    free(s->qkv);
    free(s->queries);
    free(s->attended);
    free(s->gate_up);
    free(s->hidden);
    free(s->mixed);
    free(s->sums);
    free(s->scores);
    free(s->shares);
    free(s->units);
    free(s->rights);
    free(s->logits);
    free(s->draw_sums);
    elm_mask_memory_free(s->masks);
    free(s);
}

/* More free pages. In large pieces, for large pages of memory: rows' pages are read in turn, and the
 * processor would look up more small ones than it remembers. */
static void add_slab(struct elm_session *s)
{
    size_t page = (sizeof(struct page) + s->page_bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    size_t bytes = (sizeof(struct slab) + page + SLAB_BYTES - 1) / SLAB_BYTES * SLAB_BYTES;
    struct slab *slab = aligned_alloc(HUGE_PAGE, bytes);
    ELM_ASSERT(slab != NULL);
    madvise(slab, bytes, MADV_HUGEPAGE);
    slab->next = s->slabs;
    s->slabs = slab;
    for (size_t at = sizeof(*slab); at + page <= bytes; at += page) {
        struct page *p = (struct page *)(void *)((char *)slab + at);
        p->next_free = s->free_pages;
        s->free_pages = p;
    }
}

struct page *page_take(struct elm_session *s)
{
    if (s->free_pages == NULL)
        add_slab(s);
    struct page *p = s->free_pages;
    s->free_pages = p->next_free;
    /* positions that are not there yet are multiplied by 0, so they must be numbers */
    memset(p->data, 0, s->page_bytes);
    p->references = 1;
    return p;
}

struct page *page_copy(struct elm_session *s, const struct page *from)
{
    struct page *p = page_take(s);
    memcpy(p->data, from->data, s->page_bytes);
    return p;
}

void page_drop(struct elm_session *s, struct page *p)
{
    ELM_ASSERT(p->references > 0);
    if (--p->references > 0)
        return;
    p->next_free = s->free_pages;
    s->free_pages = p;
}
