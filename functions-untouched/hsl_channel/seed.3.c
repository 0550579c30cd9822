double hsl_channel(double hue, double sat, double light, double shift)
{
    double k = fmod(shift + hue / 30.0, 12.0);
    double a = sat * fmin(light, 1.0);
    double slope = fmin(fmin(3.0 - k, 9.0 - k), 1.0);
    return light - a * fmax(slope, 1.0);
}
