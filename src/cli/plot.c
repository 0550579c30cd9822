/* plot: curves drawn with characters. */
#include "cli/plot.h"

#include "cli/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH_MAX 200
#define LABEL 10

bool plot_utf8(void)
{
    const char *names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < ELM_COUNT(names); i++) {
        const char *value = getenv(names[i]);
        if (value != NULL && value[0] != '\0')
            return strcasestr(value, "utf-8") != NULL || strcasestr(value, "utf8") != NULL;
    }
    return false;
}

void plot_spark(struct elm_buf *out, const double *values, uint32_t count, uint32_t width,
                bool utf8)
{
    static const char *const bars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static const char *const ascii[] = {"_", ".", "-", "=", "+", "*", "%", "#"};
    if (count == 0)
        return;
    double lo = values[0], hi = values[0];
    for (uint32_t i = 1; i < count; i++) {
        lo = fmin(lo, values[i]);
        hi = fmax(hi, values[i]);
    }
    uint32_t columns = count < width ? count : width;
    for (uint32_t c = 0; c < columns; c++) {
        /* the last value of each column, so that the newest is always seen */
        double v = values[(uint64_t)(c + 1) * count / columns - 1];
        int level = hi > lo ? (int)(7 * (v - lo) / (hi - lo) + 0.5) : 0;
        elm_buf_add_str(out, elm_str(utf8 ? bars[level] : ascii[level]));
    }
}

void plot_bar(struct elm_buf *out, double share, uint32_t width, bool utf8)
{
    static const char *const parts[] = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    share = share > 1 ? 1 : share > 0 ? share : 0;
    uint32_t eighths = (uint32_t)(share * width * 8 + 0.5);
    for (uint32_t i = 0; i < width; i++) {
        uint32_t fill = eighths > i * 8 ? eighths - i * 8 : 0;
        if (fill >= 8)
            elm_buf_add_str(out, elm_str(utf8 ? "█" : "#"));
        else
            elm_buf_add_str(out, elm_str(utf8 ? parts[fill] : fill >= 4 ? "#" : "."));
    }
}

static double position(double x, bool logarithmic)
{
    return logarithmic ? log10(x < 1 ? 1 : x) : x;
}

/* The row (0 = lowest) of each column; -1 before the first point. */
static void fill_rows(const struct plot_steps *s, bool logarithmic, double lo, double hi,
                      int rows[WIDTH_MAX])
{
    double from = position(s->x[0], logarithmic), to = position(s->x_end, logarithmic);
    uint32_t at = 0;
    for (uint32_t c = 0; c < s->width; c++) {
        double x = from + (to - from) * (c + 1) / s->width;
        while (at + 1 < s->count && position(s->x[at + 1], logarithmic) <= x + 1e-12)
            at++;
        double share = hi > lo ? (s->y[at] - lo) / (hi - lo) : 0;
        rows[c] = (int)(share * (s->height - 1) + 0.5);
    }
}

static const char *mark(const int *rows, uint32_t c, int row, bool utf8)
{
    int before = c == 0 ? rows[0] : rows[c - 1], now = rows[c];
    if (row == now && row == before)
        return utf8 ? "─" : "-";
    if (row == now)
        return utf8 ? "╭" : "+";
    if (row == before)
        return utf8 ? "╯" : "+";
    if (row > before && row < now)
        return utf8 ? "│" : "|";
    return " ";
}

/* Labels at powers of ten, or at both ends. */
static void add_x_axis(struct elm_buf *out, const struct plot_steps *s, bool logarithmic)
{
    char line[WIDTH_MAX + 32];
    memset(line, ' ', sizeof(line));
    double from = position(s->x[0], logarithmic), to = position(s->x_end, logarithmic);
    size_t next = 0;
    double tick = logarithmic ? floor(from) : from;
    for (; tick <= to; tick += logarithmic ? 1 : to - from) {
        char label[32];
        int len = snprintf(label, sizeof(label), "%.6g", logarithmic ? pow(10, tick) : tick);
        size_t column = to > from && tick > from
                            ? (size_t)((tick - from) / (to - from) * s->width) : 0;
        if (column >= next && column + (size_t)len <= s->width + 8) {
            memcpy(line + column, label, (size_t)len);
            next = column + (size_t)len + 1;
        }
        if (to <= from)
            break;
    }
    elm_buf_printf(out, "%*s  %.*s %s\n", LABEL, "", (int)next, line, s->x_name);
}

void plot_curve(struct elm_buf *out, const struct plot_steps *s, bool utf8)
{
    ELM_ASSERT(s->width <= WIDTH_MAX && s->height > 1);
    if (s->count == 0)
        return;
    bool logarithmic = s->x_end > 100;
    double lo = s->y[0], hi = s->y[s->count - 1];
    int rows[WIDTH_MAX];
    fill_rows(s, logarithmic, lo, hi, rows);
    for (int row = (int)s->height - 1; row >= 0; row--) {
        bool labelled = row == (int)s->height - 1 || row == 0 || row == (int)s->height / 2;
        double y = lo + (hi - lo) * row / (s->height - 1);
        char label[32] = "";
        if (labelled && (hi > lo || row == 0))
            snprintf(label, sizeof(label), "%.5g", y);
        elm_buf_printf(out, "%*s %s", LABEL, label, utf8 ? (labelled ? "┤" : "│") : "|");
        for (uint32_t c = 0; c < s->width; c++)
            elm_buf_add_str(out, elm_str(mark(rows, c, row, utf8)));
        while (out->ptr[out->len - 1] == ' ')
            out->len--;
        elm_buf_byte(out, '\n');
    }
    elm_buf_printf(out, "%*s %s", LABEL, "", utf8 ? "└" : "+");
    for (uint32_t c = 0; c < s->width; c++)
        elm_buf_add_str(out, elm_str(utf8 ? "─" : "-"));
    elm_buf_byte(out, '\n');
    add_x_axis(out, s, logarithmic);
}
