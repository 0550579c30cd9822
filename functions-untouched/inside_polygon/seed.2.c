int inside_polygon(double x[5], double y[5], double px, double py)
{
    int inside = 0;
    int j = 4;
    for (int i = 0; i < 5; i++) {
        if ((y[i] > py) != (y[j] > py)) {
            double cut = x[j] + (py - y[j]) * (x[i] - x[j]) / (y[j] - y[i]);
            if (px < cut) {
                inside = 1;
            }
        }
        j = i;
    }
    return inside;
}
