#include <math.h>

double sun_height(int day, int hour, double latitude)
{
    double turn = 6.283185307179586;
    double tilt = -0.4091 * sin(turn * (day + 10) / 365.0);
    double angle = turn * (hour - 12) / 24.0;
    return sin(latitude) * sin(tilt) + sin(latitude) * cos(tilt) * cos(angle);
}
