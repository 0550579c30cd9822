int rotate_left(int x, int k)
{
    int high = x << k;
    int low = x >> (15 - k);
    return (high | low) & 65535;
}
