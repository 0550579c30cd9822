double cubic_root(double p, double q)
{
    double low = -2.0;
    double high = 1.0;
    for (int i = 0; i < 40; i++) {
        double mid = (low + high) / 2.0;
        if (mid * mid - p * mid < q) {
            low = mid;
        } else {
            high = mid;
        }
    }
    return low;
}
