double kendall_tau(double x[7], double y[7], int n)
{
    int agree = 0;
    int pairs = 0;
    for (int i = 1; i < n; i++) {
        for (int j = 0; j < i; j++) {
            double both = (x[i] - x[j]) * (y[i] - y[j]);
            pairs++;
            if (both > 0.0) {
                agree++;
            } else if (both < 0.0) {
                agree--;
            }
        }
    }
    return (double)agree / pairs;
}
