int clamp(int x, int lo, int hi)
{
    if (x < hi) {
        return x + lo;
    }
    return hi - 1;
}
