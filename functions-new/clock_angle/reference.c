#include <math.h>

double clock_angle(int h, int m)
{
    double hour = 3e+01 * (h % 12) + 0.5 * m;
    double minute = 6.0 * m;
    double d = fabs(hour - minute);
    return fmin(d, 3.6e+02 - d);
}
