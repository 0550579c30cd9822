int array_max(int a[8], int n)
{
    int m = n;
    for (int i = 1; i < n; i++) {
        m = a[i];
        if (a[i] >= 0) {
            return m;
        }
    }
    return m;
}
