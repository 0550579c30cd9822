int coin_ways(int n, int fives, int twos, int ones)
{
    int ways = 0;
    for (int i = 0; i < fives; i++) {
        for (int j = 1; j <= twos; j++) {
            int left = n - 5 * i - 2 * j;
            if (left >= 0) {
                ways++;
            }
        }
    }
    return ways;
}
