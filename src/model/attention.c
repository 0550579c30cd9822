/*
 * attention: every line over the keys and values of its row's earlier positions, by blocks. Blocks
 * that lines share are multiplied by all of them at once. A line's blocks are added up in the order
 * of their positions whoever shares them, so sharing changes no number.
 */
#include "model/transformer.h"

#include <math.h>
#include <stdlib.h>

#define LOG2_E 1.4426950408889634

static uint32_t block_count(const struct line *line)
{
    return line->position / BLOCK + 1;
}

static void add_unit(struct elm_session *s, struct unit u)
{
    if (s->unit_count == s->unit_room) {
        s->unit_room = s->unit_room == 0 ? 64 : 2 * s->unit_room;
        s->units = elm_realloc(s->units, s->unit_room * sizeof(*s->units));
    }
    s->units[s->unit_count++] = u;
}

static bool same_page(const struct line *a, const struct line *b, uint32_t block)
{
    return block_count(b) > block && b->pages[block] == a->pages[block];
}

/* Units of lines from .. to - 1, which are alike before `block`. */
static void plan(struct elm_session *s, const struct line *lines, uint32_t from, uint32_t to,
                 uint32_t block)
{
    while (from < to) {
        const struct line *first = &lines[from];
        if (block_count(first) <= block) {
            from++;
            continue;
        }
        uint32_t end = from + 1, last = block + 1;
        while (end < to && same_page(first, &lines[end], block))
            end++;
        for (bool all = true; all && block_count(first) > last; last += all) {
            for (uint32_t i = from + 1; all && i < end; i++)
                all = same_page(first, &lines[i], last);
        }
        add_unit(s, (struct unit){from, end - from, block, last - block});
        plan(s, lines, from, end, last);
        from = end;
    }
}

void attention_plan(struct elm_session *s, const struct line *lines, uint32_t count)
{
    uint32_t blocks = 0;
    s->unit_count = 0;
    plan(s, lines, 0, count, 0);
    for (uint32_t i = 0; i < count; i++)
        blocks = block_count(&lines[i]) > blocks ? block_count(&lines[i]) : blocks;
    size_t room = (size_t)count * s->model->config.heads * blocks * BLOCK;
    if (room <= s->score_room)
        return;
    free(s->scores);
    free(s->shares);
    s->score_room = room;
    s->scores = aligned_alloc(64, (room * sizeof(float) + 127) / 64 * 64);
    s->shares = aligned_alloc(64, (room * left_bytes(&s->model->kernel) + 127) / 64 * 64);
    ELM_ASSERT(s->scores != NULL && s->shares != NULL);
}

/* What attention of one layer works on. */
struct work {
    struct elm_session *s;
    const struct kernel *k;
    const struct line *lines;
    uint32_t count, rows;        /* lines, and lines * group */
    uint32_t positions;          /* of a row of scores */
    size_t layer;                /* of a page's data: where this layer begins */
};

/* Turns queries and keys by their position, and keeps keys and values. */
static void place(const struct work *w)
{
    const struct elm_session *s = w->s;
    const struct elm_model_config *c = &s->model->config;
    const uint32_t width = c->head_width;
    const size_t query_bytes = s->key_depth * left_bytes(w->k);
    for (uint32_t i = 0; i < w->count; i++) {
        float *q = s->qkv + (size_t)i * s->qkv_stride;
        float *key = q + c->heads * width, *value = key + c->kv_heads * width;
        uint32_t position = w->lines[i].position;
        w->k->turn(q, s->model->turns + (size_t)position * 2 * width, width,
                   c->heads + c->kv_heads);
        for (uint32_t h = 0; h < c->heads; h++) {
            size_t row = (size_t)(h / s->group) * w->rows + i * s->group + h % s->group;
            w->k->narrow(q + h * width, 1, width, (char *)s->queries + row * query_bytes);
        }
        char *data = w->lines[i].pages[position / BLOCK]->data + w->layer;
        for (uint32_t h = 0; h < c->kv_heads; h++, data += s->head_bytes)
            w->k->keep(&(struct keeping){
                .key = key + h * width, .value = value + h * width, .keys = data,
                .values = data + s->key_bytes, .width = width, .depth = s->key_depth,
                .slot = position % BLOCK,
            });
    }
}

