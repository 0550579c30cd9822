/*
 * kernel_amx: products by the tiles of AMX (Sapphire Rapids and later); the rest is kernel_bf16's.
 * A tile of the right side is 16 pairs of one panel, as it lies. Tiles 0-3 hold the result, 4 and 5
 * the left side, 6 and 7 the right one.
 */
#include "model/kernel.h"

#if defined(__x86_64__) && defined(__linux__)

#include <cpuid.h>
#include <immintrin.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TILE_ROWS 16
#define TILE_BYTES 1024          /* of a right side: 16 pairs of 16 columns */
#define AHEAD 4
#define ARCH_REQ_XCOMP_PERM 0x1023
#define XFEATURE_XTILEDATA 18

struct tile_shapes {
    uint8_t palette, start, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
};

TARGET_BEGIN("amx-tile,amx-bf16")

/* Rows of the upper and of the lower half; a change costs as much as fifteen products of tiles. */
static void shape(struct kernel_state *s, uint32_t upper, uint32_t lower)
{
    uint32_t tiles = upper << 8 | lower;
    if (s->tiles == tiles)
        return;
    struct tile_shapes c = {.palette = 1};
    for (int i = 0; i < 8; i++)
        c.row_bytes[i] = 64;
    c.rows[0] = c.rows[1] = c.rows[4] = (uint8_t)upper;
    c.rows[2] = c.rows[3] = c.rows[5] = (uint8_t)(lower > 0 ? lower : upper);
    c.rows[6] = c.rows[7] = 16;
    /* gcc 12 believes that the instruction reads eight bytes */
    __asm__ volatile("ldtilecfg %0" : : "m"(c));
    s->tiles = tiles;
}

/* One strip of the result: up to 32 rows of a few panels. */
struct strip {
    const char *left;
    size_t left_bytes, out_bytes;      /* from row to row */
    const void *const *rights;
    size_t from;                       /* of the first panel in a right side */
    size_t panel_bytes;
    float *out;
    uint32_t count, steps;             /* rights, and tiles of depth of each */
    bool add;
    bool first;                        /* rows: the right side is not near yet */
};

/* Asks for the tile that is wanted AHEAD steps later: of the next panels, past the end of these. */
static ALWAYS_INLINE void fetch(const struct strip *t, const char *right, uint32_t step,
                                uint32_t panels)
{
    if (!t->first)
        return;
    right += AHEAD * TILE_BYTES + (step + AHEAD >= t->steps ? (panels - 1) * t->panel_bytes : 0);
    for (uint32_t p = 0; p < panels; p++, right += t->panel_bytes) {
        UNROLL for (int i = 0; i < TILE_BYTES; i += 64)
            _mm_prefetch(right + i, _MM_HINT_T1);
    }
}

/* More than 16 rows, two panels. */
static void tall(const struct strip *t)
{
    const char *left = t->left, *low = left + TILE_ROWS * t->left_bytes;
    char *out = (char *)t->out, *low_out = out + TILE_ROWS * t->out_bytes;
    if (t->add) {
        _tile_loadd(0, out, t->out_bytes);
        _tile_loadd(1, out + 64, t->out_bytes);
        _tile_loadd(2, low_out, t->out_bytes);
        _tile_loadd(3, low_out + 64, t->out_bytes);
    } else {
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
    }
    for (uint32_t i = 0; i < t->count; i++) {
        const char *right = (const char *)t->rights[i] + t->from;
        for (uint32_t k = 0; k < t->steps; k++) {
            fetch(t, right, k, 2);
            /* past the first cache, which the left side is to stay in */
            _tile_loadd(4, left, t->left_bytes);
            _tile_stream_loadd(6, right, 64);
            _tile_loadd(5, low, t->left_bytes);
            _tile_stream_loadd(7, right + t->panel_bytes, 64);
            _tile_dpbf16ps(0, 4, 6);
            _tile_dpbf16ps(1, 4, 7);
            _tile_dpbf16ps(2, 5, 6);
            _tile_dpbf16ps(3, 5, 7);
            left += 64;
            low += 64;
            right += TILE_BYTES;
        }
    }
    _tile_stored(0, out, t->out_bytes);
    _tile_stored(1, out + 64, t->out_bytes);
    _tile_stored(2, low_out, t->out_bytes);
    _tile_stored(3, low_out + 64, t->out_bytes);
}

