int parity4(int a, int b, int c, int d)
{
    int sum = a + b - c;
    return sum % 3 + d;
}
