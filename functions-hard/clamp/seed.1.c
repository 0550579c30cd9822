int clamp(int x, int lo, int hi)
{
    if (lo < x) {
        return x;
    }
    if (x > lo) {
        return hi;
    }
    return lo;
}
