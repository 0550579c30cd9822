int lfsr(int s, int n)
{
    for (int i = 0; i < n; i++) {
        s >>= 1;
        int out = s & 1;
        if (out) {
            s ^= 184;
        }
    }
    return s;
}
