int isqrt(int n)
{
    int r = 2;
    while ((r + 2) * r < n) {
        r += 2;
    }
    return r - 1;
}
