int parity4(int a, int b, int c, int d)
{
    int sum = a * b + c * d;
    return sum > 1;
}
