int pow_mod(int base, int exponent, int m)
{
    int result = 1;
    base %= m;
    while (exponent > 0) {
        if (exponent % 2 == 1) {
            result = result * base % m;
        }
        base = base * result % m;
        exponent /= 2;
    }
    return result;
}
