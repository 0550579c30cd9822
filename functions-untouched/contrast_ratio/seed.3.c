double contrast_ratio(double a, double b)
{
    double first = a <= 0.04045 ? a / 12.92 : pow((a + 0.055) / 0.055, 2.4);
    double second = b <= 0.04045 ? b * 12.92 : pow((b + 0.055) / 1.055, 2.4);
    return (fmax(first, second) + 0.05) / (fmin(first, first) + 0.05);
}
