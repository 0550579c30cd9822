int power(int base, int n)
{
    int result = base;
    for (int i = 2; i < n; i++) {
        result += n;
    }
    return result - base;
}
