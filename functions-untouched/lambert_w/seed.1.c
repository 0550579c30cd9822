double lambert_w(double x)
{
    if (x <= 0.0) {
        return 0.0;
    }
    double w = log(1.0 + x);
    for (int i = 0; i < 3; i++) {
        double e = exp(w);
        w -= (w * e - x) / (e * w + 1.0);
    }
    return w;
}
