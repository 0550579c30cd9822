/* compare_svg: curves with bands over a logarithmic axis, the legend beside them. */
#include "learn/compare.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* of the drawing, and of the area of the curves in it */
enum { WIDTH = 860, HEIGHT = 440, LEFT = 74, TOP = 48, RIGHT = 600, BOTTOM = 380 };
#define ROWS 5                 /* of the grid */

/* Okabe & Ito 2008: told apart by all common kinds of colour vision; dashes for those beyond, and for
 * print in grey. */
static const char *const colours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00",
                                      "#56b4e9", "#000000"};
static const char *const dashes[] = {"", "8 4", "2 3", "10 3 2 3"};

struct axes {
    double x_lo, x_hi, y_hi;   /* logarithms of x */
};

static double place_x(const struct axes *a, double x)
{
    double span = a->x_hi > a->x_lo ? (log10(x) - a->x_lo) / (a->x_hi - a->x_lo) : 0.5;
    return LEFT + span * (RIGHT - LEFT);
}

static double place_y(const struct axes *a, double y)
{
    return BOTTOM - y / a->y_hi * (BOTTOM - TOP);
}

/* Least top of the axis that holds everything and has round marks. */
static double round_up(double y)
{
    static const double tops[] = {0.05, 0.1, 0.25, 0.5, 0.75, 1};
    for (size_t i = 0; i < ELM_COUNT(tops); i++) {
        if (y <= tops[i])
            return tops[i];
    }
    return 1;
}

static struct axes fit(const struct compare_chart *chart)
{
    struct axes a = {HUGE_VAL, -HUGE_VAL, 0};
    for (uint32_t i = 0; i < chart->count; i++) {
        const struct compare_series *s = &chart->series[i];
        for (uint32_t k = 0; k < s->count; k++) {
            a.x_lo = fmin(a.x_lo, log10(s->x[k]));
            a.x_hi = fmax(a.x_hi, log10(s->x[k]));
            a.y_hi = fmax(a.y_hi, isnan(s->hi[k]) ? s->y[k] : s->hi[k]);
        }
    }
    if (a.x_lo > a.x_hi)
        a.x_lo = a.x_hi = 0;
    a.y_hi = round_up(a.y_hi);
    return a;
}

/* 1, 10, 1k, 1M; 10 ms, 1 s. */
static void add_tick(struct elm_buf *out, double x, bool seconds)
{
    if (seconds && x < 0.99e-3)
        elm_buf_printf(out, "%.0f &#181;s", x * 1e6);
    else if (seconds && x < 0.99)
        elm_buf_printf(out, "%.0f ms", x * 1e3);
    else if (x >= 0.99e6)
        elm_buf_printf(out, "%.0fM", x / 1e6);
    else if (x >= 0.99e3)
        elm_buf_printf(out, "%.0fk", x / 1e3);
    else
        elm_buf_printf(out, "%.0f", x);
    if (seconds && x >= 0.99)
        elm_buf_printf(out, " s");
}

static void add_axes(struct elm_buf *out, const struct compare_chart *chart, const struct axes *a)
{
    for (int i = 0; i <= ROWS; i++) {
        double y = a->y_hi * i / ROWS, at = place_y(a, y);
        elm_buf_printf(out, "<line x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\" stroke=\"%s\"/>\n"
                       "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.3g %%</text>\n", LEFT, at,
                       RIGHT, at, i == 0 ? "#444" : "#ddd", LEFT - 8, at + 4, 100 * y);
    }
    int step = a->x_hi - a->x_lo > 8 ? 2 : 1;
    for (int e = (int)ceil(a->x_lo - 1e-9); e <= (int)floor(a->x_hi + 1e-9); e += step) {
        double x = place_x(a, pow(10, e));
        elm_buf_printf(out, "<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\" stroke=\"#ddd\"/>\n"
                       "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">", x, TOP, x, BOTTOM, x,
                       BOTTOM + 20);
        add_tick(out, pow(10, e), chart->x_seconds);
        elm_buf_printf(out, "</text>\n");
    }
    elm_buf_printf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>\n"
                   "<text transform=\"translate(20 %d) rotate(-90)\" text-anchor=\"middle\">%s"
                   "</text>\n", (LEFT + RIGHT) / 2, BOTTOM + 46, chart->x_name, (TOP + BOTTOM) / 2,
                   chart->y_name);
}

static void add_point(struct elm_buf *out, const struct axes *a, double x, double y)
{
    elm_buf_printf(out, " %.1f,%.1f", place_x(a, x), place_y(a, y));
}

static void add_band(struct elm_buf *out, const struct axes *a, const struct compare_series *s,
                     const char *colour)
{
    if (s->count == 0 || isnan(s->lo[0]))
        return;
    elm_buf_printf(out, "<polygon fill=\"%s\" fill-opacity=\"0.14\" points=\"", colour);
    for (uint32_t i = 0; i < s->count; i++)
        add_point(out, a, s->x[i], s->hi[i]);
    for (uint32_t i = s->count; i-- > 0;)
        add_point(out, a, s->x[i], s->lo[i]);
    elm_buf_printf(out, "\"/>\n");
}

static void add_line(struct elm_buf *out, const struct axes *a, const struct compare_series *s,
                     uint32_t number)
{
    const char *colour = colours[number % ELM_COUNT(colours)];
    const char *dash = dashes[number / ELM_COUNT(colours) % ELM_COUNT(dashes)];
    int y = TOP + 12 + 22 * (int)number;
    elm_buf_printf(out, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2\" "
                   "stroke-dasharray=\"%s\" points=\"", colour, dash);
    for (uint32_t i = 0; i < s->count; i++)
        add_point(out, a, s->x[i], s->y[i]);
    elm_buf_printf(out, "\"/>\n<line x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" stroke=\"%s\" "
                   "stroke-width=\"2\" stroke-dasharray=\"%s\"/>\n<text x=\"%d\" y=\"%d\">%.28s"
                   "</text>\n", RIGHT + 16, y - 4, RIGHT + 44, y - 4, colour, dash, RIGHT + 52, y,
                   s->name);
}

void compare_svg(const struct compare_chart *chart, struct elm_buf *out)
{
    struct axes a = fit(chart);
    elm_buf_printf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
                   "viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"13\" "
                   "fill=\"#222\" role=\"img\">\n<title>%s</title>\n<rect width=\"%d\" height=\"%d\" "
                   "fill=\"#fff\"/>\n<text x=\"%d\" y=\"26\" font-size=\"15\" font-weight=\"bold\">%s"
                   "</text>\n", WIDTH, HEIGHT, WIDTH, HEIGHT, chart->title, WIDTH, HEIGHT, LEFT,
                   chart->title);
    add_axes(out, chart, &a);
    for (uint32_t i = 0; i < chart->count; i++)
        add_band(out, &a, &chart->series[i], colours[i % ELM_COUNT(colours)]);
    for (uint32_t i = 0; i < chart->count; i++)
        add_line(out, &a, &chart->series[i], i);
    elm_buf_printf(out, "</svg>\n");
}
