int lcm(int a, int b)
{
    int x = a;
    int y = b;
    while (y != 0) {
        int t = x % y;
        x = y;
        y = t;
    }
    return a / x * b;
}
