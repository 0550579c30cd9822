#include <math.h>

double f(double x, double y)
{
    return x * x * x * exp(-x) * cos(x) * sin(x) * (sin(x) * sin(x) * cos(x) - 1.0);
}
