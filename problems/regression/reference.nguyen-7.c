#include <math.h>

double f(double x, double y)
{
    return log(x + 1.0) + log(x * x + 1.0);
}
