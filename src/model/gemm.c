/* gemm: cuts a product into blocks that stay near, and gives them to the kernel. */
#include "model/gemm.h"

#include <stdlib.h>
#include <string.h>

#define ROWS_BLOCK 128           /* of A, packed at once: a multiple of every strip */
#define COLUMNS_BLOCK 1024       /* of B */

struct gemm_thread {
    const struct gemm_kernel *wide, *narrow;
    char *left, *right;
};

static bool bf16_pays(void)
{
#if defined(__x86_64__)
    return !__builtin_cpu_is("intel");    /* its products of bf16 without tiles: half as fast as f32 */
#else
    return true;
#endif
}

enum elm_status gemm_thread_new(enum elm_kernel kernel, struct gemm_thread **out,
                                struct elm_error *err)
{
    const struct gemm_kernel *const all[] = {&gemm_plain, gemm_avx2(), gemm_avx512(), gemm_bf16(),
                                             gemm_amx()};
    const int last = kernel == ELM_KERNEL_AUTO ? ELM_KERNEL_AMX : (int)kernel;
    const struct gemm_kernel *wide = NULL, *narrow = NULL;
    for (int i = ELM_KERNEL_PLAIN; i <= last; i++) {
        const struct gemm_kernel *k = all[i - ELM_KERNEL_PLAIN];
        bool slow = kernel == ELM_KERNEL_AUTO && i == ELM_KERNEL_AVX512_BF16 && !bf16_pays();
        if (k == NULL && kernel != ELM_KERNEL_AUTO)
            return elm_fail(err, ELM_USAGE, "kernel %d: this machine has none", last);
        if (k != NULL && k->bytes == sizeof(float))
            wide = k;
        if (k != NULL && !slow)
            narrow = k;
    }
    struct gemm_thread *t = elm_calloc(1, sizeof(*t));
    t->wide = wide;
    t->narrow = narrow;
    /* two bytes an element go with twice the depth */
    t->left = aligned_alloc(64, (size_t)ROWS_BLOCK * gemm_plain.depth_most * sizeof(float));
    t->right = aligned_alloc(64, (size_t)COLUMNS_BLOCK * gemm_plain.depth_most * sizeof(float));
    ELM_ASSERT(t->left != NULL && t->right != NULL);
    *out = t;
    return ELM_OK;
}

void gemm_thread_free(struct gemm_thread *t)
{
    if (t == NULL)
        return;
    free(t->left);
    free(t->right);
    free(t);
}

const char *gemm_kernel_name(const struct gemm_thread *t, enum elm_precision precision)
{
    return precision == ELM_BF16 ? t->narrow->name : t->wide->name;
}

static void scale(const struct gemm *g)
{
    for (uint32_t i = 0; i < g->m; i++) {
        float *c = g->c + i * g->c_stride;
        for (uint32_t j = 0; j < g->n; j++)
            c[j] = g->beta == 0 ? 0 : g->beta * c[j];
    }
}

/* A piece of the product: rows of A and columns of B that are packed. */
struct piece {
    const struct gemm *g;
    const struct gemm_kernel *k;
    const char *left, *right;
    uint32_t row, rows, column, columns, depth;
    bool add;
};

/* A tile that hangs over the edge. */
static void edge(const struct gemm_kernel *k, const struct gemm_tile *whole, uint32_t rows,
                 uint32_t columns)
{
    _Alignas(64) float room[GEMM_ROWS_MAX * GEMM_COLUMNS] = {0};
    struct gemm_tile t = *whole;
    t.out = room;
    t.out_stride = GEMM_COLUMNS;
    for (uint32_t i = 0; whole->add && i < rows; i++)
        memcpy(room + i * GEMM_COLUMNS, whole->out + i * whole->out_stride, columns * sizeof(float));
    k->tile(&t);
    for (uint32_t i = 0; i < rows; i++)
        memcpy(whole->out + i * whole->out_stride, room + i * GEMM_COLUMNS, columns * sizeof(float));
}

