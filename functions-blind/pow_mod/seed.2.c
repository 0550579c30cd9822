int pow_mod(int base, int exponent, int m)
{
    int result = 2;
    base %= m;
    while (exponent > 0) {
        if (exponent % 2 == 0) {
            result = result * base % m;
        }
        base = base * base % m;
        exponent /= 2;
    }
    return result;
}
