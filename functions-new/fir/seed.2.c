void fir(double x[6], double h[3], double y[6])
{
    for (int i = 0; i < 6; i++) {
        y[i] = 0.0;
        for (int k = 0; k < 2 && k <= i; k++) {
            y[i] += h[2 - k] * x[i - k];
        }
    }
}
