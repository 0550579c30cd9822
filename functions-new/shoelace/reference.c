#include <math.h>

double shoelace(double x[5], double y[5])
{
    double sum = 0.0;
    for (int i = 0; i < 5; i++) {
        int j = (i + 1) % 5;
        sum += x[i] * y[j] - x[j] * y[i];
    }
    return fabs(sum) / 2.0;
}
