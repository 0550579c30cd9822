/*
 * nano_rows_body: included by each nano_rows_*.c after nano_rows_vector.h, with bias_of and sums_of, and the
 * sizes of a block of a product: STRIP rows under STRIP_PANELS panels, and FOUR_PANELS, ONE_PANELS panels
 * beside what is left, so that its sums stay in registers.
 */

static void norm(const float *x, const float *weight, uint32_t rows, uint32_t width, float *scale,
                 float *out)
{
    for (uint32_t r = 0; r < rows; r++, x += width, out += width) {
        v16 s = all(0);
        for (uint32_t k = 0; k < width; k += 16)
            s = fused(get(x + k), get(x + k), s);
        scale[r] = 1 / sqrtf(sum16(s) / (float)width + 1e-5f);
        for (uint32_t k = 0; k < width; k += 16)
            put(out + k, times(scaled(get(x + k), scale[r]), get(weight + k)));
    }
}

static void norm_back(const float *x, const float *weight, const float *scale,
                      const float *out_gradient, uint32_t rows, uint32_t width, float *x_gradient,
                      float *weight_gradient)
{
    for (uint32_t r = 0; r < rows; r++) {
        const float *xr = x + (size_t)r * width, *g = out_gradient + (size_t)r * width;
        float *to = x_gradient + (size_t)r * width;
        v16 dot = all(0), a = all(scale[r]);
        for (uint32_t k = 0; k < width; k += 16) {
            v16 gx = times(get(g + k), get(xr + k));
            dot = fused(gx, get(weight + k), dot);
            put(weight_gradient + k, fused(gx, a, get(weight_gradient + k)));
        }
        v16 c = all(sum16(dot) * scale[r] * scale[r] * scale[r] / (float)width);
        for (uint32_t k = 0; k < width; k += 16)
            put(to + k, minus(plus(get(to + k), times(times(get(g + k), get(weight + k)), a)),
                              times(get(xr + k), c)));
    }
}

static void square(const float *u, size_t count, float *a)
{
    for (size_t k = 0; k < count; k += 16) {
        v16 x = larger(get(u + k), all(0));
        put(a + k, times(x, x));
    }
}

static void square_back(const float *u, size_t count, float *gradient)
{
    for (size_t k = 0; k < count; k += 16) {
        v16 x = larger(get(u + k), all(0));
        put(gradient + k, times(get(gradient + k), plus(x, x)));
    }
}

static void add(float *to, const float *from, size_t count)
{
    for (size_t k = 0; k < count; k += 16)
        put(to + k, plus(get(to + k), get(from + k)));
}

/* `rows` rows times `panels` panels of 16 columns; both are constants where it is called. */
static ALWAYS_INLINE void product_block(const struct nano_product *p, const float *left,
                                        const float *panel, float *out, uint32_t rows,
                                        uint32_t panels)
{
    v16 sums[16];
    const size_t next = (size_t)p->depth * 16;
    UNROLL
    for (uint32_t r = 0; r < rows * panels; r++)
        sums[r] = all(0);
    for (uint32_t k = 0; k < p->depth; k++, panel += 16) {
        v16 columns[8];
        UNROLL
        for (uint32_t c = 0; c < panels; c++)
            columns[c] = get(panel + c * next);
        UNROLL
        for (uint32_t r = 0; r < rows; r++) {
            v16 x = all(left[r * p->left_stride + k]);
            UNROLL
            for (uint32_t c = 0; c < panels; c++)
                sums[r * panels + c] = fused(x, columns[c], sums[r * panels + c]);
        }
    }
    UNROLL
    for (uint32_t r = 0; r < rows * panels; r++) {
        float *at = out + (r / panels) * p->out_stride + r % panels * 16;
        put(at, p->add ? plus(get(at), sums[r]) : sums[r]);
    }
}

/* A run of columns `panels` panels at a time; returns how far it came. */
static ALWAYS_INLINE uint32_t product_rows(const struct nano_product *p, uint32_t row, uint32_t j,
                                           uint32_t rows, uint32_t panels)
{
    for (; j + 16 * panels <= p->columns; j += 16 * panels)
        product_block(p, p->left + row * p->left_stride, p->panels + (size_t)j * p->depth,
                      p->out + row * p->out_stride + j, rows, panels);
    return j;
}

