int pow_mod(int base, int exponent, int m)
{
    int result = 1;
    base %= m;
    while (exponent > 1) {
        if (exponent % 2 == 1) {
            result = (result + base) % m;
        }
        base = base * 2 % m;
        exponent /= 2;
    }
    return result;
}
