/* buf: views, growable buffers, and the varints that everything packed is made of. */
#include "elm/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct elm_str elm_str(const char *terminated)
{
    if (terminated == NULL)
        return (struct elm_str){NULL, 0};
    return (struct elm_str){terminated, strlen(terminated)};
}

bool elm_str_equal(struct elm_str a, struct elm_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

void elm_buf_reserve(struct elm_buf *b, size_t more)
{
    size_t need = b->len + more + 1;
    if (need <= b->cap)
        return;
    size_t cap = b->cap < 64 ? 64 : b->cap;
    while (cap < need)
        cap *= 2;
    b->ptr = elm_realloc(b->ptr, cap);
    b->cap = cap;
}

void elm_buf_add(struct elm_buf *b, const void *bytes, size_t len)
{
    elm_buf_reserve(b, len);
    if (len > 0)
        memcpy(b->ptr + b->len, bytes, len);
    b->len += len;
    b->ptr[b->len] = '\0';
}

void elm_buf_add_str(struct elm_buf *b, struct elm_str s)
{
    elm_buf_add(b, s.ptr, s.len);
}

void elm_buf_byte(struct elm_buf *b, uint8_t byte)
{
    elm_buf_add(b, &byte, 1);
}

void elm_buf_printf(struct elm_buf *b, const char *format, ...)
{
    va_list args, again;
    elm_buf_reserve(b, 64);
    size_t room = b->cap - b->len;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(b->ptr + b->len, room, format, args);
    va_end(args);
    ELM_ASSERT(len >= 0);
    if ((size_t)len >= room) {
        elm_buf_reserve(b, (size_t)len);
        vsnprintf(b->ptr + b->len, (size_t)len + 1, format, again);
    }
    va_end(again);
    b->len += (size_t)len;
}

void elm_buf_varint(struct elm_buf *b, uint64_t value)
{
    uint8_t bytes[10];
    size_t len = 0;
    do {
        bytes[len++] = (uint8_t)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
        value >>= 7;
    } while (value != 0);
    elm_buf_add(b, bytes, len);
}

void elm_buf_zigzag(struct elm_buf *b, int64_t value)
{
    elm_buf_varint(b, ((uint64_t)value << 1) ^ (uint64_t)(value >> 63));
}

void elm_buf_clear(struct elm_buf *b)
{
    b->len = 0;
    if (b->ptr != NULL)
        b->ptr[0] = '\0';
}

void elm_buf_release(struct elm_buf *b)
{
    free(b->ptr);
    *b = (struct elm_buf){0};
}

struct elm_str elm_buf_str(const struct elm_buf *b)
{
    return (struct elm_str){b->ptr, b->len};
}

struct elm_reader elm_reader(const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    return (struct elm_reader){at, len > 0 ? at + len : at, false};
}

uint64_t elm_read_varint(struct elm_reader *r)
{
    uint64_t value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
        if (r->bad || r->at == r->end)
            break;
        uint8_t byte = *r->at++;
        /* the tenth byte has room for one bit only */
        if (shift == 63 && byte > 1)
            break;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return value;
    }
    r->bad = true;
    return 0;
}

int64_t elm_read_zigzag(struct elm_reader *r)
{
    uint64_t value = elm_read_varint(r);
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

uint8_t elm_read_byte(struct elm_reader *r)
{
    const uint8_t *byte = elm_read_bytes(r, 1);
    return byte == NULL ? 0 : *byte;
}

const void *elm_read_bytes(struct elm_reader *r, size_t len)
{
    if (r->bad || (size_t)(r->end - r->at) < len) {
        r->bad = true;
        return NULL;
    }
    const uint8_t *bytes = r->at;
    r->at += len;
    return bytes;
}
