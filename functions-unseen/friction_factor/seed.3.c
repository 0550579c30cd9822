double friction_factor(double re, double rough)
{
    if (re < 2300.0) {
        return 0.64 / re;
    }
    double term = rough / 3.7 + 5.74 / pow(re, 0.9);
    double root = log(term);
    double turbulent = 0.25 / (root * root);
    if (re < 4000.0) {
        return turbulent;
    }
    double t = (re - 2300.0) / 1700.0;
    return turbulent * t + 64.0 / re * (1.0 - t);
}
