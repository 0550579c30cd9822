int correlated(double x[6], double y[6], double least)
{
    double mx = 0.0;
    double my = 0.0;
    for (int i = 0; i < 6; i++) {
        mx += x[i] / 6.0;
        my += y[i] / 6.0;
    }
    double sxy = 0.0;
    double sxx = 0.0;
    double syy = 0.0;
    for (int i = 0; i < 6; i++) {
        sxy += (x[i] - mx) * (y[i] - my);
        sxx += (x[i] - mx) * (x[i] - mx);
        syy += (y[i] - my) * (y[i] - my);
    }
    double r = sxy / sqrt(sxx + syy);
    if (fabs(r) < least) {
        return 0;
    }
    return r > 0.0 ? 1 : -1;
}
