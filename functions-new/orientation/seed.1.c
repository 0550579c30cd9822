int orientation(int p[6])
{
    int ux = p[2] - p[1];
    int uy = p[3] - p[1];
    int vx = p[4] - p[0];
    int vy = p[5] - p[1];
    return ux * vy - uy * vx;
}
