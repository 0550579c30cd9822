/*
 * nano_rows_vector: sixteen numbers, in vectors of LANES, which the includer defines with
 * FMA_LANES(a, b, c). Sums are taken as of one vector of sixteen whatever LANES is, so AVX2 and AVX512
 * give the same bits.
 */
#define PARTS (16 / LANES)
#define EACH_PART UNROLL for (uint32_t i = 0; i < PARTS; i++)

typedef float lanes __attribute__((vector_size(4 * LANES)));
typedef int32_t int_lanes __attribute__((vector_size(4 * LANES)));
typedef uint32_t bit_lanes __attribute__((vector_size(4 * LANES)));
typedef float lanes_at __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef int32_t int_lanes_at __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef struct { lanes part[PARTS]; } v16;
typedef struct { int_lanes part[PARTS]; } i16;

static ALWAYS_INLINE v16 get(const float *at)
{
    v16 x;
    EACH_PART
        x.part[i] = *(const lanes_at *)(at + i * LANES);
    return x;
}

static ALWAYS_INLINE void put(float *at, v16 x)
{
    EACH_PART
        *(lanes_at *)(at + i * LANES) = x.part[i];
}

static ALWAYS_INLINE v16 all(float x)
{
    v16 y;
    EACH_PART
        y.part[i] = x - (lanes){0};
    return y;
}

static ALWAYS_INLINE v16 plus(v16 x, v16 y)
{
    EACH_PART
        x.part[i] += y.part[i];
    return x;
}

static ALWAYS_INLINE v16 minus(v16 x, v16 y)
{
    EACH_PART
        x.part[i] -= y.part[i];
    return x;
}

static ALWAYS_INLINE v16 times(v16 x, v16 y)
{
    EACH_PART
        x.part[i] *= y.part[i];
    return x;
}

static ALWAYS_INLINE v16 inverse(v16 x)
{
    EACH_PART
        x.part[i] = 1.0f / x.part[i];
    return x;
}

static ALWAYS_INLINE v16 scaled(v16 x, float by)
{
    return times(x, all(by));
}

/* a * b + c */
static ALWAYS_INLINE v16 fused(v16 a, v16 b, v16 c)
{
    EACH_PART
        c.part[i] = FMA_LANES(a.part[i], b.part[i], c.part[i]);
    return c;
}

static ALWAYS_INLINE lanes pick_lanes(int_lanes take, lanes a, lanes b)
{
    return (lanes)(((int_lanes)a & take) | ((int_lanes)b & ~take));
}

static ALWAYS_INLINE v16 pick(i16 take, v16 a, v16 b)
{
    EACH_PART
        a.part[i] = pick_lanes(take.part[i], a.part[i], b.part[i]);
    return a;
}

static ALWAYS_INLINE v16 larger(v16 x, v16 y)
{
    EACH_PART
        x.part[i] = pick_lanes(x.part[i] > y.part[i], x.part[i], y.part[i]);
    return x;
}

static ALWAYS_INLINE i16 below(v16 x, float y)
{
    i16 take;
    EACH_PART
        take.part[i] = x.part[i] < y;
    return take;
}

static ALWAYS_INLINE float sum16(v16 x)
{
    float all_of[16], s = 0;
    put(all_of, x);
    for (int k = 0; k < 8; k++)
        s += all_of[k] + all_of[k + 8];
    return s;
}

static ALWAYS_INLINE float max16(v16 x)
{
    float all_of[16];
    put(all_of, x);
    for (int k = 0; k < 8; k++)
        all_of[k] = all_of[k] > all_of[k + 8] ? all_of[k] : all_of[k + 8];
    for (int k = 0; k < 4; k++)
        all_of[k] = all_of[k] > all_of[k + 4] ? all_of[k] : all_of[k + 4];
    float even = all_of[0] > all_of[2] ? all_of[0] : all_of[2];
    float odd = all_of[1] > all_of[3] ? all_of[1] : all_of[3];
    return even > odd ? even : odd;
}

