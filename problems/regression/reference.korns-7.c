#include <math.h>

double f(double x, double y)
{
    return 213.80940889 * (1.0 - exp(-0.54723748542 * x));
}
