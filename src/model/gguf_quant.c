/* gguf_quant: the block formats of tensors, and their values as f32. Source of the layouts: ggml. */
#include "elm/gguf.h"

#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "model files are little-endian");

/* Every type of the format, so that a file with others is read as far as it goes. */
static const struct layout {
    const char *name;
    uint16_t elements, bytes;    /* of a block */
} layouts[] = {
    [ELM_GGUF_F32] = {"F32", 1, 4}, [ELM_GGUF_F16] = {"F16", 1, 2},
    [ELM_GGUF_Q4_0] = {"Q4_0", 32, 18}, [ELM_GGUF_Q4_1] = {"Q4_1", 32, 20},
    [ELM_GGUF_Q5_0] = {"Q5_0", 32, 22}, [ELM_GGUF_Q5_1] = {"Q5_1", 32, 24},
    [ELM_GGUF_Q8_0] = {"Q8_0", 32, 34}, [9] = {"Q8_1", 32, 36}, [10] = {"Q2_K", 256, 84},
    [11] = {"Q3_K", 256, 110}, [ELM_GGUF_Q4_K] = {"Q4_K", 256, 144}, [13] = {"Q5_K", 256, 176},
    [ELM_GGUF_Q6_K] = {"Q6_K", 256, 210}, [15] = {"Q8_K", 256, 292},
    [16] = {"IQ2_XXS", 256, 66}, [17] = {"IQ2_XS", 256, 74}, [18] = {"IQ3_XXS", 256, 98},
    [19] = {"IQ1_S", 256, 50}, [20] = {"IQ4_NL", 32, 18}, [21] = {"IQ3_S", 256, 110},
    [22] = {"IQ2_S", 256, 82}, [23] = {"IQ4_XS", 256, 136}, [24] = {"I8", 1, 1},
    [25] = {"I16", 1, 2}, [26] = {"I32", 1, 4}, [27] = {"I64", 1, 8}, [28] = {"F64", 1, 8},
    [29] = {"IQ1_M", 256, 56}, [ELM_GGUF_BF16] = {"BF16", 1, 2}, [34] = {"TQ1_0", 256, 54},
    [35] = {"TQ2_0", 256, 66}, [39] = {"MXFP4", 32, 17},
};

static const struct layout *layout_of(uint32_t type)
{
    return type < ELM_COUNT(layouts) && layouts[type].name != NULL ? &layouts[type] : NULL;
}

const char *elm_gguf_type_name(uint32_t type)
{
    const struct layout *l = layout_of(type);
    return l == NULL ? NULL : l->name;
}

size_t elm_gguf_row_bytes(uint32_t type, uint64_t n)
{
    const struct layout *l = layout_of(type);
    size_t bytes;
    if (l == NULL || n % l->elements != 0 ||
        __builtin_mul_overflow(n / l->elements, l->bytes, &bytes))
        return 0;
    return bytes;
}

static uint16_t u16_at(const uint8_t *at)
{
    uint16_t v;
    memcpy(&v, at, sizeof(v));
    return v;
}

static uint32_t u32_at(const uint8_t *at)
{
    uint32_t v;
    memcpy(&v, at, sizeof(v));
    return v;
}

static float from_bits(uint32_t bits)
{
    float v;
    memcpy(&v, &bits, sizeof(v));
    return v;
}

static float half(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = (h >> 10) & 31, fraction = h & 1023;
    if (exponent == 0) {    /* zero or subnormal: a multiple of 2^-24, exact in f32 */
        float v = (float)fraction * 0x1p-24f;
        return sign != 0 ? -v : v;
    }
    if (exponent == 31)
        return from_bits(sign | 0x7f800000 | fraction << 13);
    return from_bits(sign | (exponent + 112) << 23 | fraction << 13);
}

static float half_at(const uint8_t *at)
{
    return half(u16_at(at));
}

/* Blocks of 32: the low halves of the 16 bytes are elements 0..15, the high ones 16..31. */
static void q4_0(const uint8_t *b, float *out)
{
    float d = half_at(b);
    for (int j = 0; j < 16; j++) {
        out[j] = (float)((b[2 + j] & 15) - 8) * d;
        out[j + 16] = (float)((b[2 + j] >> 4) - 8) * d;
    }
}

static void q4_1(const uint8_t *b, float *out)
{
    float d = half_at(b), m = half_at(b + 2);
    for (int j = 0; j < 16; j++) {
        out[j] = (float)(b[4 + j] & 15) * d + m;
        out[j + 16] = (float)(b[4 + j] >> 4) * d + m;
    }
}

