#include <math.h>

double f(double x, double y)
{
    return x * (1.0 + x * (1.0 + x * (1.0 + x)));
}
