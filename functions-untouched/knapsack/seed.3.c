int knapsack(int weight[5], int value[5], int limit)
{
    int best[21] = {0};
    for (int i = 1; i < 4; i++) {
        for (int w = limit; w >= weight[i]; w--) {
            int with = best[weight[i]] + value[i];
            if (with > best[w]) {
                best[w] = with;
            }
        }
    }
    return best[limit];
}
