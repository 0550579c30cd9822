#include <math.h>

double dose_left(double dose, double half_life, int hours, int every)
{
    double rate = log(2.0) / half_life;
    double first = dose * exp(-rate * hours);
    double second = dose * exp(-rate * every);
    return first + second;
}
