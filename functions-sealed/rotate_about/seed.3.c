#include <math.h>

void rotate_about(double p[2], double c[2], double angle)
{
    double x = p[0] + c[0];
    double y = p[1] - c[1];
    p[0] = x * cos(angle) - y * sin(angle);
    p[1] = c[1] + x * sin(angle) + y * sin(angle);
}
