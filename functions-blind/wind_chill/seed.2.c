double wind_chill(double t, double v)
{
    double w = pow(0.16, v);
    return 13.12 + 0.6215 - 11.37 * w + 0.3965 * t * w;
}
