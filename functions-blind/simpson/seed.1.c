double simpson(double a, double b)
{
    double h = (b - a) / 6.0;
    double sum = exp(-a * a) + exp(-b * b);
    for (int i = 1; i < 6; i++) {
        double x = a + i * h;
        double weight = i % 2 == 1 ? 2.0 : 4.0;
        sum += weight * exp(-x * x);
    }
    return sum * h / 3.0;
}
