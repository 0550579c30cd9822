/*
 * kernel_rows: everything but products, over `lanes`. NARROW_LEFT: 1 where left sides are bf16.
 */
#define LOG2_E 1.44269504f
#define DRAW_GROUP 256           /* logits whose weights are summed together */
#define COLD 1e-30f              /* no temperature: the likeliest */

#if NARROW_LEFT
typedef uint16_t left_t;

static ALWAYS_INLINE void store_left(left_t *at, lanes x)
{
    __m256i bits = (__m256i)_mm512_cvtneps_pbh((__m512)x);
    memcpy(at, &bits, sizeof(bits));
}

static ALWAYS_INLINE left_t left_of(float x)
{
    return bf16_of(x);
}
#else
typedef float left_t;

static ALWAYS_INLINE void store_left(left_t *at, lanes x)
{
    store(at, x);
}

static ALWAYS_INLINE left_t left_of(float x)
{
    return x;
}
#endif

static void norm(const float *x, const float *weight, float epsilon, uint32_t width, void *left)
{
    left_t *out = left;
    lanes squares[2] = {splat(0), splat(0)};
    uint32_t i = 0;
    for (; i + 2 * LANES <= width; i += 2 * LANES) {
        lanes a = load(x + i), b = load(x + i + LANES);
        squares[0] = fma3(a, a, squares[0]);
        squares[1] = fma3(b, b, squares[1]);
    }
    float sum = lane_sum(squares[0] + squares[1]);
    for (; i < width; i++)
        sum += x[i] * x[i];
    float factor = 1 / sqrtf(sum / (float)width + epsilon);
    lanes factors = splat(factor);
    for (i = 0; i + LANES <= width; i += LANES)
        store_left(out + i, load(x + i) * factors * load(weight + i));
    for (; i < width; i++)
        out[i] = left_of(x[i] * factor * weight[i]);
}

static void gate(const float *gate_up, uint32_t count, void *left)
{
    left_t *out = left;
    const lanes one = splat(1), lowest = splat(-126.0f / LOG2_E);
    for (uint32_t i = 0; i < count; i += LANES) {
        const float *at = gate_up + i / PANEL * 2 * PANEL + i % PANEL;
        lanes g = load(at), up = load(at + PANEL);
        lanes e = power_of_two(larger(g, lowest) * splat(-LOG2_E));
        store_left(out + i, g / (one + e) * up);
    }
}

static void turn(float *x, const float *turns, uint32_t width, uint32_t heads)
{
    for (uint32_t h = 0; h < heads; h++, x += width) {
        uint32_t i = 0;
        for (; i + LANES <= width; i += LANES) {
            lanes v = load(x + i);
            store(x + i, fma3(swap_pairs(v), load(turns + width + i), v * load(turns + i)));
        }
        for (; i < width; i += 2) {
            float a = x[i], b = x[i + 1];
            x[i] = a * turns[i] + b * turns[width + i];
            x[i + 1] = b * turns[i + 1] + a * turns[width + i + 1];
        }
    }
}

static void narrow(const float *x, float factor, uint32_t count, void *left)
{
    left_t *out = left;
    uint32_t i = 0;
    for (; i + LANES <= count; i += LANES)
        store_left(out + i, load(x + i) * splat(factor));
    for (; i < count; i++)
        out[i] = left_of(x[i] * factor);
}

static void widen_narrow(const void *row, uint32_t count, float *x)
{
    const uint16_t *from = row;
    for (uint32_t i = 0; i < count; i++)
        x[i] = float_of(from[i]);
}

static void widen_wide(const void *row, uint32_t count, float *x)
{
    memcpy(x, row, count * sizeof(*x));
}

/* Keys lie as right sides with the positions as columns, values with the positions as depth. */
static void keep_narrow(const struct keeping *k)
{
    uint32_t *keys = (uint32_t *)k->keys + k->slot / PANEL * (k->depth / 2) * PANEL +
                     k->slot % PANEL;
    uint32_t *values = (uint32_t *)k->values + k->slot / 2 * PANEL;
    bool odd = k->slot % 2 == 1;
    uint32_t i = 0;
    for (; i + LANES <= k->width; i += LANES) {
        uint64_t pairs[LANES / 2];
        ints bits = bf16_bits(load(k->key + i));
        memcpy(pairs, &bits, sizeof(pairs));
        UNROLL for (uint32_t j = 0; j < LANES / 2; j++)
            keys[(i / 2 + j) * PANEL] = (uint32_t)(pairs[j] | pairs[j] >> 16);
        uint32_t *at = values + i / PANEL * (BLOCK / 2 * PANEL) + i % PANEL;
        ints value = bf16_bits(load(k->value + i));
        store_ints(at, odd ? (load_ints(at) & 0xffff) | value << 16 : value);
    }
    for (; i < k->width; i++) {
        uint32_t *key = keys + i / 2 * PANEL;
        uint32_t *at = values + i / PANEL * (BLOCK / 2 * PANEL) + i % PANEL;
        uint32_t bits = bf16_of(k->key[i]), value = bf16_of(k->value[i]);
        *key = i % 2 == 1 ? (*key & 0xffff) | bits << 16 : bits;
        *at = odd ? (*at & 0xffff) | value << 16 : value;
    }
}

static void keep_wide(const struct keeping *k)
{
    float *keys = (float *)k->keys + k->slot / PANEL * k->depth * PANEL + k->slot % PANEL;
    float *values = (float *)k->values + k->slot * PANEL;
    for (uint32_t i = 0; i < k->width; i++) {
        keys[i * PANEL] = k->key[i];
        values[i / PANEL * (BLOCK * PANEL) + i % PANEL] = k->value[i];
    }
}

