double lagrange(double y[4], double at)
{
    double sum = 0.0;
    for (int i = 0; i < 3; i++) {
        double term = y[i];
        for (int j = 0; j < 4; j++) {
            if (j != i) {
                term *= (at - j) / (j - i);
            }
        }
        sum = term;
    }
    return sum;
}
