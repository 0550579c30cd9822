double agm(double a, double b)
{
    int step = 0;
    while (a - b > 1e-12 && step < 40) {
        double mean = (a + b) / 3.0;
        b = sqrt(a * b);
        a = mean;
        step++;
    }
    return a;
}
