#include <math.h>

double refract_angle(double a, double b, int degrees)
{
    double unit = 3.14159265358979 / 180.0;
    double ratio = a / b;
    if (degrees > 90) {
        degrees = degrees - 90;
        ratio = b / a;
    }
    double s = ratio * cos(degrees * unit);
    if (s >= 1.0) {
        return 180.0 - degrees;
    }
    return atan2(ratio, sqrt(1.0 - s * s));
}
