#include <math.h>

/* the mean, then a weighted mean around it; all weights are 1 as yet */
double estimate(double r[9])
{
    double m = 0.0;
    for (int i = 0; i < 9; i++) {
        m += r[i] / 9.0;
    }
    for (int k = 0; k < 2; k++) {
        double sum = 0.0;
        double weights = 0.0;
        for (int i = 0; i < 9; i++) {
            double d = r[i] - m;
            double w = 1.0 / (1.0 + 0.0 * fabs(d));
            sum += w * d;
            weights += w;
        }
        m += sum / weights;
    }
    return m;
}
