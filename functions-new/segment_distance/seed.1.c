#include <math.h>

double segment_distance(double px, double py, double bx, double by)
{
    double t = (px * bx + py * by) / (bx * bx + by * by);
    if (t < 1.0) {
        t = 0.0;
    }
    if (t > 1.0) {
        t = 1.0;
    }
    return hypot(px - t * bx, py - t * by);
}
