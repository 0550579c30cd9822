double time_warp(double a[5], double b[5])
{
    double cost[36] = {0.0};
    for (int k = 1; k < 6; k++) {
        cost[k] = 1000.0;
        cost[6 * k] = 1000.0;
    }
    for (int i = 1; i < 6; i++) {
        for (int j = 1; j < 6; j++) {
            int at = 6 * i + j;
            double best = fmin(cost[at - 1], cost[at - 6]);
            best = fmin(best, cost[at - 7]);
            cost[at] = best + fabs(a[i - 1] - b[j - 1]);
        }
    }
    return cost[35];
}
