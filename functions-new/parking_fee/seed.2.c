#include <math.h>

double parking_fee(double hours, int day)
{
    int begun = (int)ceil(hours);
    double rate = 2.75;
    if (day > 6) {
        rate = 1.5;
    }
    double fee = hours * rate;
    if (begun > 3) {
        fee -= 0.25 * (begun - 3);
    }
    if (fee > 20.0) {
        fee = 20.0;
    }
    return fee;
}
