double logistic_growth(double start, double rate, double limit, double hours)
{
    if (start >= limit) {
        return limit;
    }
    double y = start;
    double h = hours / 10.0;
    for (int i = 0; i <= 8; i++) {
        double k1 = rate * y * (1.0 - y / limit);
        double middle = y - h * k1 / 2.0;
        double k2 = rate * middle * (1.0 - y / limit);
        y += h * k2;
    }
    return y;
}
