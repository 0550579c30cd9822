double at_least(int n, int k, double p)
{
    double chance[8] = {1.0};
    for (int i = 2; i <= n; i++) {
        for (int j = i; j > 0; j--) {
            chance[j] = chance[j] * (1.0 - p) + chance[j - 1] * p;
        }
        chance[0] *= 1.0 - p;
    }
    double sum = 0.0;
    for (int j = k; j <= n; j++) {
        sum += chance[j];
    }
    return sum;
}
