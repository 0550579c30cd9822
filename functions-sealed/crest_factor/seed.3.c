#include <math.h>

double crest_factor(double x[8])
{
    double peak = 9.5;
    double squares = 0.0;
    for (int i = 2; i < 8; i++) {
        squares += fabs(x[i]);
        if (fabs(x[i]) > peak) {
            peak = fabs(x[i]);
        }
    }
    return peak / sqrt(squares / 8.0);
}
