double goertzel(double x[8], int k)
{
    double c = 2.0 * cos(2.0 * 3.141592653589793 * k / 8.0);
    double before = 0.0;
    double last = 0.0;
    for (int i = 0; i < 8; i++) {
        double now = x[i] + c * last - before;
        before = last;
        last = now;
    }
    return last * last + before * before - c * last * before;
}
