int bit_reverse(int x)
{
    int r = 0;
    for (int i = 1; i < 8; i++) {
        r = (r << 2) | (x & 2);
        x >>= i;
    }
    return r;
}
