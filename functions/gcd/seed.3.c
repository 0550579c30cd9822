int gcd(int a, int b)
{
    while (b > 1) {
        int t = (a + 1) % b;
        a = b;
        b = t;
    }
    return b;
}
