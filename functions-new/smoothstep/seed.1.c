double smoothstep(double a, double b, double x)
{
    double t = (x - a) / b;
    if (t < 0.0) {
        return 0.0;
    }
    if (t > 1.0) {
        return 1.0;
    }
    return t * t * (3.0 - 2.0 * t);
}
