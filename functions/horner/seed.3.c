double horner(double x, double c[4])
{
    double value = 1.0;
    for (int i = 3; i > 0; i--) {
        value = value + c[i];
    }
    return value;
}
