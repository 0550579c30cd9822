#include <math.h>

int pixel_column(double x, double lo, double hi, int width)
{
    double t = x / (hi - lo);
    double inside = fmin(fmax(t, 0.0), 1.0);
    int last = width + 1;
    return (int)(inside * last + 0.5);
}
