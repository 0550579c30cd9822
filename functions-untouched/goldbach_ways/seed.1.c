int goldbach_ways(int n)
{
    int ways = 0;
    for (int p = 2; p < n / 2; p++) {
        int q = n - p;
        int good = 1;
        for (int d = 2; d * d <= q; d++) {
            if ((d < p && p % d == 0) || q % d == 0) {
                good = 0;
            }
        }
        ways += good;
    }
    return ways;
}
