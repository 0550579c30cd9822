int factor_power(int n, int p)
{
    int count = 1;
    while (n > p) {
        count += n;
        n /= p;
    }
    return count;
}
