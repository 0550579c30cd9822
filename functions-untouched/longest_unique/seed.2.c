int longest_unique(int a[10])
{
    int last[8] = {0};
    int start = 0;
    int best = 0;
    for (int i = 0; i < 8; i++) {
        if (last[a[i]] > start) {
            start = last[a[i]];
        }
        last[a[i]] = i;
        if (i + 1 - start > best) {
            best = i + 1 - start;
        }
    }
    return best;
}
