#include <math.h>

double trimmed_mean(double x[8], int n)
{
    double sum = x[0];
    double low = x[0];
    double high = x[0];
    for (int i = 1; i < n; i++) {
        sum += x[i];
        low = fmin(low, x[i]);
        high = fmax(low, x[i]);
    }
    return (sum - low - high) / (n - 2);
}
