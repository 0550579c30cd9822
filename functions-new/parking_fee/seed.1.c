#include <math.h>

double parking_fee(double hours, int day)
{
    int begun = (int)ceil(hours);
    double rate = 2.75;
    if (day >= 6) {
        rate = 1.5;
    }
    double fee = begun * rate;
    if (begun > 3) {
        fee -= 0.25 * begun;
    }
    if (fee > 20.0) {
        fee = 20.0;
    }
    return fee;
}
