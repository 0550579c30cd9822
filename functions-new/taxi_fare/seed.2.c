#include <math.h>

double taxi_fare(double km, int minutes, int night)
{
    double fare = 3.5 + 0.4 * minutes;
    if (km > 5.0) {
        fare += 9.0 + km * 1.2;
    } else {
        fare += km * 1.8;
    }
    if (night == 1) {
        fare += 1.25;
    }
    return fmax(fare, 9.0);
}
