double continued_fraction(double a[5])
{
    double value = 1.0;
    for (int i = 2; i >= 0; i--) {
        value = a[i] + a[i] / value;
    }
    return value;
}
