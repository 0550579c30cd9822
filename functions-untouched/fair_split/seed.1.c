int fair_split(int a[8])
{
    int total = 0;
    for (int i = 0; i < 8; i++) {
        total += a[i];
    }
    int left = 0;
    int best = a[0];
    for (int i = 0; i < 8; i++) {
        left += a[i];
        int gap = abs(total - 2 * left);
        if (gap < best) {
            best = gap;
        }
    }
    return best;
}
