/* gemm_turn: blocks of eight by eight numbers of 32 bits, turned. Needs AVX2. */
static ALWAYS_INLINE void turn_rows(__m256 r[8])
{
    __m256 a[8], b[8];
    UNROLL for (int i = 0; i < 8; i += 2) {
        a[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
        a[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
    }
    UNROLL for (int i = 0; i < 8; i += 4) {
        b[i] = _mm256_shuffle_ps(a[i], a[i + 2], 0x44);
        b[i + 1] = _mm256_shuffle_ps(a[i], a[i + 2], 0xee);
        b[i + 2] = _mm256_shuffle_ps(a[i + 1], a[i + 3], 0x44);
        b[i + 3] = _mm256_shuffle_ps(a[i + 1], a[i + 3], 0xee);
    }
    UNROLL for (int i = 0; i < 4; i++) {
        r[i] = _mm256_permute2f128_ps(b[i], b[i + 4], 0x20);
        r[i + 4] = _mm256_permute2f128_ps(b[i], b[i + 4], 0x31);
    }
}

/* to[j * to_stride + i] = from[i * from_stride + j] */
static ALWAYS_INLINE void turn_eight(const float *from, size_t from_stride, float *to,
                                     size_t to_stride)
{
    __m256 r[8];
    UNROLL for (int i = 0; i < 8; i++)
        r[i] = _mm256_loadu_ps(from + i * from_stride);
    turn_rows(r);
    UNROLL for (int i = 0; i < 8; i++)
        _mm256_storeu_ps(to + i * to_stride, r[i]);
}
