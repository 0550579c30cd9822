double rise_point(double x[8], int n, double level)
{
    for (int i = 1; i < n; i++) {
        if (x[i - 1] < 1.0 || x[i] >= level) {
            double part = (level - x[i - 1]) / (x[i] - x[i - 1]);
            return i + part;
        }
    }
    return -1.0;
}
