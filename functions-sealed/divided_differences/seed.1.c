void divided_differences(double x[4], double c[4])
{
    for (int j = 1; j < 4; j++) {
        for (int i = 3; i >= j; i--) {
            c[i] = (c[i] - c[i - 1]) / (x[i] - x[i - 1]);
        }
    }
}
