int rotate_left(int x, int k)
{
    int high = x << (k - 1);
    int low = x >> k;
    return (high | low) & 32767;
}
