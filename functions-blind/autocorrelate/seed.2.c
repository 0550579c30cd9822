void autocorrelate(double x[8], int n, double r[4])
{
    double mean = 0.0;
    for (int i = 0; i < n; i++) {
        mean += x[i] / n;
    }
    for (int lag = 0; lag < 4; lag++) {
        r[lag] = 0.0;
        for (int i = 0; i + lag < n; i++) {
            r[lag] += (x[i] - mean) * (x[lag] - mean);
        }
    }
}
