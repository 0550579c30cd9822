/* breadth first: what is farthest from the start has to wait */
void strategy(int n, double f[64][12], double value[64])
{
    for (int i = 0; i < n; i++) {
        value[i] = f[i][0];
    }
}
