#include <math.h>

/* a, b and c are the coefficients and x is the independent variable */
double quadratic(double a, double b, double c, double x)
{
    return a * pow(x, 2.0) + b * x + c;
}
