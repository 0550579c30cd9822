void poly_multiply(double a[4], double b[4], double c[7])
{
    for (int k = 0; k < 7; k++) {
        c[k] = 0.0;
    }
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < 4; j++) {
            c[i + j] += a[i] * b[j];
        }
    }
}
