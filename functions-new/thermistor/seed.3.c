#include <math.h>

double thermistor(int raw, double beta)
{
    double ohms = 1e+04 * raw / 1023;
    double inverse = 1.0 / 298.15 + log(ohms / 1e+03) / beta;
    return 1.0 / inverse;
}
