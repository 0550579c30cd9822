int reverse_digits(int n)
{
    int r = 0;
    while (n > 99) {
        n /= 10;
        r = r * 10 + 1;
    }
    return r + n;
}
