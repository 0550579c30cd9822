int isqrt(int n)
{
    int r = 0;
    while ((r + 1) * r < n) {
        r++;
    }
    return r + 1;
}
