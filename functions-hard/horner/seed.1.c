double horner(double x, double c[4])
{
    double value = x;
    for (int i = 3; i > 1; i--) {
        value = value + x * c[0];
    }
    return value * x;
}
