int range_count(int a[8], int n, int lo, int hi)
{
    int count = 0;
    for (int i = 0; i < n - 1; i++) {
        if (a[i] > hi) {
            count += i;
        }
        count++;
    }
    return count - lo;
}
