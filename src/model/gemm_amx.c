/*
 * gemm_amx: products by the tiles of AMX. A strip of A is two rows of tiles, each [depth / 32] tiles
 * of 16 lines; a panel of B is a column of tiles as it lies. Tiles 0-3 hold the result, 4 and 5 the
 * left side, 6 and 7 the right one.
 */
#include "model/gemm.h"

#if defined(__x86_64__) && defined(__linux__)

#include <immintrin.h>
#include <string.h>

#define TILE_LINES 16
#define TILE_BYTES 1024
#define STRIP_ROWS (2 * TILE_LINES)
#define STEP 32                  /* of depth: a tile */

struct tile_shapes {
    uint8_t palette, start, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
};

TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma,amx-tile,amx-bf16")

#include "model/gemm_turn.h"
#include "model/gemm_narrow.h"

static void begin(void)
{
    struct tile_shapes c = {.palette = 1};
    for (int i = 0; i < 8; i++) {
        c.row_bytes[i] = 64;
        c.rows[i] = TILE_LINES;
    }
    /* gcc 12 believes that the instruction reads eight bytes */
    __asm__ volatile("ldtilecfg %0" : : "m"(c));
}

static void end(void)
{
    _tile_release();
}

static void broad(const struct gemm_tile *t)
{
    const size_t bytes = t->out_stride * sizeof(float);
    const uint32_t steps = t->depth / STEP;
    const char *left = t->left, *low = left + (size_t)steps * TILE_BYTES;
    const char *right = t->right, *other = right + t->panel_bytes;
    float *low_out = t->out + TILE_LINES * t->out_stride;
    if (t->add) {
        _tile_loadd(0, t->out, bytes);
        _tile_loadd(1, t->out + PANEL, bytes);
        _tile_loadd(2, low_out, bytes);
        _tile_loadd(3, low_out + PANEL, bytes);
    } else {
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
    }
    for (size_t at = 0; at < (size_t)steps * TILE_BYTES; at += TILE_BYTES) {
        _tile_loadd(4, left + at, 64);
        _tile_loadd(6, right + at, 64);
        _tile_loadd(5, low + at, 64);
        _tile_loadd(7, other + at, 64);
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
    _tile_stored(0, t->out, bytes);
    _tile_stored(1, t->out + PANEL, bytes);
    _tile_stored(2, low_out, bytes);
    _tile_stored(3, low_out + PANEL, bytes);
}

static void slim(const struct gemm_tile *t)
{
    const size_t bytes = t->out_stride * sizeof(float);
    const uint32_t steps = t->depth / STEP;
    const char *left = t->left, *low = left + (size_t)steps * TILE_BYTES, *right = t->right;
    float *low_out = t->out + TILE_LINES * t->out_stride;
    if (t->add) {
        _tile_loadd(0, t->out, bytes);
        _tile_loadd(2, low_out, bytes);
    } else {
        _tile_zero(0);
        _tile_zero(2);
    }
    for (size_t at = 0; at < (size_t)steps * TILE_BYTES; at += TILE_BYTES) {
        _tile_loadd(4, left + at, 64);
        _tile_loadd(6, right + at, 64);
        _tile_loadd(5, low + at, 64);
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(2, 5, 6);
    }
    _tile_stored(0, t->out, bytes);
    _tile_stored(2, low_out, bytes);
}

static void tile(const struct gemm_tile *t)
{
    if (t->panels == 2)
        broad(t);
    else
        slim(t);
}

static void pack_lines(const struct gemm_packing *p, char *to, uint32_t line)
{
    for (uint32_t i = 0; i < TILE_LINES; i++) {
        const float *from = p->from + (line + i) * p->line_step;
        const uint32_t depth = line + i < p->lines ? p->depth : 0;
        char *at = to + (size_t)i * 64;
        for (uint32_t d = 0; d < p->padded; d += STEP, at += TILE_BYTES)
            _mm512_storeu_si512(at, (__m512i)_mm512_cvtne2ps_pbh(
                load_some(from + d + 16, left_of(depth, d + 16)),
                load_some(from + d, left_of(depth, d))));
    }
}

static void pack_columns(const struct gemm_packing *p, char *to, uint32_t line)
{
    _Alignas(64) float pairs[TILE_LINES * TILE_LINES];
    for (uint32_t d = 0; d < p->padded; d += STEP, to += TILE_BYTES) {
        float *out = (float *)(void *)to;
        for (uint32_t i = 0; i < TILE_LINES; i++)
            _mm512_store_ps(pairs + i * TILE_LINES, (__m512)zip(p, line, d + 2 * i));
        for (int i = 0; i < TILE_LINES; i += 8) {
            for (int j = 0; j < TILE_LINES; j += 8)
                turn_eight(pairs + i * TILE_LINES + j, TILE_LINES, out + j * TILE_LINES + i,
                           TILE_LINES);
        }
    }
}

static void pack_left(const struct gemm_packing *p)
{
    const size_t half = (size_t)p->padded / STEP * TILE_BYTES;
    for (uint32_t line = 0; line < STRIP_ROWS; line += TILE_LINES) {
        char *to = (char *)p->to + (line == 0 ? 0 : half);
        if (p->line_step == 1)
            pack_columns(p, to, line);
        else
            pack_lines(p, to, line);
    }
}

TARGET_END

const struct gemm_kernel *gemm_amx(void)
{
    static const struct gemm_kernel kernel = {
        .name = "amx", .rows = STRIP_ROWS, .depth_unit = STEP, .depth_most = 512, .bytes = 2,
        .begin = begin, .end = end, .pack_left = pack_left, .pack_right = pack_right, .tile = tile,
    };
    return gemm_bf16() != NULL && kernel_amx_granted() ? &kernel : NULL;
}

#else

const struct gemm_kernel *gemm_amx(void)
{
    return NULL;
}

#endif
