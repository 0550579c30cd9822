/* unicode: UTF-8 and the classes of its code points. */
#include "model/unicode.h"

enum unicode_class unicode_class(uint32_t point)
{
    uint32_t lo = 0, hi = unicode_start_count;    /* the stretch is in [lo, hi) */
    while (hi - lo > 1) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (unicode_starts[mid] >> 3 <= point)
            lo = mid;
        else
            hi = mid;
    }
    return (enum unicode_class)(unicode_starts[lo] & 7);
}

static enum unicode_class ascii_class(uint8_t c)
{
    uint8_t lower = c | 32;
    if (lower >= 'a' && lower <= 'z')
        return UNICODE_LETTER;
    if (c >= '0' && c <= '9')
        return UNICODE_NUMBER;
    if (c == ' ' || (c >= '\t' && c <= '\r'))
        return UNICODE_SPACE;
    return c < ' ' ? UNICODE_OTHER : unicode_class(c);
}

size_t unicode_next(struct elm_str text, enum unicode_class *out)
{
    const uint8_t *at = (const uint8_t *)text.ptr;
    if (at[0] < 0x80) {
        *out = ascii_class(at[0]);
        return 1;
    }
    *out = UNICODE_OTHER;
    size_t len = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
    if (at[0] < 0xc2 || at[0] > 0xf4 || len > text.len)
        return 1;
    uint32_t point = at[0] & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 1;
        point = point << 6 | (at[i] & 0x3f);
    }
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    if (point < least[len] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
        return 1;
    *out = unicode_class(point);
    return len;
}
