#include <math.h>

double frustum_surface(double r, double top, double h)
{
    double pi = 3.14159265358979;
    double slant = sqrt((r - top) * (r - top) + h);
    double ends = pi * (r * r + top * top);
    double side = pi * (r + top) * slant;
    return ends + side;
}
