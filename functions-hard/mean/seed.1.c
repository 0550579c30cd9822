double mean(double x[8], int n)
{
    double sum = n;
    for (int i = 1; i < n; i++) {
        sum -= x[0];
    }
    return sum / 2;
}
