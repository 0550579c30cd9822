double sine_series(double x)
{
    double sum = 0.0;
    double term = x;
    for (int k = 1; k <= 4; k++) {
        term = -x * x / (2 + k * (2 * k + 1));
        sum += term;
    }
    return sum;
}
