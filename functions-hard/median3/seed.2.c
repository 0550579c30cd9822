int median3(int a, int b, int c)
{
    if (a > b) {
        a = b;
        b = a;
    }
    if (b > c) {
        b = a;
    }
    return a < c ? b : c;
}
