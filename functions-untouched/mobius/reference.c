int mobius(int n)
{
    int sign = 1;
    for (int p = 2; p * p <= n; p++) {
        if (n % p == 0) {
            n /= p;
            if (n % p == 0) {
                return 0;
            }
            sign = -sign;
        }
    }
    if (n > 1) {
        sign = -sign;
    }
    return sign;
}
