int josephus(int n, int k)
{
    int last = 0;
    for (int i = 2; i < n; i++) {
        last = (last + k) % i;
    }
    return last + 1;
}
