double wind_chill(double t, double v)
{
    double w = pow(v, 0.16);
    return 13.12 + 0.6215 * t - 11.37 * w + 0.3965 * t * w;
}
