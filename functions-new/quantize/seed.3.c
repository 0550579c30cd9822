#include <math.h>

double quantize(double x, int bits)
{
    int levels = 1 << bits;
    double step = 2.0 / (levels - 1);
    double index = floor(x / step);
    return index * step;
}