/* More than 16 rows, one panel. */
static void thin(const struct strip *t)
{
    const char *left = t->left, *low = left + TILE_ROWS * t->left_bytes;
    char *out = (char *)t->out, *low_out = out + TILE_ROWS * t->out_bytes;
    if (t->add) {
        _tile_loadd(0, out, t->out_bytes);
        _tile_loadd(2, low_out, t->out_bytes);
    } else {
        _tile_zero(0);
        _tile_zero(2);
    }
    for (uint32_t i = 0; i < t->count; i++) {
        const char *right = (const char *)t->rights[i] + t->from;
        for (uint32_t k = 0; k < t->steps; k++) {
            _tile_loadd(4, left, t->left_bytes);
            _tile_loadd(5, low, t->left_bytes);
            _tile_loadd(6, right, 64);
            _tile_dpbf16ps(0, 4, 6);
            _tile_dpbf16ps(2, 5, 6);
            left += 64;
            low += 64;
            right += TILE_BYTES;
        }
    }
    _tile_stored(0, out, t->out_bytes);
    _tile_stored(2, low_out, t->out_bytes);
}

/* Up to 16 rows, four panels. */
static void broad(const struct strip *t)
{
    const char *left = t->left;
    char *out = (char *)t->out;
    if (t->add) {
        _tile_loadd(0, out, t->out_bytes);
        _tile_loadd(1, out + 64, t->out_bytes);
        _tile_loadd(2, out + 128, t->out_bytes);
        _tile_loadd(3, out + 192, t->out_bytes);
    } else {
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
    }
    for (uint32_t i = 0; i < t->count; i++) {
        const char *right = (const char *)t->rights[i] + t->from;
        for (uint32_t k = 0; k < t->steps; k++) {
            fetch(t, right, k, 4);
            _tile_loadd(4, left, t->left_bytes);
            _tile_loadd(6, right, 64);
            _tile_loadd(7, right + t->panel_bytes, 64);
            _tile_dpbf16ps(0, 4, 6);
            _tile_dpbf16ps(1, 4, 7);
            _tile_loadd(6, right + 2 * t->panel_bytes, 64);
            _tile_loadd(7, right + 3 * t->panel_bytes, 64);
            _tile_dpbf16ps(2, 4, 6);
            _tile_dpbf16ps(3, 4, 7);
            left += 64;
            right += TILE_BYTES;
        }
    }
    _tile_stored(0, out, t->out_bytes);
    _tile_stored(1, out + 64, t->out_bytes);
    _tile_stored(2, out + 128, t->out_bytes);
    _tile_stored(3, out + 192, t->out_bytes);
}

/* Up to 16 rows, two panels. */
static void pair(const struct strip *t)
{
    const char *left = t->left;
    char *out = (char *)t->out;
    if (t->add) {
        _tile_loadd(0, out, t->out_bytes);
        _tile_loadd(1, out + 64, t->out_bytes);
    } else {
        _tile_zero(0);
        _tile_zero(1);
    }
    for (uint32_t i = 0; i < t->count; i++) {
        const char *right = (const char *)t->rights[i] + t->from;
        for (uint32_t k = 0; k < t->steps; k++) {
            _tile_loadd(4, left, t->left_bytes);
            _tile_loadd(6, right, 64);
            _tile_loadd(7, right + t->panel_bytes, 64);
            _tile_dpbf16ps(0, 4, 6);
            _tile_dpbf16ps(1, 4, 7);
            left += 64;
            right += TILE_BYTES;
        }
    }
    _tile_stored(0, out, t->out_bytes);
    _tile_stored(1, out + 64, t->out_bytes);
}

