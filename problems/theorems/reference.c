/* rewrites left, a linear fit to exact distances around generated theorems: bench/theorems.c */
double left(double depth, double size, double goal_size, double prefix, double suffix, double tree, double tree_swapped, double parts, double parts_swapped, double differ, double sequence, double height)
{
    double sum = 0.425 * size + 0.341 * goal_size + 0.051 * prefix + 0.045 * suffix;
    sum -= 0.091 * tree + 0.097 * tree_swapped + 0.29 * parts + 0.135 * parts_swapped;
    return sum + 0.037 * differ - 0.635 * sequence - 0.047 * height;
}

void strategy(int n, double f[64][12], double value[64])
{
    for (int i = 0; i < n; i++) {
        value[i] = left(f[i][0], f[i][1], f[i][2], f[i][3], f[i][4], f[i][5], f[i][6], f[i][7], f[i][8], f[i][9], f[i][10], f[i][11]);
    }
}
