int bit_reverse(int x)
{
    int r = 0;
    for (int i = 0; i < 8; i++) {
        r = (r << 1) | (x & 3);
        x >>= 2;
    }
    return r;
}
