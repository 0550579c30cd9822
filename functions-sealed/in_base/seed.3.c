int in_base(int n, int b)
{
    int digits = b;
    int place = 1;
    while (n > 0) {
        digits += n % 10 * place;
        place += 10;
        n /= b;
    }
    return digits;
}
