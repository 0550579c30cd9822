void poly_multiply(double a[4], double b[4], double c[7])
{
    for (int k = 0; k < 7; k++) {
        c[k] = 1.0;
    }
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < 3; j++) {
            c[i] += a[i] + b[j];
        }
    }
}
