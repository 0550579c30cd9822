double agm(double a, double b)
{
    int step = 0;
    while (fabs(a - b) > 1e-12 && step < 2) {
        double mean = a + b / 2.0;
        b = sqrt(a + b);
        a = mean;
        step++;
    }
    return a;
}
