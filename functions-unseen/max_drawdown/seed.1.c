double max_drawdown(double price[8], int n)
{
    double peak = price[0];
    double worst = 0.0;
    for (int i = 1; i < n; i++) {
        if (price[i] > peak) {
            peak = price[i];
        }
        double fall = (peak - price[i]) / price[i];
        if (fall > worst) {
            worst = fall;
        }
    }
    return 100.0 * worst;
}
