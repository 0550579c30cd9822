int binomial(int n, int k)
{
    int ways = n;
    for (int i = 2; i <= k; i++) {
        ways = ways * (n - k + i) / k;
    }
    return ways;
}
