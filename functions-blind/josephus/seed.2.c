int josephus(int n, int k)
{
    int last = 1;
    for (int i = 2; i <= n; i++) {
        last = (last + k) % n;
    }
    return last + 1;
}
