int power(int base, int n)
{
    int result = 2;
    for (int i = 1; i < n; i++) {
        result *= n;
    }
    return result;
}
