/* column: bytes through zstd; numbers and strings through a dictionary of the row's own. */
#include "store/column.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "store/pack.h"

#define LEVEL 3
#define COLUMN_BYTES_MAX (PACK_BYTES_AIM + PACK_EDIT_BYTES_MAX)

struct column_writer {
    ZSTD_CCtx *zstd;
    struct elm_buf squeezed;
    struct elm_buf plain;
    uint64_t sorted[PACK_ATTEMPTS_MAX];
    const char *words[PACK_ATTEMPTS_MAX];
    uint32_t index[PACK_ATTEMPTS_MAX];
};

struct column_writer *column_writer_new(void)
{
    struct column_writer *w = elm_calloc(1, sizeof(*w));
    w->zstd = ZSTD_createCCtx();
    ELM_ASSERT(w->zstd != NULL);
    return w;
}

void column_writer_free(struct column_writer *w)
{
    if (w == NULL)
        return;
    ZSTD_freeCCtx(w->zstd);
    elm_buf_release(&w->squeezed);
    elm_buf_release(&w->plain);
    free(w);
}

/* Length, twice, plus 1 where it is compressed; then that length; then the bytes. */
void column_bytes(struct column_writer *w, const void *bytes, size_t len, struct elm_buf *out)
{
    ELM_ASSERT(len <= COLUMN_BYTES_MAX);
    size_t squeezed = len;
    if (len > 0) {
        elm_buf_clear(&w->squeezed);
        elm_buf_reserve(&w->squeezed, ZSTD_compressBound(len));
        squeezed = ZSTD_compressCCtx(w->zstd, w->squeezed.ptr, w->squeezed.cap, bytes, len, LEVEL);
        ELM_ASSERT(!ZSTD_isError(squeezed));
    }
    bool smaller = squeezed < len;
    elm_buf_varint(out, len * 2 + smaller);
    if (smaller)
        elm_buf_varint(out, squeezed);
    elm_buf_add(out, smaller ? w->squeezed.ptr : bytes, smaller ? squeezed : len);
}

static int compare_numbers(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* One byte an index, and a plane of the high bytes where there are more than 256 words. */
static void put_index(struct column_writer *w, uint32_t words, uint32_t count,
                      struct elm_buf *out)
{
    elm_buf_clear(&w->plain);
    for (uint32_t shift = 0; shift == 0 || (shift == 8 && words > 256); shift += 8) {
        for (uint32_t i = 0; i < count; i++)
            elm_buf_byte(&w->plain, (uint8_t)(w->index[i] >> shift));
    }
    column_bytes(w, w->plain.ptr, w->plain.len, out);
}

void column_numbers(struct column_writer *w, const uint64_t *values, uint32_t count,
                    struct elm_buf *out)
{
    ELM_ASSERT(count <= PACK_ATTEMPTS_MAX);
    if (count == 0)
        return;
    memcpy(w->sorted, values, count * sizeof(values[0]));
    qsort(w->sorted, count, sizeof(w->sorted[0]), compare_numbers);
    uint32_t words = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (i == 0 || w->sorted[i] != w->sorted[words - 1])
            w->sorted[words++] = w->sorted[i];
    }
    elm_buf_clear(&w->plain);
    for (uint32_t i = 0; i < words; i++)
        elm_buf_varint(&w->plain, w->sorted[i] - (i > 0 ? w->sorted[i - 1] : 0));
    elm_buf_varint(out, words);
    column_bytes(w, w->plain.ptr, w->plain.len, out);
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t *at = bsearch(&values[i], w->sorted, words, sizeof(w->sorted[0]),
                                     compare_numbers);
        w->index[i] = (uint32_t)(at - w->sorted);
    }
    put_index(w, words, count, out);
}

static int compare_strings(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void column_strings(struct column_writer *w, const char *const *strings, uint32_t count,
                    struct elm_buf *out)
{
    ELM_ASSERT(count <= PACK_ATTEMPTS_MAX);
    if (count == 0)
        return;
    for (uint32_t i = 0; i < count; i++)
        w->words[i] = strings[i];
    qsort(w->words, count, sizeof(w->words[0]), compare_strings);
    uint32_t words = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (i == 0 || strcmp(w->words[i], w->words[words - 1]) != 0)
            w->words[words++] = w->words[i];
    }
    elm_buf_clear(&w->plain);
    for (uint32_t i = 0; i < words; i++)
        elm_buf_add(&w->plain, w->words[i], strlen(w->words[i]) + 1);
    elm_buf_varint(out, words);
    column_bytes(w, w->plain.ptr, w->plain.len, out);
    for (uint32_t i = 0; i < count; i++) {
        const char *const *at = bsearch(&strings[i], w->words, words, sizeof(w->words[0]),
                                        compare_strings);
        w->index[i] = (uint32_t)(at - w->words);
    }
    put_index(w, words, count, out);
}

