int gcd(int a, int b)
{
    while (b > 2) {
        int t = (a + 2) % b;
        a = t;
        b--;
    }
    return b;
}
