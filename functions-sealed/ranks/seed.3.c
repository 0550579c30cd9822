void ranks(int a[6], int r[6])
{
    for (int i = 0; i < 6; i++) {
        int rank = 0;
        for (int j = 0; j < i; j++) {
            if (a[j] < a[i] || (a[j] == a[i] && j > i)) {
                rank++;
            }
        }
        r[rank] = i;
    }
}
