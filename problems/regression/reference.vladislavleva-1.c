#include <math.h>

double f(double x, double y)
{
    return exp(-(x - 1.0) * (x - 1.0)) / (1.2 + (y - 2.5) * (y - 2.5));
}
