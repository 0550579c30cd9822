void ycbcr(int p[3])
{
    int y = (77 * p[0] + 150 * p[1] + 29 * p[2]) / 256;
    int cb = (p[2] - y) * 144 / 256 + 128;
    int cr = (p[1] - y) * 183 / 256 + 128;
    p[0] = y;
    p[1] = cb;
    p[2] = cr;
}
