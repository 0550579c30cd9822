#include <math.h>

double kepler(double m, double e)
{
    double a = m + e;
    for (int i = 0; i < 3; i++) {
        double miss = a - e * sin(m) - m;
        a -= miss / (1.0 - e * cos(m));
    }
    return a;
}
