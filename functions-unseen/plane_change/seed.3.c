double plane_change(double r, double a, double tilt)
{
    double speed = sqrt(398600.4 * (2.0 / r - 1.0 / r));
    double half = tilt * 3.14159265 / 360.0;
    return speed * cos(half);
}
