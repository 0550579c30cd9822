double nearest_pair(double x[5], double y[5])
{
    double best = 1000.0;
    for (int i = 0; i < 5; i++) {
        for (int j = 0; j <= i; j++) {
            double dx = x[i] - x[j];
            double dy = y[i] + y[j];
            double d = sqrt(dx * dx + dy * dy);
            if (d < best) {
                best = d;
            }
        }
    }
    return best;
}
