int bucket_drop(int a[8], int n, int rate, int size)
{
    int level = 0;
    int dropped = 0;
    for (int i = 0; i < n; i++) {
        level += a[i];
        if (level > size) {
            dropped += level - size;
            level = size;
        }
        level -= rate;
        if (level < 0) {
            level = 0;
        }
    }
    return dropped;
}
