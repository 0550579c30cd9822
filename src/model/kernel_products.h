/*
 * kernel_products: products with f32 left sides and f32 or bf16 right sides, over `lanes`.
 * TILE_ROWS: rows of a result that the registers hold beside STRIP panels.
 */
#define TILE_VECTORS_MAX 8

/* Two steps of depth of one vector of a panel. */
static ALWAYS_INLINE void right_pair(const char *right, bool narrow, size_t pair, int vector,
                                     lanes *even, lanes *odd)
{
    if (narrow) {
        ints words = load_ints(right + (pair * PANEL + (size_t)vector * LANES) * 4);
        *even = (lanes)(words << 16);
        *odd = (lanes)(words & (int32_t)0xffff0000);
    } else {
        const float *at = (const float *)(const void *)right + pair * 2 * PANEL + vector * LANES;
        *even = load(at);
        *odd = load(at + PANEL);
    }
}

struct tile_place {
    const float *left;
    const char *right;
    float *out;
    size_t left_stride, panel_bytes, out_stride;
    uint32_t depth;
};

/* rows x panels of the result in registers; all loops but that of depth are unrolled. */
static ALWAYS_INLINE void tile(struct tile_place at, bool narrow, bool add, int rows, int panels)
{
    const int vectors = panels * VECTORS;
    lanes sum[TILE_ROWS][TILE_VECTORS_MAX];
    UNROLL for (int r = 0; r < rows; r++) {
        UNROLL for (int v = 0; v < vectors; v++)
            sum[r][v] = add ? load(at.out + r * at.out_stride + v * LANES) : splat(0);
    }
    for (uint32_t pair = 0; pair < at.depth / 2; pair++) {
        lanes even[TILE_VECTORS_MAX], odd[TILE_VECTORS_MAX];
        UNROLL for (int v = 0; v < vectors; v++)
            right_pair(at.right + v / VECTORS * at.panel_bytes, narrow, pair, v % VECTORS,
                       &even[v], &odd[v]);
        UNROLL for (int r = 0; r < rows; r++) {
            lanes a = splat(at.left[r * at.left_stride + 2 * pair]);
            lanes b = splat(at.left[r * at.left_stride + 2 * pair + 1]);
            UNROLL for (int v = 0; v < vectors; v++)
                sum[r][v] = fma3(b, odd[v], fma3(a, even[v], sum[r][v]));
        }
    }
    UNROLL for (int r = 0; r < rows; r++) {
        UNROLL for (int v = 0; v < vectors; v++)
            store(at.out + r * at.out_stride + v * LANES, sum[r][v]);
    }
}

/* All rows of a few panels. */
static ALWAYS_INLINE void strip(struct tile_place at, uint32_t rows, bool narrow, bool add,
                                int panels)
{
    uint32_t row = 0;
    for (; row + TILE_ROWS <= rows; row += TILE_ROWS) {
        tile(at, narrow, add, TILE_ROWS, panels);
        at.left += TILE_ROWS * at.left_stride;
        at.out += TILE_ROWS * at.out_stride;
    }
    for (; row + 2 <= rows; row += 2) {
        tile(at, narrow, add, 2, panels);
        at.left += 2 * at.left_stride;
        at.out += 2 * at.out_stride;
    }
    if (row < rows)
        tile(at, narrow, add, 1, panels);
}

#define STRIP (LANES == 16 ? 2 : 1)
#define WIDE (TILE_VECTORS_MAX / VECTORS)

static ALWAYS_INLINE void multiply(const struct product *p, struct tile_place at, bool narrow,
                                   bool add)
{
    uint32_t panel = 0;
    at.left_stride = p->left_stride;
    at.out_stride = p->out_stride;
    at.depth = p->depth;
    at.panel_bytes = (size_t)p->depth * PANEL * (narrow ? 2 : 4);
    /* few rows: only more columns hide the latency of a sum */
    for (; p->rows < TILE_ROWS && panel + WIDE <= p->panels; panel += WIDE) {
        struct tile_place row = at;
        for (uint32_t i = 0; i < p->rows; i++) {
            tile(row, narrow, add, 1, WIDE);
            row.left += at.left_stride;
            row.out += at.out_stride;
        }
        at.right += WIDE * at.panel_bytes;
        at.out += WIDE * PANEL;
    }
    for (; panel + STRIP <= p->panels; panel += STRIP) {
        strip(at, p->rows, narrow, add, STRIP);
        at.right += STRIP * at.panel_bytes;
        at.out += STRIP * PANEL;
    }
    for (; STRIP > 1 && panel < p->panels; panel++) {
        strip(at, p->rows, narrow, add, 1);
        at.right += at.panel_bytes;
        at.out += PANEL;
    }
}

static ALWAYS_INLINE void along(const struct product *p, bool narrow, bool columns)
{
    const float *left = p->left;
    for (uint32_t i = 0; i < p->count; i++) {
        struct tile_place at = {.left = left, .right = p->rights[i], .out = p->out};
        if (columns)
            at.out += (size_t)i * p->panels * PANEL;
        else
            at.left += (size_t)i * p->depth;
        if (p->add || (i > 0 && !columns))
            multiply(p, at, narrow, true);
        else
            multiply(p, at, narrow, false);
    }
}

static void product_narrow(struct kernel_state *s, const struct product *p)
{
    (void)s;
    along(p, true, false);
}

static void product_wide(struct kernel_state *s, const struct product *p)
{
    (void)s;
    along(p, false, false);
}

static void scores_narrow(struct kernel_state *s, const struct product *p)
{
    (void)s;
    along(p, true, true);
}

static void scores_wide(struct kernel_state *s, const struct product *p)
{
    (void)s;
    along(p, false, true);
}

static void fill_products(struct kernel *k)
{
    k->narrow_left = false;
    k->product = k->narrow_right ? product_narrow : product_wide;
    k->mix = k->product;
    k->scores = k->narrow_right ? scores_narrow : scores_wide;
}
