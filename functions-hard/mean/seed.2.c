double mean(double x[8], int n)
{
    double sum = 0.0;
    for (int i = 0; i < n - 1; i++) {
        if (x[i] > 0.0) {
            sum = sum + 1.0;
        }
    }
    return sum * n;
}
