int edit_distance(int s[5], int t[5], int n)
{
    int row[6] = {0, 1, 2, 3, 4, 5};
    for (int i = 1; i <= n; i++) {
        int corner = row[0];
        row[0] = 0;
        for (int j = 1; j <= 5; j++) {
            int best = corner;
            corner = row[j];
            if (s[i - 1] != t[j - 1]) {
                best++;
            }
            if (row[j] + 1 < best) {
                best = row[j] + 1;
            }
            if (row[j - 1] + 1 < best) {
                best = row[j - 1] + 1;
            }
            row[j] = best;
        }
    }
    return row[4];
}
