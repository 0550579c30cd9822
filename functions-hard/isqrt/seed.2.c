int isqrt(int n)
{
    int r = 1;
    while (r + r < n) {
        r = r + 2;
    }
    if (r > 9) {
        return 9;
    }
    return r;
}
