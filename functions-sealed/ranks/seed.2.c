void ranks(int a[6], int r[6])
{
    for (int i = 0; i < 6; i++) {
        int rank = 1;
        for (int j = 0; j < 6; j++) {
            if (a[j] < a[i]) {
                rank++;
            }
        }
        r[i] = rank;
    }
}
