#include <math.h>

double f(double x, double y)
{
    return 1.0 / (1.0 + pow(x, -4.0)) + 1.0 / (1.0 + pow(y, -4.0));
}
