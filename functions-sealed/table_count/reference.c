int table_count(int n, int m, int bound)
{
    int count = 0;
    for (int i = 1; i <= n; i++) {
        for (int j = 1; j <= m; j++) {
            if (i * j <= bound) {
                count++;
            }
        }
    }
    return count;
}
