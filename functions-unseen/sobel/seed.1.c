int sobel(int p[9])
{
    int gx = p[2] + 2 * p[4] + p[8] - p[0] - 2 * p[3] - p[6];
    int gy = p[6] + 2 * p[7] + p[8] - p[0] - 2 * p[1] - p[2];
    return (abs(gx) + abs(gy)) / 4;
}
