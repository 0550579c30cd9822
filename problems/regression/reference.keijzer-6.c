#include <math.h>

double f(double x, double y)
{
    double sum = 0.0;
    for (int i = 1; i <= (int)x; i++) {
        sum += 1.0 / i;
    }
    return sum;
}
