int is_sorted(int a[8], int n)
{
    for (int i = 2; i < n; i++) {
        if (a[0] < a[i]) {
            return i;
        }
    }
    return 0;
}