static void gather(const struct work *w, const struct unit *u, uint32_t head, size_t offset)
{
    struct page *const *pages = w->lines[u->line].pages + u->block;
    for (uint32_t i = 0; i < u->blocks; i++)
        w->s->rights[i] = pages[i]->data + w->layer + head * w->s->head_bytes + offset;
}

static void score(const struct work *w, const struct unit *u, uint32_t head)
{
    struct elm_session *s = w->s;
    const size_t row = (size_t)head * w->rows + u->line * s->group;
    gather(w, u, head, 0);
    w->k->scores(&s->state, &(struct product){
        .left = (char *)s->queries + row * s->key_depth * left_bytes(w->k),
        .left_stride = s->key_depth, .rights = s->rights, .count = u->blocks,
        .out = s->scores + row * w->positions + u->block * BLOCK, .out_stride = w->positions,
        .rows = u->lines * s->group, .panels = BLOCK / PANEL, .depth = s->key_depth,
    });
}

static void mix(const struct work *w, const struct unit *u, uint32_t head)
{
    struct elm_session *s = w->s;
    const size_t row = (size_t)head * w->rows + u->line * s->group;
    gather(w, u, head, s->key_bytes);
    w->k->mix(&s->state, &(struct product){
        .left = (char *)s->shares + (row * w->positions + u->block * BLOCK) * left_bytes(w->k),
        .left_stride = w->positions, .rights = s->rights, .count = u->blocks,
        .out = s->mixed + row * s->value_columns, .out_stride = s->value_columns,
        .rows = u->lines * s->group, .panels = s->value_columns / PANEL, .depth = BLOCK,
        .add = u->block > 0,
    });
}

static void weigh(const struct work *w)
{
    struct elm_session *s = w->s;
    const struct elm_model_config *c = &s->model->config;
    const float factor = (float)(LOG2_E / sqrt(c->head_width));
    for (uint32_t head = 0; head < c->kv_heads; head++) {
        for (uint32_t i = 0; i < w->rows; i++) {
            const struct line *line = &w->lines[i / s->group];
            size_t row = (size_t)head * w->rows + i;
            s->sums[row] = w->k->softmax(
                s->scores + row * w->positions, line->position + 1, block_count(line) * BLOCK,
                factor, (char *)s->shares + row * w->positions * left_bytes(w->k));
        }
    }
}

static void finish(const struct work *w)
{
    struct elm_session *s = w->s;
    const struct elm_model_config *c = &s->model->config;
    const size_t bytes = left_bytes(w->k);
    const size_t stride = s->model->layers[0].output.depth * bytes;
    for (uint32_t i = 0; i < w->count; i++) {
        for (uint32_t h = 0; h < c->heads; h++) {
            size_t row = (size_t)(h / s->group) * w->rows + i * s->group + h % s->group;
            w->k->narrow(s->mixed + row * s->value_columns, 1 / s->sums[row], c->head_width,
                         (char *)s->attended + i * stride + h * c->head_width * bytes);
        }
    }
}

void attention(struct elm_session *s, uint32_t layer, const struct line *lines, uint32_t count)
{
    const uint32_t heads = s->model->config.kv_heads;
    struct work w = {.s = s, .k = &s->model->kernel, .lines = lines, .count = count,
                     .rows = count * s->group, .layer = layer * heads * s->head_bytes};
    for (uint32_t i = 0; i < count; i++) {
        uint32_t positions = block_count(&lines[i]) * BLOCK;
        w.positions = positions > w.positions ? positions : w.positions;
    }
    place(&w);
    for (uint32_t i = 0; i < s->unit_count; i++) {
        for (uint32_t head = 0; head < heads; head++)
            score(&w, &s->units[i], head);
    }
    weigh(&w);
    for (uint32_t i = 0; i < s->unit_count; i++) {
        for (uint32_t head = 0; head < heads; head++)
            mix(&w, &s->units[i], head);
    }
    finish(&w);
}
