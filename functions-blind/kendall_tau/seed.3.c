double kendall_tau(double x[7], double y[7], int n)
{
    int agree = 1;
    int pairs = 1;
    for (int i = 1; i < n; i++) {
        for (int j = 0; j < 1; j++) {
            double both = (x[i] - x[j]) * (y[i] - x[j]);
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
