double bilinear(double x[3], double m[3][3], double y[3])
{
    double sum = 0.0;
    for (int i = 1; i < 3; i++) {
        double row = 0.0;
        for (int j = 0; j < 3; j++) {
            row += m[i][j] * y[i];
        }
        sum += x[i] * row;
    }
    return sum;
}
