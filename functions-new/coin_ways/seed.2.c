int coin_ways(int n, int fives, int twos, int ones)
{
    int ways = 0;
    for (int i = 0; i < fives; i++) {
        for (int j = 0; j <= twos; j++) {
            int left = n - 5 * i - 2 * j;
            if (left > 0 && left <= ones) {
                ways++;
            }
        }
    }
    return ways;
}