/* Some columns of all rows: whole strips, then what is left. */
static ALWAYS_INLINE void product_columns(const struct nano_product *p)
{
    uint32_t r = 0;
    for (; r + STRIP <= p->rows; r += STRIP)
        product_rows(p, r, product_rows(p, r, 0, STRIP, STRIP_PANELS), STRIP, 1);
    for (; r + 4 <= p->rows; r += 4)
        product_rows(p, r, product_rows(p, r, 0, 4, FOUR_PANELS), 4, 1);
    if (r + 3 <= p->rows)
        product_rows(p, r, product_rows(p, r, 0, 3, 2), 3, 1);
    else if (r + 2 <= p->rows)
        product_rows(p, r, product_rows(p, r, 0, 2, 2), 2, 1);
    else if (r < p->rows)
        product_rows(p, r, product_rows(p, r, product_rows(p, r, 0, 1, ONE_PANELS), 1, 2), 1, 1);
}

static void product(const struct nano_product *p)
{
    /* panels of 16 KiB stay near while the rows pass */
    const uint32_t near = p->depth > 64 ? 32 : 4096 / p->depth / 32 * 32;
    for (uint32_t j = 0; j < p->columns; j += near) {
        struct nano_product few = *p;
        few.columns = p->columns - j < near ? p->columns - j : near;
        few.panels += (size_t)j * p->depth;
        few.out += j;
        product_columns(&few);
    }
}

/* [rows] of 16 numbers each, a `step` apart, to panels: [stride / 16][16 numbers][16 rows]. */
static ALWAYS_INLINE void turn(const float *from, size_t step, uint32_t rows, uint32_t stride,
                               float *to)
{
    for (uint32_t j = 0; j < stride; j += 16, to += 256) {
        for (uint32_t c = 0; c < 16; c++) {
            for (uint32_t i = 0; i < 16; i++)
                to[c * 16 + i] = j + i < rows ? from[(j + i) * step + c] : 0;
        }
    }
}

/* Some scores of a row with what their relations add. */
static ALWAYS_INLINE v16 related(float *p, const float *from, const float *bias,
                                 const uint8_t *relations, uint32_t count, v16 most)
{
    for (uint32_t j = 0; j < count; j += 16) {
        v16 x = plus(scaled(get(from + j), 0.25f), bias_of(bias, relations + j));
        if (count - j < 16)
            x = pick(first(count - j), x, all(-1e30f));
        put(p + j, x);
        most = larger(x, most);
    }
    return most;
}

/* Products to shares, in place; what lies beyond `seen` becomes 0. */
static ALWAYS_INLINE void soften(float *p, const float *bias, const uint8_t *relations, uint32_t seen,
                                 uint32_t stride)
{
    v16 top = all(max16(related(p, p, bias, relations, seen, all(-1e30f)))), sum = all(0);
    for (uint32_t j = 0; j < stride; j += 16) {
        v16 x = all(0);
        if (j < seen)
            x = pick(first(seen - j), exponential(minus(get(p + j), top)), all(0));
        sum = plus(sum, x);
        put(p + j, x);
    }
    const float scale = 1 / sum16(sum);
    for (uint32_t j = 0; j < seen; j += 16)
        put(p + j, scaled(get(p + j), scale));
}

/* Values mixed for `rows` rows, a constant where it is called, that see the same. */
static ALWAYS_INLINE void attend_block(const struct nano_attention *a, const float *p, const float *v,
                                       uint32_t seen, float *out, uint32_t rows)
{
    const size_t step = 3 * (size_t)a->width;
    v16 even[8], odd[8];
    uint32_t j = 0;
    UNROLL
    for (uint32_t r = 0; r < rows; r++)
        even[r] = odd[r] = all(0);
    for (; j + 1 < seen; j += 2, v += 2 * step) {
        v16 x = get(v);
        UNROLL
        for (uint32_t r = 0; r < rows; r++)
            even[r] = fused(all(p[r * a->stride + j]), x, even[r]);
        x = get(v + step);
        UNROLL
        for (uint32_t r = 0; r < rows; r++)
            odd[r] = fused(all(p[r * a->stride + j + 1]), x, odd[r]);
    }
    UNROLL
    for (uint32_t r = 0; r < rows; r++) {
        if (j < seen)
            even[r] = fused(all(p[r * a->stride + j]), get(v), even[r]);
        put(out + (size_t)r * a->width, plus(even[r], odd[r]));
    }
}

static ALWAYS_INLINE uint32_t seen_by(const struct nano_attention *a, uint32_t row)
{
    return a->first == 0 ? a->rows : a->first + row + 1;
}

