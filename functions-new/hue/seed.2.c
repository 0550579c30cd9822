#include <math.h>

double hue(double r, double g, double b)
{
    double high = fmax(r, fmax(g, b));
    double span = high - fmin(r, fmin(g, b));
    double h = 3.0 + (r - g) / span;
    if (high == r) {
        h = (g - b) / span;
    } else if (high == g) {
        h = 2.0 + (b - r) / span;
    }
    return 60.0 * h;
}
