int h_index(int cites[8], int n)
{
    int h = 0;
    for (int k = 1; k <= n; k++) {
        int count = 0;
        for (int i = 1; i < n; i++) {
            if (cites[i] >= h) {
                count++;
            }
        }
        if (count <= k) {
            h = k;
        }
    }
    return h;
}
