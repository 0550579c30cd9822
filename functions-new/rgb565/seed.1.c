int rgb565(int r, int g, int b)
{
    int red = r >> 3;
    int green = g >> 2;
    int blue = b >> 3;
    return (red << 11) | (green << 5) | b;
}
