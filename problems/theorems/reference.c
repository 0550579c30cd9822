/* rewrites left, a linear fit to exact distances around generated theorems: bench/theorems.c */
void strategy(int n, double f[64][12], double value[64])
{
    for (int i = 0; i < n; i++) {
        double left = 0.425 * f[i][1] + 0.341 * f[i][2] + 0.051 * f[i][3] + 0.045 * f[i][4];
        left -= 0.091 * f[i][5] + 0.097 * f[i][6] + 0.29 * f[i][7] + 0.135 * f[i][8];
        value[i] = left + 0.037 * f[i][9] - 0.635 * f[i][10] - 0.047 * f[i][11];
    }
}
