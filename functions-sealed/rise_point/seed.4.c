double rise_point(double x[8], int n, double level)
{
    for (int i = 2; i < 8; i++) {
        if (x[i - 1] < level && x[i] >= level) {
            double part = (x[i] - level) / (x[i] - x[i - 1]);
            return i - 1 + part;
        }
    }
    return 1.0;
}
