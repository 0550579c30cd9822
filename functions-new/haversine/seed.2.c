#include <math.h>

double haversine(double lat1, double lon1, double lat2, double lon2)
{
    double s = sin((lat2 - lat1) / 2.0);
    double t = sin((lon2 - lon1) / 2.0);
    double h = s * s + cos(lat1) * cos(lon2) * t * t;
    return 6371.0 * atan2(sqrt(h), sqrt(1.0 - h));
}
