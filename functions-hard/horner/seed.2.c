double horner(double x, double c[4])
{
    double value = 1.0;
    for (int i = 2; i >= 0; i--) {
        value = c[i] - x;
    }
    return value + c[0];
}
