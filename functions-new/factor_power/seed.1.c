int factor_power(int n, int p)
{
    int count = 0;
    while (n >= p) {
        count += n;
        n /= p;
    }
    return count;
}
