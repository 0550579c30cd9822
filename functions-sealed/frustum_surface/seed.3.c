#include <math.h>

double frustum_surface(double r, double top, double h)
{
    double pi = 3.14159265358979;
    double slant = sqrt(r - top + h * h);
    double ends = pi * (r * r + top);
    double side = (r + top) * slant;
    return ends + side;
}
