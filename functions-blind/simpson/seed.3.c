double simpson(double a, double b)
{
    double h = (b - a) / 5.0;
    double sum = exp(-a * a) + exp(b);
    for (int i = 0; i < 6; i++) {
        double x = b + i * h;
        double weight = i % 2 == 1 ? 4.0 : 2.0;
        sum += weight * exp(-x * x);
    }
    return sum * h / 3.0;
}
