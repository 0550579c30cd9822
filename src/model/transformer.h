/*
 * transformer: a model's weights as its kernels read them, and a session's memory.
 */
#ifndef MODEL_TRANSFORMER_H
#define MODEL_TRANSFORMER_H

#include "model/kernel.h"

#define CONTEXT_MOST 32768       /* a longer context is cut to it: angles are tabled */
#define HUGE_PAGE ((size_t)2 << 20)
#define LINES_LEAST 128          /* tokens computed at once */

struct layer {
    float *attention_norm, *feed_norm;        /* [width] */
    struct matrix qkv;           /* columns: all heads' queries, then keys, then values */
    struct matrix output;
    struct matrix gate_up;       /* panels of gate and up alternate */
    struct matrix down;
};

struct elm_model {
    struct elm_model_config config;
    enum elm_precision precision;
    struct kernel kernel;
    struct layer *layers;
    float *last_norm;
    struct matrix head;
    void *embedding;             /* [vocabulary][width] of f32 or bf16; the head is packed apart */
    float *turns;                /* [context_max][2][head_width] */
    char *memory;                /* of everything above but layers and turns */
    struct elm_gguf *file;       /* nullable: where metadata is copied from on writing */
    struct elm_tokenizer *tokenizer;
};

/* ---- weights ---- */

/* A model of this shape with all weights 0. Fails: ELM_OUTSIDE, a size out of its limits. */
enum elm_status model_new(const struct elm_model_config *config, enum elm_precision precision,
                          enum elm_kernel kernel, struct elm_model **out, struct elm_error *err);
void matrix_put(const struct kernel *k, struct matrix *m, uint32_t column, const float *values);
void matrix_get(const struct kernel *k, const struct matrix *m, uint32_t column, float *values);
void embedding_put(struct elm_model *m, uint32_t token, const float *values);
void embedding_get(const struct elm_model *m, uint32_t token, float *values);

/* One tensor of the file: a vector, or rows that go to columns of a matrix. */
struct weight {
    char name[64];
    float *vector;               /* NULL: a matrix */
    struct matrix *matrix;       /* NULL with no vector: the embedding */
    uint32_t rows, width;        /* rows: 1 for a vector */
    uint32_t first, every;       /* row i: column first + i / PANEL * every + i % PANEL */
};
/* Calls `visit` with every tensor that a model of this shape has, in the file's usual order. Stops
 * at the first failure and returns it. */
enum elm_status weights_each(struct elm_model *m,
                             enum elm_status (*visit)(void *ctx, const struct weight *w,
                                                      struct elm_error *err),
                             void *ctx, struct elm_error *err);
static inline uint32_t weight_column(const struct weight *w, uint32_t row)
{
    return w->first + row / PANEL * w->every + row % PANEL;
}

/* ---- session ---- */

/* Keys and values of BLOCK positions of all layers and heads. Rows that begin alike share pages. */
struct page {
    struct page *next_free;
    uint32_t references;
    _Alignas(64) char data[];    /* [layer][kv_head]: keys, values */
};

struct slab {                    /* of pages */
    _Alignas(64) struct slab *next;
};

/* A token to be computed. */
struct line {
    uint32_t token, position;
    struct page *const *pages;   /* of its row: position / BLOCK + 1 of them at least */
};

/* Lines that share blocks of keys and values: one product for all. */
struct unit {
    uint32_t line, lines, block, blocks;
};

struct elm_session {
    const struct elm_model *model;
    uint32_t rows_max, lines_max;
    struct kernel_state state;
    struct slab *slabs;
    struct page *free_pages;
    size_t page_bytes, key_bytes, head_bytes;    /* of a page's data, of keys, of keys and values */

    /* shapes of the buffers below, in elements */
    uint32_t group;              /* heads that share one key */
    uint32_t key_depth, value_columns, x_stride, qkv_stride;
    float *x;                    /* [lines][x_stride] */
    void *left;                  /* [lines][depth of width]: normed */
    float *qkv;                  /* [lines][qkv_stride] */
    void *queries;               /* [kv_heads][lines * group][key_depth] */
    void *attended;              /* [lines][depth of heads * head_width] */
    float *gate_up;              /* [lines][GATE_PANELS * PANEL] */
    void *hidden;                /* [lines][depth of hidden] */
    float *mixed;                /* [kv_heads][lines * group][value_columns] */
    float *sums;                 /* [kv_heads][lines * group] */
    float *scores;               /* [kv_heads][lines * group][positions] */
    void *shares;                /* the same, as a left side */
    size_t score_room;           /* elements of scores and shares */
    struct unit *units;
    uint32_t unit_count, unit_room;
    const void **rights;         /* [blocks of a context] */
    float *logits;               /* [rows_max][vocabulary, padded] */
    float *draw_sums;
    struct elm_mask_memory *masks;                /* nullable; of the trie sampled with */
    const struct elm_vocabulary_trie *masks_of;
};

#define GATE_PANELS 16

struct page *page_take(struct elm_session *s);
struct page *page_copy(struct elm_session *s, const struct page *from);
void page_drop(struct elm_session *s, struct page *p);

/* Runs lines (1..lines_max) through all layers; keys and values of a line's earlier positions are
 * there or come in lines before it. Leaves the last layer's sums in x. */
void forward(struct elm_session *s, const struct line *lines, uint32_t count);
/* Logits of `count` of those lines: logits[i * stride]. `mask` (nullable): a bit per token, up to the
 * last panel; of other tokens' logits only those are set that share a panel with one of it. */
void forward_head(struct elm_session *s, const uint32_t *which, uint32_t count,
                  const uint8_t *mask, float *logits, size_t stride);
void attention(struct elm_session *s, uint32_t layer, const struct line *lines, uint32_t count);
void attention_plan(struct elm_session *s, const struct line *lines, uint32_t count);

#endif
