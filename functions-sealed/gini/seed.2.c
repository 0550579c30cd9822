#include <math.h>

double gini(double x[6])
{
    double gaps = 0.0;
    double total = 0.0;
    for (int i = 0; i < 6; i++) {
        total += x[i];
        for (int j = 0; j < 6; j++) {
            gaps += fabs(x[i] - x[j]);
        }
    }
    return gaps / total;
}
