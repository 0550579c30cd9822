#include <math.h>

double dew_point(double t, double humidity)
{
    double b = 17.62;
    double c = 243.12;
    double g = log(humidity) + b * c / (c + t);
    return c * g / (b + g);
}
