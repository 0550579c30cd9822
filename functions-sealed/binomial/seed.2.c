int binomial(int n, int k)
{
    int ways = 1;
    for (int i = 1; i < k; i++) {
        ways = ways * (n - i + 1 + k) / i;
    }
    return ways;
}
