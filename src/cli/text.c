/* text: numbers, times and foreign text as people read them. */
#include "cli/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Length of the UTF-8 sequence at p, 0 when it is broken; *code is the character. */
static size_t decode(const unsigned char *p, size_t left, uint32_t *code)
{
    size_t len = p[0] < 0x80        ? 1
                 : p[0] >> 5 == 6   ? 2
                 : p[0] >> 4 == 14  ? 3
                 : p[0] >> 3 == 30  ? 4
                                    : 0;
    if (len == 0 || len > left)
        return 0;
    uint32_t c = len == 1 ? p[0] : p[0] & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        if (p[i] >> 6 != 2)
            return 0;
        c = c << 6 | (p[i] & 0x3fu);
    }
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    *code = c;
    return len;
}

static bool steers(uint32_t c)
{
    return (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7f && c < 0xa0) ||
           (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2060 && c <= 0x206f) || c == 0x61c || c == 0xfeff ||
           (c >= 0xe0000 && c <= 0xe0fff);
}

void text_safe(struct elm_buf *out, struct elm_str text)
{
    const unsigned char *at = (const unsigned char *)text.ptr;
    for (size_t i = 0; i < text.len;) {
        uint32_t c = 0;
        size_t len = decode(at + i, text.len - i, &c);
        if (len > 0 && !steers(c)) {
            elm_buf_add(out, at + i, len);
            i += len;
            continue;
        }
        len = len == 0 ? 1 : len;
        for (size_t k = 0; k < len; k++)
            elm_buf_printf(out, "\\x%02x", at[i + k]);
        i += len;
    }
}

void text_put(FILE *to, struct elm_str text)
{
    struct elm_buf safe = {0};
    text_safe(&safe, text);
    text_print(to, &safe);
    elm_buf_release(&safe);
}

void text_print(FILE *to, const struct elm_buf *text)
{
    if (text->len > 0)
        fwrite(text->ptr, 1, text->len, to);
}

struct short_text text_count(uint64_t n)
{
    char digits[24];
    int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n);
    struct short_text t = {{0}};
    for (int i = 0, k = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            t.s[k++] = ',';
        t.s[k++] = digits[i];
    }
    return t;
}

struct short_text text_number(double x)
{
    struct short_text t;
    if (isnan(x))
        snprintf(t.s, sizeof(t.s), "-");
    else
        snprintf(t.s, sizeof(t.s), "%.6g", x);
    return t;
}

struct short_text text_percent(double share)
{
    struct short_text t;
    double percent = 100 * share;
    int digits = percent == 0 || percent >= 9.95 ? 0
                 : percent >= 0.995              ? 1
                 : percent >= 0.0995             ? 2
                                                 : 4;
    if (isnan(percent))
        snprintf(t.s, sizeof(t.s), "-");
    else
        snprintf(t.s, sizeof(t.s), "%.*f %%", digits, percent);
    return t;
}

struct short_text text_time(double seconds)
{
    struct short_text t;
    if (!(seconds >= 0) || seconds > 1e9) {
        snprintf(t.s, sizeof(t.s), "-");
        return t;
    }
    long long s = (long long)(seconds + 0.5);
    if (s >= 3600)
        snprintf(t.s, sizeof(t.s), "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(t.s, sizeof(t.s), "%lld:%02lld", s / 60, s % 60);
    return t;
}

struct short_text text_bytes(uint64_t bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    double x = (double)bytes;
    size_t unit = 0;
    while (x >= 999.5 && unit + 1 < ELM_COUNT(units)) {
        x /= 1000;
        unit++;
    }
    struct short_text t;
    snprintf(t.s, sizeof(t.s), "%.*f %s", unit > 0 && x < 99.95 ? 1 : 0, x, units[unit]);
    return t;
}

void text_shell(struct elm_buf *out, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-+=:,./@%";
    if (word[0] != '\0' && word[strspn(word, plain)] == '\0') {
        elm_buf_printf(out, "%s", word);
        return;
    }
    /* what is spelled \xNN comes back in a $'...' word */
    struct elm_buf safe = {0};
    text_safe(&safe, elm_str(word));
    bool spelled = safe.len != strlen(word);
    elm_buf_printf(out, spelled ? "$'" : "'");
    if (!spelled)
        elm_buf_clear(&safe);
    for (const char *at = spelled ? safe.ptr : word; *at != '\0'; at++)
        elm_buf_printf(out, *at != '\'' ? "%c" : spelled ? "\\'" : "'\\''", *at);
    elm_buf_byte(out, '\'');
    elm_buf_release(&safe);
}

uint32_t text_columns(struct elm_str text)
{
    uint32_t columns = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\x1b') {
            while (i < text.len && text.ptr[i] != 'm')
                i++;
        } else if (((unsigned char)text.ptr[i] & 0xc0) != 0x80) {
            columns++;
        }
    }
    return columns;
}

#define WORD_MAX 64

static uint32_t distance(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b);
    if (n > WORD_MAX || m > WORD_MAX)
        return UINT32_MAX;
    uint32_t row[WORD_MAX + 1];
    for (size_t j = 0; j <= m; j++)
        row[j] = (uint32_t)j;
    for (size_t i = 1; i <= n; i++) {
        uint32_t corner = row[0];
        row[0] = (uint32_t)i;
        for (size_t j = 1; j <= m; j++) {
            uint32_t best = corner + (a[i - 1] != b[j - 1]);
            best = row[j] + 1 < best ? row[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            corner = row[j];
            row[j] = best;
        }
    }
    return row[m];
}

const char *text_nearest(const char *word, const char *const *words)
{
    const char *nearest = NULL;
    size_t len = strlen(word);
    uint32_t least = (uint32_t)(len / 3 + 2);
    for (; len > 0 && *words != NULL; words++) {
        uint32_t d = strncmp(word, *words, len) == 0 ? 1 : distance(word, *words);
        if (d < least) {
            least = d;
            nearest = *words;
        }
    }
    return nearest;
}

void text_join(struct elm_buf *out, const char *const *words, const char *between)
{
    for (size_t i = 0; words[i] != NULL; i++)
        elm_buf_printf(out, "%s%s", i > 0 ? between : "", words[i]);
}

void text_wrap(struct elm_buf *out, const char *text, uint32_t indent, uint32_t width)
{
    uint32_t column = indent;
    for (const char *at = text; *at != '\0';) {
        if (*at == '\n') {
            elm_buf_printf(out, "\n%*s", (int)indent, "");
            column = indent;
            at++;
            continue;
        }
        at += strspn(at, " ");
        size_t len = strcspn(at, " \n");
        uint32_t columns = text_columns((struct elm_str){at, len});
        if (column > indent && column + 1 + columns > width) {
            elm_buf_printf(out, "\n%*s", (int)indent, "");
            column = indent;
        }
        if (column > indent && len > 0) {
            elm_buf_byte(out, ' ');
            column++;
        }
        elm_buf_add(out, at, len);
        column += columns;
        at += len;
    }
}

void text_machine(struct elm_buf *out)
{
    struct elm_buf info = {0};
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    char *name = NULL;
    if (elm_file_read("/proc/cpuinfo", 1 << 24, &info, NULL) == ELM_OK && info.ptr != NULL)
        name = strstr(info.ptr, "model name");
    name = name == NULL ? NULL : strchr(name, ':');
    elm_buf_printf(out, "%ld core%s", cores, cores == 1 ? "" : "s");
    if (name != NULL)
        elm_buf_printf(out, " of %.*s", (int)strcspn(name + 2, "\n"), name + 2);
    elm_buf_release(&info);
}
