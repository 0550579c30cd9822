#include <math.h>

double f(double x, double y)
{
    return sin(x * x) * cos(x) - 1.0;
}