static void attend(const struct nano_attention *a)
{
    const uint32_t step = 3 * a->width, rows = a->rows - a->first;
    for (uint32_t h = 0; h < a->width / NANO_HEAD; h++) {
        const float *q = a->qkv + h * NANO_HEAD, *k = q + a->width, *v = k + a->width;
        float *shares = a->shares + (size_t)h * rows * a->stride, *out = a->out + h * NANO_HEAD;
        uint32_t i = 0;
        turn(k, step, a->rows, a->stride, a->scratch);
        product(&(struct nano_product){.left = q + (size_t)a->first * step, .panels = a->scratch,
                                       .out = shares, .left_stride = step, .out_stride = a->stride,
                                       .rows = rows, .columns = a->stride, .depth = NANO_HEAD});
        for (uint32_t r = 0; r < rows; r++)
            soften(shares + (size_t)r * a->stride, a->bias + h * NANO_RELATIONS,
                   a->relations + (size_t)r * a->stride, seen_by(a, r), a->stride);
        for (; a->first == 0 && i + MIX_ROWS <= rows; i += MIX_ROWS)
            attend_block(a, shares + (size_t)i * a->stride, v, rows, out + (size_t)i * a->width, MIX_ROWS);
        for (; i < rows; i++)
            attend_block(a, shares + (size_t)i * a->stride, v, seen_by(a, i), out + (size_t)i * a->width, 1);
    }
}

static ALWAYS_INLINE void attend_back_row(const struct nano_attention *a, uint32_t h, uint32_t i)
{
    const uint32_t step = 3 * a->width, seen = seen_by(a, i);
    const float *q = a->qkv + h * NANO_HEAD, *k = q + a->width;
    float *dq = a->qkv_gradient + h * NANO_HEAD, *dk = dq + a->width, *dv = dk + a->width;
    const float *p = a->shares + ((size_t)h * (a->rows - a->first) + i) * a->stride;
    const uint8_t *relations = a->relations + (size_t)i * a->stride;
    const float *g = a->out_gradient + (size_t)i * a->width + h * NANO_HEAD;
    float *ds = a->scratch + (size_t)16 * a->stride;
    float *bias = a->bias_gradient + h * NANO_RELATIONS;
    v16 dot = all(0);
    for (uint32_t j = 0; j < seen; j += 16) {
        v16 s = all(0);
        for (uint32_t c = 0; c < 16; c++)
            s = fused(all(g[c]), get(a->scratch + 16 * (size_t)(j + c)), s);
        dot = fused(s, get(p + j), dot);
        put(ds + j, s);
    }
    v16 mean = all(sum16(dot));
    for (uint32_t j = 0; j < seen; j += 16)
        put(ds + j, times(get(p + j), minus(get(ds + j), mean)));
    v16 own = all(0), row = get(g);
    v16 query = scaled(get(q + (size_t)(a->first + i) * step), 0.25f);
    for (uint32_t j = 0; j < seen; j++) {
        v16 s = all(ds[j]);
        bias[relations[j]] += ds[j];
        own = fused(s, get(k + (size_t)j * step), own);
        put(dk + (size_t)j * step, fused(s, query, get(dk + (size_t)j * step)));
        put(dv + (size_t)j * step, fused(all(p[j]), row, get(dv + (size_t)j * step)));
    }
    put(dq + (size_t)(a->first + i) * step, scaled(own, 0.25f));
}

static void attend_back(const struct nano_attention *a)
{
    uint32_t step = 3 * a->width;
    memset(a->qkv_gradient, 0, (size_t)a->rows * step * sizeof(float));
    for (uint32_t h = 0; h < a->width / NANO_HEAD; h++) {
        turn(a->qkv + 2 * a->width + h * NANO_HEAD, step, a->rows, a->stride, a->scratch);
        for (uint32_t i = 0; i < a->rows - a->first; i++)
            attend_back_row(a, h, i);
    }
}

/* Which of 16 are allowed. */
static ALWAYS_INLINE i16 allowed16(const struct nano_draw *d, uint32_t at)
{
    return set_of((int32_t)(d->allowed[at / 64] >> (at % 64) & 0xffff));
}

static ALWAYS_INLINE bool any16(const struct nano_draw *d, uint32_t at)
{
    return (d->allowed[at / 64] >> (at % 64) & 0xffff) != 0;
}

