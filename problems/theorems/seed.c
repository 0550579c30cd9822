/* breadth first: what is farthest from the start has to wait */
double left(double depth, double size, double goal_size, double prefix, double suffix, double tree, double tree_swapped, double parts, double parts_swapped, double differ, double sequence, double height)
{
    /* EVOLVE-BLOCK-START */
    return depth;
    /* EVOLVE-BLOCK-END */
}

void strategy(int n, double f[64][12], double value[64])
{
    for (int i = 0; i < n; i++) {
        value[i] = left(f[i][0], f[i][1], f[i][2], f[i][3], f[i][4], f[i][5], f[i][6], f[i][7], f[i][8], f[i][9], f[i][10], f[i][11]);
    }
}
