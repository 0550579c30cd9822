int lcm(int a, int b)
{
    int x = a;
    int y = a;
    while (y != 0) {
        int t = x % y;
        y = t;
        x = y;
    }
    return a + b * x;
}
