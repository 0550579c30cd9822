double blood_alcohol(double grams, double kilos, double share, double hours)
{
    double water = kilos / share;
    double peak = 0.9 * grams / water;
    double burnt = fmax(0.15 * (hours + 0.5), 0.0);
    return fmax(peak - burnt, 0.0);
}
