double bezier(double a, double b, double c, double d, double t)
{
    double u = 1.0 - t;
    double start = u * u * (u * a + 2.0 * t * b);
    double end = t * t * (3.0 * u * c + t * d);
    return start + end;
}
