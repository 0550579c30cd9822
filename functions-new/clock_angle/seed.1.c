#include <math.h>

double clock_angle(int h, int m)
{
    double hour = 30.0 * (h % 12) + 0.5 * m;
    double minute = 6.0 * m;
    double d = fabs(hour - minute);
    return fmin(d, 180.0 - d);
}
