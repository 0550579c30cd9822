#include <math.h>

double f(double x, double y)
{
    return x * y + sin((x - 1.0) * (y - 1.0));
}