static float softmax(const float *s, uint32_t count, uint32_t padded, float factor, void *left)
{
    left_t *out = left;
    lanes most = splat(-INFINITY);
    uint32_t whole = count / LANES * LANES;
    for (uint32_t i = 0; i < whole; i += LANES)
        most = larger(load(s + i), most);
    const ints rest = spread((1u << (count - whole)) - 1);
    if (whole < count)
        most = larger(choose(rest, load(s + whole), splat(-INFINITY)), most);
    lanes shift = splat(-lane_max(most) * factor), factors = splat(factor), sum = splat(0);
    uint32_t i = 0;
    for (; i < whole; i += LANES) {
        lanes e = power_of_two(fma3(load(s + i), factors, shift));
        sum += e;
        store_left(out + i, e);
    }
    if (whole < count) {
        lanes e = keep_where(rest, power_of_two(fma3(load(s + i), factors, shift)));
        sum += e;
        store_left(out + i, e);
        i += LANES;
    }
    for (; i < padded; i += LANES)
        store_left(out + i, splat(0));
    return lane_sum(sum);
}

/* ---- drawing ---- */

static ALWAYS_INLINE ints admitted(const uint8_t *mask, uint32_t i)
{
#if LANES == 16
    return spread((uint32_t)mask[i / 8] | (uint32_t)mask[i / 8 + 1] << 8);
#else
    return spread((uint32_t)mask[i / 8] >> (i % 8));
#endif
}

static ALWAYS_INLINE lanes logits_at(const struct drawing *d, uint32_t i)
{
    lanes x = load(d->logits + i);
    return d->mask == NULL ? x : choose(admitted(d->mask, i), x, splat(-INFINITY));
}

/* Where a group of logits ends that begins at i; i itself where the mask admits none of it. */
static ALWAYS_INLINE uint32_t group_end(const struct drawing *d, uint32_t i)
{
    uint32_t end = i + DRAW_GROUP < d->count ? i + DRAW_GROUP : d->count;
    if (d->mask == NULL)
        return end;
    uint64_t words[DRAW_GROUP / 64];
    memcpy(words, d->mask + i / 8, sizeof(words));
    return (words[0] | words[1] | words[2] | words[3]) != 0 ? end : i;
}

static float largest(const struct drawing *d)
{
    lanes most = splat(-INFINITY);
    for (uint32_t group = 0; group < d->count; group += DRAW_GROUP) {
        uint32_t end = group_end(d, group);
        for (uint32_t i = group; i < end; i += LANES)
            most = larger(logits_at(d, i), most);
    }
    return lane_max(most);
}

/* The first token whose logit is not below `least`; 0 where there is none. */
static uint32_t first_at(const struct drawing *d, float least)
{
    for (uint32_t group = 0; group < d->count; group += DRAW_GROUP) {
        uint32_t end = group_end(d, group);
        for (uint32_t i = group; i < end; i++) {
            bool open = d->mask == NULL || (d->mask[i / 8] >> (i % 8) & 1);
            if (open && d->logits[i] >= least)
                return i;
        }
    }
    return 0;
}

static ALWAYS_INLINE lanes weights_at(const struct drawing *d, uint32_t i, float most)
{
    return power_of_two((logits_at(d, i) - splat(most)) * splat(LOG2_E / d->temperature));
}

/* The token at which the running sum of weights in one group passes `rest`. */
static uint32_t token_in(const struct drawing *d, uint32_t group, float most, double rest,
                         float *weight)
{
    uint32_t token = UINT32_MAX, end = group_end(d, group);
    for (uint32_t i = group; i < end; i += LANES) {
        float weights[LANES];
        store(weights, weights_at(d, i, most));
        for (uint32_t j = 0; j < LANES; j++) {
            if (!(weights[j] > 0))
                continue;
            token = i + j;
            *weight = weights[j];
            rest -= (double)weights[j];
            if (rest < 0)
                return token;
        }
    }
    return token;
}

static uint32_t draw(const struct drawing *d, float *logprob)
{
    for (uint32_t i = d->count; i < round_up(d->count, PANEL); i++)
        d->logits[i] = -INFINITY;
    float most = largest(d);
    *logprob = 0;
    if (!(d->temperature > COLD) || !(most > -INFINITY) || most == INFINITY)
        return first_at(d, most);
    double total = 0;
    uint32_t groups = 0;
    for (uint32_t group = 0; group < d->count; group += DRAW_GROUP) {
        lanes sum = splat(0);
        uint32_t end = group_end(d, group);
        for (uint32_t i = group; i < end; i += LANES)
            sum += weights_at(d, i, most);
        d->sums[groups] = lane_sum(sum);
        total += (double)d->sums[groups++];
    }
    double rest = d->unit * total;
    uint32_t group = 0, last = 0;
    for (; group < groups; group++) {
        last = d->sums[group] > 0 ? group : last;
        if (rest < (double)d->sums[group])
            break;
        rest -= (double)d->sums[group];
    }
    float weight = 1;
    uint32_t token = token_in(d, (group < groups ? group : last) * DRAW_GROUP, most, rest, &weight);
    *logprob = (float)log((double)weight / total);
    return token;
}

static void fill_rows(struct kernel *k)
{
    k->norm = norm;
    k->gate = gate;
    k->turn = turn;
    k->narrow = narrow;
    k->widen = k->narrow_right ? widen_narrow : widen_wide;
    k->keep = k->narrow_right ? keep_narrow : keep_wide;
    k->softmax = softmax;
    k->draw = draw;
}
