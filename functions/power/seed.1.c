int power(int base, int n)
{
    int result = 1;
    for (int i = 1; i < n; i++) {
        result *= base;
    }
    return result;
}
