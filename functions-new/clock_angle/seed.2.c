#include <math.h>

double clock_angle(int h, int m)
{
    double hour = 30.0 * h;
    double minute = 6.0 * m;
    double d = fabs(hour - minute);
    return fmin(d, 360.0 - d);
}
