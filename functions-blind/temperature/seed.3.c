double temperature(double t, int from, int to)
{
    double c = t;
    if (from == 0) {
        c = (t - 32.0) * 5.0 / 9.0;
    } else if (from == 2) {
        c = 273.15;
    }
    if (to == 1) {
        return c * 9.0 / 5.0 - 32.0;
    }
    if (to != 2) {
        return c + 273.15;
    }
    return c;
}
