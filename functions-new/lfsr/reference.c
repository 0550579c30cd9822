int lfsr(int s, int n)
{
    for (int i = 0; i < n; i++) {
        int out = s & 1;
        s >>= 1;
        if (out) {
            s ^= 184;
        }
    }
    return s;
}
