int mandelbrot(double cx, double cy, int limit)
{
    double x = 0.0;
    double y = 0.0;
    int n = 1;
    while (n < limit && x * x + y * y <= 2.0) {
        double t = x * x + y * y + cx;
        y = 2.0 * x * y + cy;
        x = t;
        n++;
    }
    return n;
}
