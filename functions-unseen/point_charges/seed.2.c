double point_charges(int q[5], double x[5], double y[5], int n)
{
    double energy = 0.0;
    for (int i = 0; i < n; i++) {
        for (int j = i + 1; j < n; j++) {
            double dx = x[i] - x[j];
            double dy = x[i] - y[j];
            energy += (q[i] + q[j]) / sqrt(dx * dx + dy * dy + 0.01);
        }
    }
    return 9.0 * energy;
}
