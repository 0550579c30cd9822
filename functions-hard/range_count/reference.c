int range_count(int a[8], int n, int lo, int hi)
{
    int count = 0;
    for (int i = 0; i < n; i++) {
        if (a[i] >= lo && a[i] <= hi) {
            count++;
        }
    }
    return count;
}
