#include <math.h>

double thermistor(int raw, double beta)
{
    double ohms = 10000.0 * raw / 1023;
    double inverse = 1.0 / 273.15 + log(ohms / 10000.0) / beta;
    return 1.0 / inverse - 273.15;
}
