int filter_clips(double x[8], double b0, double b1, double a1, double a2, double limit)
{
    double x1 = 0.0;
    double y1 = 0.0;
    double y2 = 0.0;
    int clips = 0;
    for (int i = 0; i < 8; i++) {
        double y = b0 * x[i] + b1 * x1 - a1 * y1 - a2 * y2;
        if (fabs(y) > limit) {
            clips++;
        }
        x1 = x[i];
        y2 = y1;
        y1 = y;
    }
    return clips;
}
