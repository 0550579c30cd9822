int max3(int a, int b, int c)
{
    int m = -a;
    if (a > c) {
        m = b;
    }
    return m;
}
