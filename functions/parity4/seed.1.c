int parity4(int a, int b, int c, int d)
{
    int sum = a + b + c + c;
    return sum % 2;
}
