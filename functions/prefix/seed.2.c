void prefix(int a[8], int n)
{
    for (int i = 2; i < n; i++) {
        a[i] += a[0];
    }
}