static float draw(const struct nano_draw *d)
{
    v16 most = all(-1e30f), sum = all(0);
    const float scale = 1 / d->temperature;
    for (uint32_t j = 0; j < d->count; j += 16) {
        if (!any16(d, j))
            continue;
        v16 x = pick(allowed16(d, j), scaled(get(d->logits + j), scale), all(-1e30f));
        put(d->logprobs + j, x);
        most = larger(x, most);
    }
    float top = max16(most);
    for (uint32_t j = 0; j < d->count; j += 16) {
        if (any16(d, j))
            sum = plus(sum, exponential(minus(get(d->logprobs + j), all(top))));
    }
    v16 log_sum = plus(all(top), logarithm(all(sum16(sum))));
    most = all(-1e30f);
    for (uint32_t j = 0; j < d->count; j += 16) {
        if (!any16(d, j))
            continue;
        v16 x = get(d->logprobs + j);
        i16 none = below(x, -1e29f);
        x = pick(none, all(-1e30f), minus(x, log_sum));
        put(d->logprobs + j, x);
        v16 once = minus(all(0), logarithm(uniform(d->seed, j)));
        v16 noise = minus(all(0), logarithm(once));
        x = pick(none, all(-1e30f), plus(x, noise));
        put(d->noisy + j, x);
        most = larger(x, most);
    }
    return max16(most);
}

static void point(const struct nano_pointing *p)
{
    for (uint32_t j = 0; j < p->stride; j += 16) {
        v16 sum = all(0);
        for (uint32_t c = 0; c < p->width; c++)
            sum = plus(sum, scaled(get(p->keys + (size_t)c * p->stride + j), p->query[c]));
        put(p->scores + j, scaled(sum, p->scale));
    }
}

static void embed(const float *table, const uint16_t *ids, uint32_t count, uint32_t width,
                  float *row)
{
    for (uint32_t c = 0; c < width; c += 16) {
        v16 sum = get(row + c);
        for (uint32_t k = 0; k < count; k++) {
            if (ids[k] != 0)
                sum = plus(sum, get(table + (size_t)ids[k] * width + c));
        }
        put(row + c, sum);
    }
}

/* ---- attention of new rows ---- */

/* What rows share while they look. */
struct looking {
    uint32_t heads, span, wide;          /* span: the most steps, in whole vectors; wide: and the prefix */
    const float *rows[NANO_GLANCES * NANO_STEPS_MAX];    /* of each row its steps */
    const float *own[NANO_GLANCES];      /* [head][step] */
    float *scores;                       /* [row][wide] */
};
/* Relations of a row's steps: the last ones of these before the end. */
static const uint8_t step_relations[NANO_STEPS_MAX + 16] = {
    [0 ... NANO_STEPS_MAX - 3] = NANO_REL_STEP, [NANO_STEPS_MAX - 2] = NANO_REL_LAST_STEP,
    [NANO_STEPS_MAX - 1] = NANO_REL_SELF,
};

/* Who looks at what, and products of the rows with their own steps. */
static ALWAYS_INLINE void own_scores(const struct nano_glance *g, struct looking *l, float *out)
{
    const size_t size = 3 * (size_t)g->width;
    v16 products[16];
    uint32_t count = 0;
    for (uint32_t r = 0; r < g->rows; r++) {
        const uint32_t steps = g->steps[r];
        const float **rows = l->rows + r * NANO_STEPS_MAX;
        for (uint32_t j = 0; j + 1 < steps; j++)
            rows[j] = g->past + g->paths[r][j] * size;
        rows[steps - 1] = g->qkv + r * size;
        l->own[r] = out + count;
        for (uint32_t c = 0; c < g->width; c += NANO_HEAD) {
            v16 q = get(g->qkv + r * size + c);
            for (uint32_t j = 0; j < steps; j++) {
                products[count % 16] = times(q, get(rows[j] + g->width + c));
                if (++count % 16 == 0)
                    put(out + count - 16, sums_of(products));
            }
        }
    }
    for (uint32_t k = count % 16; k < 16; k++)
        products[k] = all(0);
    put(out + count / 16 * 16, sums_of(products));
}

/* Adds values of the prefix to `rows` rows, which is a constant where it is called. */
static ALWAYS_INLINE void mix_block(const struct nano_glance *g, const float *p, size_t p_stride,
                                    const float *v, float *out, uint32_t rows)
{
    v16 even[8], odd[8];
    UNROLL
    for (uint32_t r = 0; r < rows; r++) {
        even[r] = get(out + (size_t)r * g->width);
        odd[r] = all(0);
    }
    for (uint32_t j = 0; j < g->prefix; j += 2, v += 2 * NANO_HEAD) {
        v16 x = get(v);
        UNROLL
        for (uint32_t r = 0; r < rows; r++)
            even[r] = fused(all(p[r * p_stride + j]), x, even[r]);
        x = get(v + NANO_HEAD);
        UNROLL
        for (uint32_t r = 0; r < rows; r++)
            odd[r] = fused(all(p[r * p_stride + j + 1]), x, odd[r]);
    }
    UNROLL
    for (uint32_t r = 0; r < rows; r++)
        put(out + (size_t)r * g->width, plus(even[r], odd[r]));
}

