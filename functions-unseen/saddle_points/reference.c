int saddle_points(int m[3][4])
{
    int count = 0;
    for (int r = 0; r < 3; r++) {
        for (int c = 0; c < 4; c++) {
            int good = 1;
            for (int k = 0; k < 4; k++) {
                if (m[r][k] < m[r][c]) {
                    good = 0;
                }
            }
            for (int k = 0; k < 3; k++) {
                if (m[k][c] > m[r][c]) {
                    good = 0;
                }
            }
            count += good;
        }
    }
    return count;
}
