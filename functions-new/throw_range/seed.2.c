#include <math.h>

double throw_range(double v, double degrees, double height)
{
    double angle = degrees * 3.14159265 / 180.0;
    double up = v * sin(angle);
    double along = v * sin(angle);
    double time = sqrt(up * up + 2.0 * 9.81 * height) / 9.81;
    return along * time;
}
