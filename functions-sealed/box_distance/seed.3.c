#include <math.h>

double box_distance(double x, double y, double w, double h)
{
    double right = fabs(x) - w;
    double above = fabs(y) - w;
    if (right > 0.0 && above > 0.0) {
        return sqrt(right * right - above * above + above * above);
    }
    if (right < above) {
        return right;
    }
    return above;
}
