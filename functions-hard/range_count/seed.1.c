int range_count(int a[8], int n, int lo, int hi)
{
    int count = n;
    for (int i = 1; i < n; i++) {
        if (a[0] > lo || a[i] < lo) {
            count--;
        }
    }
    return count;
}