static void multiply(const struct piece *p)
{
    const struct gemm_kernel *k = p->k;
    const size_t panel_bytes = (size_t)p->depth * PANEL * k->bytes;
    const size_t strip_bytes = (size_t)p->depth * k->rows * k->bytes;
    for (uint32_t j = 0; j < p->columns; j += GEMM_COLUMNS) {
        const uint32_t columns = p->columns - j < GEMM_COLUMNS ? p->columns - j : GEMM_COLUMNS;
        struct gemm_tile t = {
            .right = p->right + j / PANEL * panel_bytes, .panel_bytes = panel_bytes,
            .out_stride = p->g->c_stride, .depth = p->depth, .panels = columns > PANEL ? 2 : 1,
            .add = p->add,
        };
        for (uint32_t i = 0; i < p->rows; i += k->rows) {
            const uint32_t rows = p->rows - i < k->rows ? p->rows - i : k->rows;
            t.left = p->left + i / k->rows * strip_bytes;
            t.out = p->g->c + (p->row + i) * p->g->c_stride + p->column + j;
            if (rows < k->rows || columns % PANEL != 0)
                edge(k, &t, rows, columns);
            else
                k->tile(&t);
        }
    }
}

static void pack(void (*one)(const struct gemm_packing *p), struct gemm_packing p, uint32_t width,
                 uint32_t bytes)
{
    uint32_t rest = p.lines;
    for (; rest > 0; rest -= p.lines) {
        p.lines = rest < width ? rest : width;
        one(&p);
        p.from += width * p.line_step;
        p.to = (char *)p.to + (size_t)p.padded * width * bytes;
    }
}

static void pack_right(const struct gemm_thread *t, const struct piece *p, uint32_t from,
                       uint32_t depth)
{
    const struct gemm *g = p->g;
    const size_t column = g->b_turned ? g->b_stride : 1, step = g->b_turned ? 1 : g->b_stride;
    pack(p->k->pack_right, (struct gemm_packing){
        .from = g->b + p->column * column + from * step, .line_step = column, .step = step,
        .lines = p->columns, .depth = depth, .padded = p->depth, .to = t->right,
    }, PANEL, p->k->bytes);
}

static void pack_left(const struct gemm_thread *t, const struct piece *p, uint32_t from,
                      uint32_t depth)
{
    const struct gemm *g = p->g;
    const size_t row = g->a_turned ? 1 : g->a_stride, step = g->a_turned ? g->a_stride : 1;
    pack(p->k->pack_left, (struct gemm_packing){
        .from = g->a + p->row * row + from * step, .line_step = row, .step = step,
        .lines = p->rows, .depth = depth, .padded = p->depth, .to = t->left,
    }, p->k->rows, p->k->bytes);
}

void gemm(struct gemm_thread *t, enum elm_precision precision, const struct gemm *g)
{
    const struct gemm_kernel *k = precision == ELM_BF16 ? t->narrow : t->wide;
    const bool scaled = g->k == 0 || (g->beta != 0 && g->beta != 1);
    if (scaled)
        scale(g);
    const uint32_t blocks = (g->k + k->depth_most - 1) / k->depth_most;
    const uint32_t step = blocks == 0 ? 0 : round_up((g->k + blocks - 1) / blocks, k->depth_unit);
    struct piece p = {.g = g, .k = k, .left = t->left, .right = t->right};
    if (k->begin != NULL)
        k->begin();
    for (p.column = 0; p.column < g->n; p.column += COLUMNS_BLOCK) {
        p.columns = g->n - p.column < COLUMNS_BLOCK ? g->n - p.column : COLUMNS_BLOCK;
        for (uint32_t from = 0; from < g->k; from += step) {
            const uint32_t depth = g->k - from < step ? g->k - from : step;
            p.depth = round_up(depth, k->depth_unit);
            p.add = scaled || from > 0 || g->beta != 0;
            pack_right(t, &p, from, depth);
            for (p.row = 0; p.row < g->m; p.row += ROWS_BLOCK) {
                p.rows = g->m - p.row < ROWS_BLOCK ? g->m - p.row : ROWS_BLOCK;
                pack_left(t, &p, from, depth);
                multiply(&p);
            }
        }
    }
    if (k->end != NULL)
        k->end();
}
