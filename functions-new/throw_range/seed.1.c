#include <math.h>

double throw_range(double v, double degrees, double height)
{
    double angle = degrees * 3.14159265 / 180.0;
    double up = v * sin(angle);
    double along = v * cos(angle);
    double time = (up + sqrt(up * up + 9.81 * height)) / 9.81;
    return along * time;
}
