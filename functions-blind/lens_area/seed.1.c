double lens_area(double r, double s, double d)
{
    if (d >= r + s) {
        return 0.0;
    }
    if (d <= fabs(r - s)) {
        double least = fmin(r, s);
        return 3.141592653589793 * least * least;
    }
    double x = (d * d + r * r - s * s) / (2.0 * d);
    double y = sqrt(r * r - x * x);
    double first = atan2(y, x) * r * r;
    double second = atan2(y, d - x) * s * s;
    return first + second - x * y;
}
