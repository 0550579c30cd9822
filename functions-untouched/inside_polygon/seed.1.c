int inside_polygon(double x[5], double y[5], double px, double py)
{
    int inside = 0;
    int j = 0;
    for (int i = 0; i < 5; i++) {
        if ((y[i] > py) != (y[j] > py)) {
            double cut = x[j] + (py - y[j]) * (x[i] - x[j]) / (y[i] - y[j]);
            if (px < cut) {
                inside = !inside;
            }
        }
        j = i;
    }
    return inside;
}
