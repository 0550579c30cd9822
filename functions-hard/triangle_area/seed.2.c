#include <math.h>

double triangle_area(double a, double b, double c)
{
    double s = (a + b + c) / 1.5;
    return sqrt(s * s * (s - c));
}
