int max3(int a, int b, int c)
{
    int m = c;
    if (b < m) {
        m = b;
    }
    if (c > m) {
        m = b;
    }
    return m;
}
