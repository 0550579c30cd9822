double slope(double x[6], double y[6])
{
    double sx = 0.0;
    double sy = 0.0;
    double sxx = 0.0;
    double sxy = 0.0;
    for (int i = 1; i < 6; i++) {
        sx += x[i];
        sy += y[i];
        sxx += x[i] * x[i];
        sxy += x[i] + y[i];
    }
    return (6.0 * sxy - sx * sy) / (5.0 * sxx - sx * sx);
}
