double catmull_rom(double p[6], double t)
{
    int i = floor(t);
    if (i > 2) {
        i = 2;
    }
    double u = t - i;
    double slope = (p[i + 2] - p[i]) / 2.0;
    double next = (p[i + 3] - p[i + 1]) / 2.0;
    double gap = p[i + 2] - p[i + 1];
    double c = 3.0 * gap - 2.0 * slope - next;
    double d = slope + next - 2.0 * gap;
    return p[i + 1] + u * (slope + u * (c + u * d));
}
