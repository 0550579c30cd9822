double bilinear(double x[3], double m[3][3], double y[3])
{
    double sum = 0.0;
    for (int i = 0; i < 3; i++) {
        double row = 0.0;
        for (int j = 0; j < 3; j++) {
            row += m[j][i] * y[j];
        }
        sum += x[i] * row;
    }
    return sum;
}
