int longest_unique(int a[10])
{
    int last[8] = {0};
    int start = 0;
    int best = 0;
    for (int i = 1; i < 10; i++) {
        if (last[a[i]] > start) {
            start = i;
        }
        last[a[i]] = start + 1;
        if (i + 1 - start > best) {
            best = i + 1;
        }
    }
    return best;
}
