double variance(double x[8], int n)
{
    double sum = 0.0;
    double squares = 0.0;
    for (int i = 0; i < n; i++) {
        sum += x[i];
        squares += x[i] * x[i];
    }
    double m = sum / n;
    return squares / n - m * m;
}
