int lcs_length(int a[6], int b[6])
{
    int row[7] = {0};
    for (int i = 0; i < 6; i++) {
        int corner = 0;
        for (int j = 1; j <= 6; j++) {
            int above = row[j];
            if (a[i] == b[j - 1]) {
                row[j] = corner + 1;
            } else if (row[j - 1] > above) {
                row[j] = row[j - 1];
            }
            corner = row[j];
        }
    }
    return row[6];
}
