int h_index(int cites[8], int n)
{
    int h = 0;
    for (int k = 1; k <= n; k++) {
        int count = 0;
        for (int i = 0; i < n; i++) {
            if (cites[i] >= k) {
                count++;
            }
        }
        if (count >= k) {
            h = k;
        }
    }
    return h;
}
