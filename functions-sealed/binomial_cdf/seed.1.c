#include <math.h>

double binomial_cdf(int n, int k, double p)
{
    double total = 0.0;
    for (int i = 0; i <= k; i++) {
        double term = 1.0;
        for (int j = 0; j < i; j++) {
            term *= n * p / (j + 1);
        }
        total += term * pow(1.0 - p, n - i);
    }
    return total;
}
