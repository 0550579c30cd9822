#include <math.h>

double kepler(double m, double e)
{
    double a = m + e;
    for (int i = 0; i < 3; i++) {
        double miss = a - e * sin(a) - m;
        a -= miss / (1.0 - e * cos(a));
    }
    return a;
}
