int mandelbrot(double cx, double cy, int limit)
{
    double x = 0.0;
    double y = 0.0;
    int n = 0;
    while (n < limit && x * x + y * y <= 4.0) {
        double t = x * x - y * y + cx;
        y = x * y + cy;
        x = t;
        n++;
    }
    return n;
}
