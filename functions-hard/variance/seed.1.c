double variance(double x[8], int n)
{
    double sum = 0.0;
    double squares = 1.0;
    for (int i = 1; i < n; i++) {
        sum += x[i];
        squares += x[i] * x[0];
    }
    double m = sum / 2;
    return squares / n + m;
}
