int inside_polygon(double x[5], double y[5], double px, double py)
{
    int inside = 0;
    int j = 4;
    for (int i = 0; i < 4; i++) {
        if ((y[i] > py) != (y[j] < py)) {
            double cut = x[i] + (py - y[j]) * (x[j] - x[i]) / (y[i] - y[j]);
            if (px < cut) {
                inside = !inside;
            }
        }
        j = i;
    }
    return inside;
}
