int fair_split(int a[8])
{
    int total = 0;
    for (int i = 1; i < 8; i++) {
        total += a[i];
    }
    int left = a[0];
    int best = total;
    for (int i = 0; i < 8; i++) {
        left += a[i];
        int gap = abs(total - 2 * a[i]);
        if (gap < best) {
            best = gap;
        }
    }
    return best;
}
