/*
 * gemm_wide: a kernel of gemm with f32 inside, over `lanes`. Included inside the target of one
 * instruction set, after kernel_vector.h. TILE_ROWS: rows that the registers hold beside
 * TILE_PANELS panels. A strip has STRIP_ROWS, element (row, depth) at depth * STRIP_ROWS + row.
 */
#define STRIP_ROWS 8

static ALWAYS_INLINE void wide_tile(const struct gemm_tile *t, const float *left, float *out,
                                    const float *right, int panels)
{
    const int vectors = panels * VECTORS;
    const size_t panel = t->panel_bytes / sizeof(float);
    lanes sum[TILE_ROWS][TILE_PANELS * VECTORS];
    UNROLL for (int r = 0; r < TILE_ROWS; r++) {
        UNROLL for (int v = 0; v < vectors; v++)
            sum[r][v] = splat(0);
    }
    for (uint32_t d = 0; d < t->depth; d++) {
        lanes b[TILE_PANELS * VECTORS];
        UNROLL for (int v = 0; v < vectors; v++)
            b[v] = load(right + v / VECTORS * panel + (size_t)d * PANEL + v % VECTORS * LANES);
        UNROLL for (int r = 0; r < TILE_ROWS; r++) {
            lanes a = splat(left[(size_t)d * STRIP_ROWS + r]);
            UNROLL for (int v = 0; v < vectors; v++)
                sum[r][v] = fma3(a, b[v], sum[r][v]);
        }
    }
    UNROLL for (int r = 0; r < TILE_ROWS; r++) {
        UNROLL for (int v = 0; v < vectors; v++) {
            float *at = out + r * t->out_stride + v * LANES;
            store(at, t->add ? load(at) + sum[r][v] : sum[r][v]);
        }
    }
}

static void tile(const struct gemm_tile *t)
{
    for (int row = 0; row < STRIP_ROWS; row += TILE_ROWS) {
        const float *left = (const float *)t->left + row;
        float *out = t->out + row * t->out_stride;
        for (uint32_t p = 0; p < t->panels;) {
            const float *right =
                (const float *)(const void *)((const char *)t->right + p * t->panel_bytes);
            if (p + TILE_PANELS <= t->panels) {
                wide_tile(t, left, out + p * PANEL, right, TILE_PANELS);
                p += TILE_PANELS;
            } else {
                wide_tile(t, left, out + p * PANEL, right, 1);
                p++;
            }
        }
    }
}

/* Lines from `depth` on, or all of a strip that is not full. */
static void pack_rest(const struct gemm_packing *p, uint32_t width, uint32_t depth)
{
    float *to = p->to;
    for (; depth < p->padded; depth++) {
        for (uint32_t i = 0; i < width; i++)
            to[(size_t)depth * width + i] =
                i < p->lines && depth < p->depth ? p->from[i * p->line_step + depth * p->step] : 0;
    }
}

static ALWAYS_INLINE void pack_wide(const struct gemm_packing *p, uint32_t width)
{
    float *to = p->to;
    uint32_t depth = 0;
    if (p->lines == width && p->line_step == 1) {
        for (; depth < p->depth; depth++)
            memcpy(to + (size_t)depth * width, p->from + depth * p->step, width * sizeof(float));
    }
#if LANES > 4
    for (; p->lines == width && p->line_step != 1 && depth + 8 <= p->depth; depth += 8) {
        for (uint32_t i = 0; i < width; i += 8)
            turn_eight(p->from + i * p->line_step + depth, p->line_step,
                       to + (size_t)depth * width + i, width);
    }
#endif
    pack_rest(p, width, depth);
}

static void pack_left(const struct gemm_packing *p)
{
    pack_wide(p, STRIP_ROWS);
}

static void pack_right(const struct gemm_packing *p)
{
    pack_wide(p, PANEL);
}
