/* plot: curves drawn with characters. */
#ifndef ELM_CLI_PLOT_H
#define ELM_CLI_PLOT_H

#include "elm/base.h"

/* Does the locale say that its terminal understands UTF-8? Else ASCII is drawn. */
bool plot_utf8(void);

/* One line of `width` columns: the values as bars between their least and greatest. */
void plot_spark(struct elm_buf *out, const double *values, uint32_t count, uint32_t width,
                bool utf8);
/* A bar of `width` columns, `share` of it full. */
void plot_bar(struct elm_buf *out, double share, uint32_t width, bool utf8);

/* A staircase: y[i] holds from x[i] up to x[i+1], the last one up to x_end. x rises; y doesn't
 * fall. Beyond x_end of 100 the x axis is logarithmic. */
struct plot_steps {
    const double *x, *y;
    uint32_t count;
    double x_end;
    const char *x_name;
    uint32_t width, height;      /* of the drawing, axes not counted */
};
void plot_curve(struct elm_buf *out, const struct plot_steps *steps, bool utf8);

#endif
