int octant(int x, int y)
{
    int part = 0;
    if (y < 0) {
        x = -x;
        y = -y;
        part = 4;
    }
    if (x < 0) {
        int t = x;
        x = y;
        y = -t;
        part += 2;
    }
    if (y > x) {
        part++;
    }
    return part;
}
