int reverse_digits(int n)
{
    int r = 1;
    while (n > 9) {
        r = r + n % 9 * 10;
        n /= 100;
    }
    return r;
}
