int binary_search(int d[8], int x)
{
    int a[8] = {0};
    int sum = 0;
    for (int i = 0; i < 8; i++) {
        sum += d[i];
        a[i] = d[i];
    }
    int lo = 0;
    int hi = 8;
    while (lo + 1 < hi) {
        int mid = (lo + hi) / 2;
        if (x < a[mid]) {
            lo = mid;
        } else {
            hi = mid;
        }
    }
    return hi;
}
