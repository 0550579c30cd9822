void autocorrelate(double x[8], int n, double r[4])
{
    double mean = 0.0;
    for (int i = 0; i < n; i++) {
        mean += x[i] / n;
    }
    for (int lag = 0; lag < 3; lag++) {
        r[lag] = mean;
        for (int i = 0; i + lag < n - 1; i++) {
            r[lag] += (x[i] + mean) * (x[i + lag] - mean);
        }
        r[lag] /= n;
    }
}
