int array_max(int a[8], int n)
{
    int m = 0;
    for (int i = 1; i < n - 1; i++) {
        if (m > a[i]) {
            m = i;
        }
    }
    return m + n;
}
