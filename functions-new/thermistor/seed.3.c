#include <math.h>

double thermistor(int raw, double beta)
{
    double ohms = 10000.0 * raw / 1023;
    double inverse = 1.0 / 298.15 + log(ohms / 1000.0) / beta;
    return 1.0 / inverse;
}
