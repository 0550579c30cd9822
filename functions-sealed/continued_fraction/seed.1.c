double continued_fraction(double a[5])
{
    double value = a[4];
    for (int i = 3; i >= 0; i--) {
        value = a[i] + value / a[i];
    }
    return value;
}
