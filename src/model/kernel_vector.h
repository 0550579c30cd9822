/*
 * kernel_vector: vectors of LANES (4, 8 or 16) floats for the kernels, as GNU vectors, and the few
 * words that the compiler has none for. Included inside the target of one instruction set, after
 * the headers that it needs.
 */
#define VECTORS (PANEL / LANES)

typedef float lanes __attribute__((vector_size(4 * LANES)));
typedef int32_t ints __attribute__((vector_size(4 * LANES)));
typedef float lanes_at __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef int32_t ints_at __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

static ALWAYS_INLINE lanes load(const float *at)
{
    return *(const lanes_at *)at;
}

static ALWAYS_INLINE void store(float *at, lanes x)
{
    *(lanes_at *)at = x;
}

static ALWAYS_INLINE ints load_ints(const void *at)
{
    return *(const ints_at *)at;
}

static ALWAYS_INLINE void store_ints(void *at, ints x)
{
    *(ints_at *)at = x;
}

#if LANES == 16
static ALWAYS_INLINE lanes splat(float x) { return (lanes)_mm512_set1_ps(x); }
static ALWAYS_INLINE lanes fma3(lanes a, lanes b, lanes c)
{
    return (lanes)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
}
static ALWAYS_INLINE lanes larger(lanes a, lanes b)
{
    return (lanes)_mm512_max_ps((__m512)a, (__m512)b);
}
static ALWAYS_INLINE float lane_sum(lanes a) { return _mm512_reduce_add_ps((__m512)a); }
static ALWAYS_INLINE float lane_max(lanes a) { return _mm512_reduce_max_ps((__m512)a); }
static ALWAYS_INLINE ints spread(uint32_t bits)
{
    return (ints)_mm512_movm_epi32((__mmask16)bits);
}
#elif LANES == 8
static ALWAYS_INLINE lanes splat(float x) { return (lanes)_mm256_set1_ps(x); }
static ALWAYS_INLINE lanes fma3(lanes a, lanes b, lanes c)
{
    return (lanes)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
}
static ALWAYS_INLINE lanes larger(lanes a, lanes b)
{
    return (lanes)_mm256_max_ps((__m256)a, (__m256)b);
}
#else
static ALWAYS_INLINE lanes splat(float x) { return (lanes){x, x, x, x}; }
static ALWAYS_INLINE lanes fma3(lanes a, lanes b, lanes c) { return a * b + c; }
static ALWAYS_INLINE lanes larger(lanes a, lanes b)
{
    ints take = a > b;
    return (lanes)(((ints)a & take) | ((ints)b & ~take));
}
#endif

#if LANES < 16
static ALWAYS_INLINE float lane_sum(lanes a)
{
    float s = (a[0] + a[1]) + (a[2] + a[3]);
#if LANES == 8
    s += (a[4] + a[5]) + (a[6] + a[7]);
#endif
    return s;
}

static ALWAYS_INLINE float lane_max(lanes a)
{
    float most = a[0];
    for (int i = 1; i < LANES; i++)
        most = a[i] > most ? a[i] : most;
    return most;
}

/* All bits of lane i where bit i of `bits` is set. */
static ALWAYS_INLINE ints spread(uint32_t bits)
{
#if LANES == 8
    const ints powers = {1, 2, 4, 8, 16, 32, 64, 128};
#else
    const ints powers = {1, 2, 4, 8};
#endif
    ints all = powers - powers + (int32_t)bits;
    return (all & powers) != 0;
}
#endif

static ALWAYS_INLINE lanes swap_pairs(lanes x)
{
#if LANES == 16
    return __builtin_shufflevector(x, x, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
#elif LANES == 8
    return __builtin_shufflevector(x, x, 1, 0, 3, 2, 5, 4, 7, 6);
#else
    return __builtin_shufflevector(x, x, 1, 0, 3, 2);
#endif
}

static ALWAYS_INLINE lanes keep_where(ints take, lanes x)
{
    return (lanes)((ints)x & take);
}

static ALWAYS_INLINE lanes choose(ints take, lanes x, lanes other)
{
    return (lanes)(((ints)x & take) | ((ints)other & ~take));
}

/* 2^x for x <= 127; exactly 0 below -125. Relative error 2e-7: the fraction by a polynomial through
 * the Chebyshev points, the whole part added to the exponent. */
static ALWAYS_INLINE lanes power_of_two(lanes x)
{
    const lanes magic = splat(12582912.0f);    /* 1.5 * 2^23: leaves the rounded part in low bits */
    lanes t = x + magic;
    lanes f = x - (t - magic);
    lanes p = splat(0.0013390863f);
    p = fma3(p, f, splat(0.0096760319f));
    p = fma3(p, f, splat(0.0555035711f));
    p = fma3(p, f, splat(0.2402210749f));
    p = fma3(p, f, splat(0.6931471880f));
    p = fma3(p, f, splat(1.0f));
    ints power = (ints)p + ((ints)t << 23);
    return keep_where(x >= splat(-125.0f), (lanes)power);
}

/* The bits of bf16 in the low half of each lane. */
static ALWAYS_INLINE ints bf16_bits(lanes x)
{
    ints u = (ints)x;
    ints bits = (u + 0x7fff + ((u >> 16) & 1)) >> 16 & 0xffff;
    /* rounding must not make an infinity of what is no number */
    ints broken = x != x;
    return (bits & ~broken) | (0x7fc0 & broken);
}
