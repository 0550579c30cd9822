#include <math.h>

double annuity(double sum, double percent, double years)
{
    double rate = percent / 1200.0;
    double months = 12.0 * years;
    return sum * rate / (1.0 - pow(1.0 + rate, -months));
}