/* e^x for x <= 0; 0 below -87. */
static ALWAYS_INLINE lanes exponential_lanes(lanes x)
{
    lanes y = x * 1.44269504f;
    lanes t = y + 12582912.0f;
    lanes f = y - (t - 12582912.0f);
    lanes p = 0.0013390863f - (lanes){0};
    p = FMA_LANES(p, f, 0.0096760319f - (lanes){0});
    p = FMA_LANES(p, f, 0.0555035711f - (lanes){0});
    p = FMA_LANES(p, f, 0.2402210749f - (lanes){0});
    p = FMA_LANES(p, f, 0.6931471880f - (lanes){0});
    p = FMA_LANES(p, f, 1.0f - (lanes){0});
    int_lanes power = (int_lanes)p + ((int_lanes)t << 23);
    return pick_lanes(y >= -125.0f, (lanes)power, (lanes){0});
}

static ALWAYS_INLINE v16 exponential(v16 x)
{
    EACH_PART
        x.part[i] = exponential_lanes(x.part[i]);
    return x;
}

/* ln x for normal x > 0: the polynomial of the mantissa around 1 (Cephes' logf). */
static ALWAYS_INLINE lanes logarithm_lanes(lanes x)
{
    int_lanes bits = (int_lanes)x;
    int_lanes e = ((bits >> 23) & 255) - 126;
    lanes m = (lanes)((bits & (int32_t)0x807fffff) | 0x3f000000);
    int_lanes low = m < 0.70710678f;
    e += low;
    m = m + pick_lanes(low, m, (lanes){0}) - 1.0f;
    lanes z = m * m, y = 7.0376836292e-2f - (lanes){0};
    y = FMA_LANES(y, m, -1.1514610310e-1f - (lanes){0});
    y = FMA_LANES(y, m, 1.1676998740e-1f - (lanes){0});
    y = FMA_LANES(y, m, -1.2420140846e-1f - (lanes){0});
    y = FMA_LANES(y, m, 1.4249322787e-1f - (lanes){0});
    y = FMA_LANES(y, m, -1.6668057665e-1f - (lanes){0});
    y = FMA_LANES(y, m, 2.0000714765e-1f - (lanes){0});
    y = FMA_LANES(y, m, -2.4999993993e-1f - (lanes){0});
    y = FMA_LANES(y, m, 3.3333331174e-1f - (lanes){0});
    y = y * m * z;
    lanes ef = __builtin_convertvector(e, lanes);
    return m + (y - 0.5f * z) + ef * 0.693147181f;
}

static ALWAYS_INLINE v16 logarithm(v16 x)
{
    EACH_PART
        x.part[i] = logarithm_lanes(x.part[i]);
    return x;
}

static const int32_t counting[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

static ALWAYS_INLINE i16 first(uint32_t count)
{
    i16 k;
    EACH_PART
        k.part[i] = *(const int_lanes_at *)(counting + i * LANES) < (int32_t)count;
    return k;
}

/* Which of 16 bits are set. */
static ALWAYS_INLINE i16 set_of(int32_t some)
{
    static const int32_t bits[16] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192,
                                     16384, 32768};
    i16 k;
    EACH_PART
        k.part[i] = (*(const int_lanes_at *)(bits + i * LANES) & some) != 0;
    return k;
}

/* 16 uniform numbers of (0, 1): a mix of seed and place. */
static ALWAYS_INLINE v16 uniform(uint64_t seed, uint32_t at)
{
    v16 y;
    EACH_PART {
        int_lanes x = *(const int_lanes_at *)(counting + i * LANES);
        x = (x + (int32_t)at) * (int32_t)0x9e3779b1 + (int32_t)seed;
        bit_lanes u = (bit_lanes)x;
        u ^= u >> 16;
        u *= 0x85ebca6bu;
        u ^= u >> 13;
        u += (uint32_t)(seed >> 32);
        u *= 0xc2b2ae35u;
        u ^= u >> 16;
        u *= 0x27d4eb2fu;
        u ^= u >> 15;
        lanes f = __builtin_convertvector((int_lanes)(u >> 9), lanes);
        y.part[i] = (f + 0.5f) * (1.0f / 8388608.0f);
    }
    return y;
}
