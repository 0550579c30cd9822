/* rows_vector: the functions of a table of rows, over `lanes`. */
#define LOG2_E 1.44269504f
#define LOWEST (-86.0f)          /* e^x is a normal number down to here */

static ALWAYS_INLINE lanes power_of_e(lanes x)
{
    return power_of_two(larger(x, splat(LOWEST)) * splat(LOG2_E));
}

static float sum_of(const float *a, const float *b, uint32_t count)
{
    lanes sums[2] = {splat(0), splat(0)};
    uint32_t i = 0;
    for (; i + 2 * LANES <= count; i += 2 * LANES) {
        sums[0] = fma3(load(a + i), load(b + i), sums[0]);
        sums[1] = fma3(load(a + i + LANES), load(b + i + LANES), sums[1]);
    }
    float sum = lane_sum(sums[0] + sums[1]);
    for (; i < count; i++)
        sum += a[i] * b[i];
    return sum;
}

static float norm(const float *x, const float *weight, float epsilon, uint32_t width, float *out)
{
    const float factor = 1 / sqrtf(sum_of(x, x, width) / (float)width + epsilon);
    uint32_t i = 0;
    for (; i + LANES <= width; i += LANES)
        store(out + i, load(x + i) * splat(factor) * load(weight + i));
    for (; i < width; i++)
        out[i] = x[i] * factor * weight[i];
    return factor;
}

static void norm_back(const float *dout, const float *x, const float *weight, float factor,
                      uint32_t width, float *dx)
{
    lanes sums = splat(0);
    uint32_t i = 0;
    for (; i + LANES <= width; i += LANES)
        sums = fma3(load(dout + i) * load(weight + i), load(x + i), sums);
    float sum = lane_sum(sums);
    for (; i < width; i++)
        sum += dout[i] * weight[i] * x[i];
    const float pull = -sum * factor * factor * factor / (float)width;
    for (i = 0; i + LANES <= width; i += LANES) {
        lanes straight = load(dout + i) * load(weight + i) * splat(factor);
        store(dx + i, load(dx + i) + fma3(splat(pull), load(x + i), straight));
    }
    for (; i < width; i++)
        dx[i] += dout[i] * weight[i] * factor + pull * x[i];
}

static void norm_weight(const float *dout, const float *x, float factor, uint32_t width,
                        float *dweight)
{
    uint32_t i = 0;
    for (; i + LANES <= width; i += LANES)
        store(dweight + i, fma3(load(dout + i) * splat(factor), load(x + i), load(dweight + i)));
    for (; i < width; i++)
        dweight[i] += dout[i] * factor * x[i];
}

static void gate(const float *gates, const float *up, uint32_t count, float *out)
{
    uint32_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        lanes g = load(gates + i);
        store(out + i, g / (splat(1) + power_of_e(-g)) * load(up + i));
    }
    for (; i < count; i++)
        out[i] = gates[i] / (1 + expf(-gates[i])) * up[i];
}

static void gate_back(const float *gates, const float *up, const float *dout, uint32_t count,
                      float *dgate, float *dup)
{
    uint32_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        lanes g = load(gates + i), d = load(dout + i);
        lanes share = splat(1) / (splat(1) + power_of_e(-g));
        store(dup + i, d * g * share);
        store(dgate + i, d * load(up + i) * share * (splat(1) + g * (splat(1) - share)));
    }
    for (; i < count; i++) {
        float share = 1 / (1 + expf(-gates[i]));
        dup[i] = dout[i] * gates[i] * share;
        dgate[i] = dout[i] * up[i] * share * (1 + gates[i] * (1 - share));
    }
}

static void turn(float *x, const float *turns, uint32_t width, uint32_t heads, float sign)
{
    for (uint32_t h = 0; h < heads; h++, x += width) {
        uint32_t i = 0;
        for (; i + LANES <= width; i += LANES) {
            lanes v = load(x + i);
            store(x + i, fma3(swap_pairs(v), load(turns + width + i) * splat(sign),
                              v * load(turns + i)));
        }
        for (; i < width; i += 2) {
            float a = x[i], b = x[i + 1];
            x[i] = a * turns[i] + b * sign * turns[width + i];
            x[i + 1] = b * turns[i + 1] + a * sign * turns[width + i + 1];
        }
    }
}

static float largest(const float *x, uint32_t count)
{
    lanes most = splat(-INFINITY);
    uint32_t i = 0;
    for (; i + LANES <= count; i += LANES)
        most = larger(load(x + i), most);
    float one = lane_max(most);
    for (; i < count; i++)
        one = x[i] > one ? x[i] : one;
    return one;
}

/* x = e^(factor * (x - most)); returns the sum. */
static float powers(float *x, uint32_t count, float factor, float most)
{
    lanes sums = splat(0);
    uint32_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        lanes e = power_of_e((load(x + i) - splat(most)) * splat(factor));
        sums += e;
        store(x + i, e);
    }
    float sum = lane_sum(sums);
    for (; i < count; i++) {
        x[i] = expf((x[i] - most) * factor);
        sum += x[i];
    }
    return sum;
}

static void scale(float *x, uint32_t count, float factor)
{
    uint32_t i = 0;
    for (; i + LANES <= count; i += LANES)
        store(x + i, load(x + i) * splat(factor));
    for (; i < count; i++)
        x[i] *= factor;
}

static void softmax(float *s, uint32_t count, uint32_t padded, float factor)
{
    scale(s, count, 1 / powers(s, count, factor, largest(s, count)));
    memset(s + count, 0, (padded - count) * sizeof(*s));
}

static void softmax_back(const float *p, float *dp, uint32_t count, uint32_t padded, float factor)
{
    const float sum = sum_of(p, dp, count);
    uint32_t i = 0;
    for (; i + LANES <= count; i += LANES)
        store(dp + i, splat(factor) * load(p + i) * (load(dp + i) - splat(sum)));
    for (; i < count; i++)
        dp[i] = factor * p[i] * (dp[i] - sum);
    memset(dp + count, 0, (padded - count) * sizeof(*dp));
}

static double shares(float *x, uint32_t count)
{
    const float most = largest(x, count), sum = powers(x, count, 1, most);
    scale(x, count, 1 / sum);
    return (double)most + log((double)sum);
}

#define ROWS_TABLE                                                                                \
    {.norm = norm, .norm_back = norm_back, .norm_weight = norm_weight, .gate = gate,              \
     .gate_back = gate_back, .turn = turn, .softmax = softmax, .softmax_back = softmax_back,      \
     .shares = shares, .scale = scale}
