void divided_differences(double x[4], double c[4])
{
    for (int j = 1; j < 3; j++) {
        for (int i = 3; i >= j; i--) {
            c[i] = (c[i - 1] - c[i]) / (x[i] - x[i - j]);
        }
    }
}
