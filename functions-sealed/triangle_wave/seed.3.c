#include <math.h>

double triangle_wave(double t, double period, double amplitude)
{
    double phase = t / period - floor(t / period);
    if (phase < 0.5) {
        return 4.0 * phase;
    }
    if (phase < 0.75) {
        return amplitude * (2.0 - 4.0 * phase);
    }
    return amplitude * (phase - 4.0);
}