/* Up to 16 rows, one panel. */
static void small(const struct strip *t)
{
    const char *left = t->left;
    if (t->add)
        _tile_loadd(0, t->out, t->out_bytes);
    else
        _tile_zero(0);
    for (uint32_t i = 0; i < t->count; i++) {
        const char *right = (const char *)t->rights[i] + t->from;
        for (uint32_t k = 0; k < t->steps; k++) {
            _tile_loadd(4, left, t->left_bytes);
            _tile_loadd(6, right, 64);
            _tile_dpbf16ps(0, 4, 6);
            left += 64;
            right += TILE_BYTES;
        }
    }
    _tile_stored(0, t->out, t->out_bytes);
}

/* Up to 32 rows of 1, 2 or 4 panels. */
static void rows_of(struct kernel_state *s, const struct strip *t, uint32_t rows, uint32_t panels)
{
    if (rows > TILE_ROWS) {
        shape(s, TILE_ROWS, rows - TILE_ROWS);
        if (panels == 2)
            tall(t);
        else
            thin(t);
        return;
    }
    shape(s, rows, 0);
    if (panels == 4)
        broad(t);
    else if (panels == 2)
        pair(t);
    else
        small(t);
}

/* All panels, for all rows: panels outside, so that each is fetched once. */
static void multiply(struct kernel_state *s, const struct product *p, const struct strip *first)
{
    const uint32_t widest = p->rows <= TILE_ROWS ? 4 : 2;
    struct strip t = *first;
    for (uint32_t panel = 0, some; panel < p->panels; panel += some) {
        uint32_t rest = p->panels - panel;
        some = rest >= widest ? widest : rest >= 2 ? 2 : 1;
        t.from = panel * t.panel_bytes;
        for (uint32_t row = 0; row < p->rows; row += 2 * TILE_ROWS) {
            uint32_t rows = p->rows - row < 2 * TILE_ROWS ? p->rows - row : 2 * TILE_ROWS;
            t.first = first->first && row == 0;
            t.left = first->left + row * t.left_bytes;
            t.out = first->out + row * p->out_stride + (size_t)panel * PANEL;
            rows_of(s, &t, rows, some);
        }
    }
}

static struct strip strip_of(const struct product *p)
{
    return (struct strip){
        .left = p->left, .left_bytes = p->left_stride * 2, .out_bytes = p->out_stride * 4,
        .rights = p->rights, .panel_bytes = (size_t)p->depth * PANEL * 2, .out = p->out,
        .count = p->count, .steps = p->depth / DEPTH_UNIT, .add = p->add,
    };
}

static void product(struct kernel_state *s, const struct product *p)
{
    struct strip t = strip_of(p);
    t.first = true;
    multiply(s, p, &t);
}

static void mix(struct kernel_state *s, const struct product *p)
{
    struct strip t = strip_of(p);
    multiply(s, p, &t);
}

static void scores(struct kernel_state *s, const struct product *p)
{
    struct strip t = strip_of(p);
    t.count = 1;
    for (uint32_t i = 0; i < p->count; i++) {
        t.rights = p->rights + i;
        t.out = p->out + (size_t)i * p->panels * PANEL;
        multiply(s, p, &t);
    }
}

static void begin(struct kernel_state *s)
{
    s->tiles = 0;
}

static void end(struct kernel_state *s)
{
    /* the state of tiles is 8 KiB that every switch of threads would save */
    if (s->tiles != 0)
        _tile_release();
    s->tiles = 0;
}

TARGET_END

/* The kernel gives tiles to those who ask; it may refuse (an alternative signal stack that is too
 * small for them, another system). */
bool kernel_amx_granted(void)
{
    unsigned eax, ebx, ecx, edx;
    const unsigned amx_bf16 = 1u << 22, amx_tile = 1u << 24;
    if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) || (edx & amx_bf16) == 0 ||
        (edx & amx_tile) == 0)
        return false;
    return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
}

bool kernel_amx_fill(struct kernel *k)
{
    if (!k->narrow_left || !kernel_amx_granted())
        return false;
    k->name = "amx";
    k->begin = begin;
    k->end = end;
    k->product = product;
    k->mix = mix;
    k->scores = scores;
    return true;
}

#else

bool kernel_amx_fill(struct kernel *k)
{
    (void)k;
    return false;
}

#endif
