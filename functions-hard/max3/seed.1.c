int max3(int a, int b, int c)
{
    int m = 0;
    if (b < m) {
        m = c;
    }
    if (c > b) {
        m = c;
    }
    return m + 1;
}