static void q5_0(const uint8_t *b, float *out)
{
    float d = half_at(b);
    uint32_t high = u32_at(b + 2);
    for (int j = 0; j < 16; j++) {
        out[j] = (float)((int)((b[6 + j] & 15) | ((high >> j) & 1) << 4) - 16) * d;
        out[j + 16] = (float)((int)((b[6 + j] >> 4) | ((high >> (j + 16)) & 1) << 4) - 16) * d;
    }
}

static void q5_1(const uint8_t *b, float *out)
{
    float d = half_at(b), m = half_at(b + 2);
    uint32_t high = u32_at(b + 4);
    for (int j = 0; j < 16; j++) {
        out[j] = (float)((b[8 + j] & 15) | ((high >> j) & 1) << 4) * d + m;
        out[j + 16] = (float)((b[8 + j] >> 4) | ((high >> (j + 16)) & 1) << 4) * d + m;
    }
}

static void q8_0(const uint8_t *b, float *out)
{
    float d = half_at(b);
    for (int j = 0; j < 32; j++)
        out[j] = (float)(int8_t)b[2 + j] * d;
}

/* Eight scales and eight minimums of six bits in twelve bytes. */
static void k_scale(const uint8_t *s, int i, int *scale, int *minimum)
{
    if (i < 4) {
        *scale = s[i] & 63;
        *minimum = s[i + 4] & 63;
    } else {
        *scale = (s[i + 4] & 15) | (s[i - 4] >> 6) << 4;
        *minimum = s[i + 4] >> 4 | (s[i] >> 6) << 4;
    }
}

static void q4_k(const uint8_t *b, float *out)
{
    float d = half_at(b), dmin = half_at(b + 2);
    for (int i = 0; i < 8; i++) {    /* 32 elements each; a pair shares 32 bytes */
        int scale, minimum, shift = i % 2 * 4;
        k_scale(b + 4, i, &scale, &minimum);
        float s = d * (float)scale, m = dmin * (float)minimum;
        const uint8_t *q = b + 16 + i / 2 * 32;
        for (int j = 0; j < 32; j++)
            out[i * 32 + j] = s * (float)(q[j] >> shift & 15) - m;
    }
}

static void q6_k(const uint8_t *b, float *out)
{
    float d = half_at(b + 208);
    for (int i = 0; i < 8; i++) {    /* 32 elements each, four to a half */
        int part = i % 4;
        const uint8_t *low = b + i / 4 * 64 + part % 2 * 32, *high = b + 128 + i / 4 * 32;
        const uint8_t *scales = b + 192 + i * 2;
        for (int j = 0; j < 32; j++) {
            int q = (low[j] >> (part / 2 * 4) & 15) | (high[j] >> (part * 2) & 3) << 4;
            out[i * 32 + j] = d * (float)(int8_t)scales[j / 16] * (float)(q - 32);
        }
    }
}

static void plain(uint32_t type, const uint8_t *at, uint64_t n, float *out)
{
    if (type == ELM_GGUF_F32) {
        memcpy(out, at, n * sizeof(*out));
        return;
    }
    for (uint64_t i = 0; i < n; i++) {
        uint16_t v = u16_at(at + i * 2);
        out[i] = type == ELM_GGUF_F16 ? half(v) : from_bits((uint32_t)v << 16);
    }
}

bool elm_gguf_dequantize(uint32_t type, const void *row, uint64_t n, float *out)
{
    void (*block)(const uint8_t *b, float *values);
    switch (type) {
    case ELM_GGUF_F32:
    case ELM_GGUF_F16:
    case ELM_GGUF_BF16: plain(type, row, n, out); return true;
    case ELM_GGUF_Q4_0: block = q4_0; break;
    case ELM_GGUF_Q4_1: block = q4_1; break;
    case ELM_GGUF_Q5_0: block = q5_0; break;
    case ELM_GGUF_Q5_1: block = q5_1; break;
    case ELM_GGUF_Q8_0: block = q8_0; break;
    case ELM_GGUF_Q4_K: block = q4_k; break;
    case ELM_GGUF_Q6_K: block = q6_k; break;
    default: return false;
    }
    const struct layout *l = layout_of(type);
    ELM_ASSERT(n % l->elements == 0);
    const uint8_t *at = row;
    for (uint64_t i = 0; i < n / l->elements; i++)
        block(at + i * l->bytes, out + i * l->elements);
    return true;
}
