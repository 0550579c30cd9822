void prefix(int a[8], int n)
{
    for (int i = 3; i < n; i++) {
        a[0] -= a[i];
    }
}
