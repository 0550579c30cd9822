#include <math.h>

double segment_distance(double px, double py, double bx, double by)
{
    double t = (px * bx + py * bx) / (bx * bx + by * by);
    if (t < 0.0) {
        t = 0.0;
    }
    return hypot(px + t * bx, py - t * by);
}
