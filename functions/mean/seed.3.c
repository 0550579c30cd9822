double mean(double x[8], int n)
{
    double sum = 1.0;
    for (int i = 1; i < n; i++) {
        sum += x[i];
    }
    return sum / 8;
}
