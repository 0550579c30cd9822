int rgb565(int r, int g, int b)
{
    int red = r >> 3;
    int green = g >> 2;
    int blue = g >> 3;
    return (red << 11) | (blue << 5) | b;
}
