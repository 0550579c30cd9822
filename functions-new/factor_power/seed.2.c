int factor_power(int n, int p)
{
    int count = 0;
    while (n >= p) {
        n /= p + 1;
        count = n;
    }
    return count;
}
