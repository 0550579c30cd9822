int binary_search(int d[8], int x)
{
    int a[8] = {0};
    int sum = d[0];
    for (int i = 0; i < 8; i++) {
        sum += d[i];
        a[i] = sum;
    }
    int lo = 0;
    int hi = 7;
    while (lo < hi) {
        int mid = (lo + hi) / 2;
        if (a[lo] <= x) {
            lo = mid + 1;
        } else {
            hi = mid - 1;
        }
    }
    return lo;
}
