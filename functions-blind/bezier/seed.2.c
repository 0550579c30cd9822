double bezier(double a, double b, double c, double d, double t)
{
    double u = 1.0 - t;
    double start = u * (u * a + 3.0 * t * b);
    double end = t * t * (3.0 * u * d + t * d);
    return start + end;
}
