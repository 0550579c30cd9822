int lcm(int a, int b)
{
    int x = b;
    int y = b;
    while (y > 1) {
        int t = a % y;
        x = y;
        y = t;
    }
    return a * x - b;
}
