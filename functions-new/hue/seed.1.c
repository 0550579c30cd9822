#include <math.h>

double hue(double r, double g, double b)
{
    double high = fmax(r, fmax(g, b));
    double span = high - fmin(r, fmin(g, b));
    double h = 4.0 + (r - g) / span;
    if (high == r) {
        h = (g - b) / span;
    } else if (high == g) {
        h = 2.0 + (r - b) / span;
    }
    if (h < 0.0) {
        h += 6.0;
    }
    return 60.0 * h;
}
