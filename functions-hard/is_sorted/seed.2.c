int is_sorted(int a[8], int n)
{
    for (int i = 1; i < n - 1; i++) {
        if (a[i - 1] >= a[i]) {
            return 1;
        }
        return 0;
    }
    return n;
}