/* ---- reading ---- */
static struct elm_reader bad_row(struct elm_reader *row)
{
    row->bad = true;
    return (struct elm_reader){.bad = true};
}

struct elm_reader column_read(struct elm_reader *row, struct elm_arena *arena)
{
    uint64_t head = elm_read_varint(row), len = head / 2;
    if (len > COLUMN_BYTES_MAX)
        return bad_row(row);
    if ((head & 1) == 0) {
        const void *plain = elm_read_bytes(row, len);
        return row->bad ? bad_row(row) : elm_reader(plain, len);
    }
    uint64_t squeezed = elm_read_varint(row);
    const void *from = elm_read_bytes(row, squeezed);
    /* zstd never shrinks by more: a hostile length is not believed */
    if (row->bad || len > (squeezed + 64) * 65536)
        return bad_row(row);
    void *to = elm_arena_alloc(arena, len);
    size_t got = ZSTD_decompress(to, len, from, squeezed);
    return ZSTD_isError(got) || got != len ? bad_row(row) : elm_reader(to, len);
}

static const uint8_t *read_index(struct elm_reader *row, uint64_t words, uint32_t count,
                                 struct elm_arena *arena)
{
    struct elm_reader plane = column_read(row, arena);
    size_t want = words > 256 ? (size_t)count * 2 : count;
    if (words == 0 || words > count || (size_t)(plane.end - plane.at) != want)
        row->bad = true;
    return row->bad ? NULL : plane.at;
}

static uint64_t index_at(const uint8_t *index, uint64_t words, uint32_t count, uint32_t i)
{
    return index[i] + (words > 256 ? (uint64_t)index[count + i] << 8 : 0);
}

const uint64_t *column_read_numbers(struct elm_reader *row, uint32_t count,
                                    struct elm_arena *arena)
{
    uint64_t *values = elm_arena_alloc(arena, (count + 1) * sizeof(values[0]));
    if (count == 0)
        return values;
    uint64_t words = elm_read_varint(row);
    struct elm_reader deltas = column_read(row, arena);
    const uint8_t *index = read_index(row, words, count, arena);
    if (index == NULL)
        return NULL;
    uint64_t *word = elm_arena_alloc(arena, words * sizeof(word[0]));
    for (uint64_t i = 0; i < words; i++)
        word[i] = elm_read_varint(&deltas) + (i > 0 ? word[i - 1] : 0);
    row->bad |= deltas.bad || deltas.at != deltas.end;
    for (uint32_t i = 0; i < count && !row->bad; i++) {
        uint64_t at = index_at(index, words, count, i);
        row->bad |= at >= words;
        values[i] = row->bad ? 0 : word[at];
    }
    return row->bad ? NULL : values;
}

const char *const *column_read_strings(struct elm_reader *row, uint32_t count, size_t bytes_max,
                                       struct elm_arena *arena)
{
    const char **values = elm_arena_alloc(arena, (count + 1) * sizeof(values[0]));
    if (count == 0)
        return values;
    uint64_t words = elm_read_varint(row);
    struct elm_reader bytes = column_read(row, arena);
    const uint8_t *index = read_index(row, words, count, arena);
    if (index == NULL)
        return NULL;
    const char **word = elm_arena_alloc(arena, words * sizeof(word[0]));
    for (uint64_t i = 0; i < words && !row->bad; i++) {
        size_t left = (size_t)(bytes.end - bytes.at);
        word[i] = (const char *)bytes.at;
        size_t len = strnlen(word[i], left);
        row->bad |= len == left || len >= bytes_max;
        elm_read_bytes(&bytes, row->bad ? 0 : len + 1);
    }
    row->bad |= bytes.at != bytes.end;
    for (uint32_t i = 0; i < count && !row->bad; i++) {
        uint64_t at = index_at(index, words, count, i);
        row->bad |= at >= words;
        values[i] = row->bad ? NULL : word[at];
    }
    return row->bad ? NULL : values;
}