static ALWAYS_INLINE void mix(const struct nano_glance *g, const float *p, size_t p_stride,
                              const float *v, float *out)
{
    uint32_t r = 0;
    for (; r + MIX_ROWS <= g->rows; r += MIX_ROWS, p += MIX_ROWS * p_stride, out += MIX_ROWS * (size_t)g->width)
        mix_block(g, p, p_stride, v, out, MIX_ROWS);
    for (; r + MIX_REST <= g->rows; r += MIX_REST, p += MIX_REST * p_stride, out += MIX_REST * (size_t)g->width)
        mix_block(g, p, p_stride, v, out, MIX_REST);
    for (; r < g->rows; r++, p += p_stride, out += g->width)
        mix_block(g, p, p_stride, v, out, 1);
}

/* Scores to shares, and own steps mixed. Own steps come first, so that the prefix stays in whole
 * vectors. */
static ALWAYS_INLINE void share(const struct nano_glance *g, const struct looking *l, uint32_t head)
{
    v16 sums[NANO_GLANCES];
    float scales[NANO_GLANCES];
    const float *bias = g->bias + head * NANO_RELATIONS;
    for (uint32_t r = 0; r < NANO_GLANCES; r++) {
        float *p = l->scores + (size_t)r * l->wide;
        v16 most = all(-1e30f), sum = all(0);
        sums[r] = all(1);
        if (r >= g->rows)
            continue;
        const uint32_t steps = g->steps[r];
        most = related(p, l->own[r] + head * steps, bias, step_relations + NANO_STEPS_MAX - steps, steps, most);
        for (uint32_t j = NANO_ROUND(steps); j < l->span; j += 16)
            put(p + j, all(-1e30f));
        most = related(p + l->span, p + l->span, bias, g->relations + (size_t)r * g->stride,
                       g->prefix, most);
        v16 top = all(max16(most));
        for (uint32_t j = 0; j < l->wide; j += 16) {
            v16 x = exponential(minus(get(p + j), top));
            sum = plus(sum, x);
            put(p + j, x);
        }
        sums[r] = sum;
    }
    put(scales, inverse(sums_of(sums)));
    for (uint32_t r = 0; r < g->rows; r++) {
        float *p = l->scores + (size_t)r * l->wide;
        const float *const *rows = l->rows + r * NANO_STEPS_MAX;
        for (uint32_t j = 0; j < l->wide; j += 16)
            put(p + j, scaled(get(p + j), scales[r]));
        v16 out = all(0);
        for (uint32_t j = 0; j < g->steps[r]; j++)
            out = fused(all(p[j]), get(rows[j] + 2 * g->width + head * NANO_HEAD), out);
        put(g->out + (size_t)r * g->width + head * NANO_HEAD, out);
    }
}

static void glance(const struct nano_glance *g)
{
    struct looking l;            /* too large to be cleared for nothing */
    l.heads = g->width / NANO_HEAD;
    l.span = 0;
    for (uint32_t r = 0; r < g->rows; r++)
        l.span = g->steps[r] > l.span ? g->steps[r] : l.span;
    l.span = NANO_ROUND(l.span);
    l.wide = l.span + g->stride;
    l.scores = g->scratch;
    own_scores(g, &l, l.scores + (size_t)NANO_GLANCES * l.wide);
    for (uint32_t h = 0; h < l.heads; h++) {
        product(&(struct nano_product){
            .left = g->qkv + h * NANO_HEAD, .panels = g->keys + (size_t)h * NANO_HEAD * g->stride,
            .out = l.scores + l.span, .left_stride = 3 * (size_t)g->width, .out_stride = l.wide,
            .rows = g->rows, .columns = g->stride, .depth = NANO_HEAD});
        share(g, &l, h);
        mix(g, l.scores + l.span, l.wide, g->values + (size_t)h * g->stride * NANO_HEAD,
            g->out + h * NANO_HEAD);
    }
}

static void pack(const float *weights, uint32_t rows, uint32_t cols, float *panels)
{
    for (uint32_t r = 0; r < rows; r++) {
        float *panel = panels + (size_t)(r / 16) * 16 * cols + r % 16;
        for (uint32_t c = 0; c < cols; c++)
            panel[(size_t)c * 16] = weights[(size_t)r * cols + c];
    }
}

static const struct nano_products products = {pack, product};
static const struct nano_rows table = {
    norm, norm_back, square, square_back, attend, attend_back, glance, draw, point, add, embed,
    &products,
};
