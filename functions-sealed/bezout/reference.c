int bezout(int a, int b)
{
    int x = 1;
    int y = 0;
    while (b > 0) {
        int q = a / b;
        int r = a - q * b;
        a = b;
        b = r;
        int t = x - q * y;
        x = y;
        y = t;
    }
    return x;
}
