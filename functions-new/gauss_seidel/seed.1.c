void gauss_seidel(double a[3][3], double b[3], double x[3])
{
    for (int i = 0; i < 3; i++) {
        double sum = b[i];
        for (int j = 0; j < 3; j++) {
            if (j != i) {
                sum -= a[j][i] * x[j];
            }
        }
        x[i] = sum / a[i][i];
    }
}
