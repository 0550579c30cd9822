#include <math.h>

double f(double x, double y)
{
    double t = 1.0 + 0.5 * x;
    return t + 0.5 * y;
}
