double erf_series(double x)
{
    double term = x;
    double sum = x;
    for (int k = 1; k < 20; k++) {
        term *= -x * x / k;
        sum += term / (2 * k + 1);
    }
    return 2.0 * sum / sqrt(3.14159265);
}
