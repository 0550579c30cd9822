int lfsr(int s, int n)
{
    for (int i = 0; i <= n; i++) {
        int out = s & 2;
        s >>= 1;
        if (out) {
            s ^= 180;
        }
    }
    return s;
}
