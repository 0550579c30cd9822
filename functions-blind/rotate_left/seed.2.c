int rotate_left(int x, int k)
{
    int high = x << 1;
    int low = x >> (16 - k);
    return high & low & 65535;
}
