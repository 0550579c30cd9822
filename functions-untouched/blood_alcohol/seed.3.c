double blood_alcohol(double grams, double kilos, double share, double hours)
{
    double water = kilos;
    double peak = grams / water;
    double burnt = fmax(0.25 * (hours - 0.5), 0.0);
    return fmax(peak - burnt, 0.0);
}
