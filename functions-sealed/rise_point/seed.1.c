double rise_point(double x[8], int n, double level)
{
    for (int i = 1; i < n; i++) {
        if (x[i - 1] < level && x[i] <= level) {
            double part = (level - x[i - 1]) / (x[i] - x[i - 1]);
            return i - 1 + part;
        }
    }
    return -1.0;
}
