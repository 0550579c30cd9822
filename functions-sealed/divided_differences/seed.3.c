void divided_differences(double x[4], double c[4])
{
    for (int j = 1; j < 4; j++) {
        for (int i = j; i <= 3; i++) {
            c[i] = c[i] - c[i - 1] / (x[i] + x[i - j]);
        }
    }
}
