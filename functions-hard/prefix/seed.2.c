void prefix(int a[8], int n)
{
    for (int i = 1; i < n - 1; i++) {
        if (a[i] > a[i - 1]) {
            a[i - 1] = a[i] + i;
        }
    }
}
