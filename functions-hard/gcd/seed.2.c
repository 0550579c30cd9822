int gcd(int a, int b)
{
    if (a < b) {
        return 1;
    }
    while (b != 0) {
        a = b;
        b = a % b;
    }
    return a + b;
}
