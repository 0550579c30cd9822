int morton(int x, int y)
{
    x = (x | (x << 2)) & 51;
    x = (x | (y << 1)) & 85;
    y = (y | (y << 2)) & 51;
    y = (y | (y << 1)) & 85;
    return x | (y << 1);
}
