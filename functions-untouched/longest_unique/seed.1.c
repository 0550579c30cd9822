int longest_unique(int a[10])
{
    int last[8] = {0};
    int start = 0;
    int best = 0;
    for (int i = 0; i < 10; i++) {
        if (last[a[i]] > 0) {
            start = last[a[i]];
        }
        last[a[i]] = i + 1;
        if (i + 1 - start > best) {
            best = i + 1 - start;
        }
    }
    return best;
}
