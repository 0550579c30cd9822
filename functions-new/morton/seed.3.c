int morton(int x, int y)
{
    x = (x | (x << 3)) & 51;
    x = (x | (x << 1)) & 85;
    y = (y | (y << 2)) & 15;
    y = (y | (y << 1)) & 85;
    return x | (y << 2);
}
