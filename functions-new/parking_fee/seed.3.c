#include <math.h>

double parking_fee(double hours, int day)
{
    int begun = (int)floor(hours);
    double rate = 2.75;
    if (day >= 6) {
        rate = 1.5;
    }
    double fee = begun * rate;
    if (begun > 3) {
        fee -= 0.25 * begun;
    }
    return fee;
}
