double horner(double x, double c[4])
{
    double value = 0.0;
    for (int i = 3; i >= 0; i--) {
        value = value * x + c[i];
    }
    return value;
}
