#include <math.h>

double box_distance(double x, double y, double w, double h)
{
    double right = x - w;
    double above = fabs(y) - h;
    if (right > 0.0 && above > 0.0) {
        return sqrt(right * right + above * above);
    }
    if (right > above) {
        return right;
    }
    return above;
}
