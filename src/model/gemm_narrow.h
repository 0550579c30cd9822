/*
 * gemm_narrow: packing to pairs of bf16, after gemm_turn.h. A pair is two steps of depth of a line,
 * the first one in the low half. Depths are padded to 16. Needs AVX512 with bf16.
 */

/* As many floats as there are, up to sixteen, then zeros. */
static ALWAYS_INLINE __m512 load_some(const float *from, uint32_t have)
{
    return have >= 16 ? _mm512_loadu_ps(from)
                      : _mm512_maskz_loadu_ps((__mmask16)((1u << have) - 1), from);
}

static ALWAYS_INLINE uint32_t left_of(uint32_t count, uint32_t at)
{
    return count > at ? count - at : 0;
}

/* A pair of each of up to sixteen lines, from two rows. */
static ALWAYS_INLINE __m512i zip(const struct gemm_packing *p, uint32_t line, uint32_t depth)
{
    const float *from = p->from + line + depth * p->step;
    const uint32_t lines = left_of(p->lines, line);
    __m512i low = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(
        load_some(from, depth < p->depth ? lines : 0)));
    __m512i high = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(
        load_some(from + p->step, depth + 1 < p->depth ? lines : 0)));
    return _mm512_or_si512(low, _mm512_slli_epi32(high, 16));
}

/* Eight pairs of each of eight lines. */
static ALWAYS_INLINE void eight_by_eight(const struct gemm_packing *p, uint32_t line,
                                         uint32_t depth, uint32_t *to, uint32_t width)
{
    __m256 r[8];
    UNROLL for (uint32_t i = 0; i < 8; i++) {
        const uint32_t have = line + i < p->lines ? left_of(p->depth, depth) : 0;
        r[i] = _mm256_castsi256_ps((__m256i)_mm512_cvtneps_pbh(
            load_some(p->from + (line + i) * p->line_step + depth, have)));
    }
    turn_rows(r);
    UNROLL for (int i = 0; i < 8; i++)
        _mm256_storeu_ps((float *)(void *)(to + (size_t)i * width), r[i]);
}

/* Element (line, pair) at pair * width + line. */
static ALWAYS_INLINE void pack_pairs(const struct gemm_packing *p, uint32_t width)
{
    uint32_t *to = p->to;
    if (p->line_step == 1) {
        for (uint32_t depth = 0; depth < p->padded; depth += 2, to += width) {
            __m512i pairs = zip(p, 0, depth);
            if (width == PANEL)
                _mm512_storeu_si512(to, pairs);
            else
                _mm256_storeu_si256((__m256i *)(void *)to, _mm512_castsi512_si256(pairs));
        }
        return;
    }
    for (uint32_t depth = 0; depth < p->padded; depth += 16, to += 8 * width) {
        for (uint32_t line = 0; line < width; line += 8)
            eight_by_eight(p, line, depth, to + line, width);
    }
}

static void pack_right(const struct gemm_packing *p)
{
    pack_pairs(p, PANEL);
}
