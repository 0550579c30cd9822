int median3(int a, int b, int c)
{
    if (b > c) {
        int t = a;
        a = c;
        b = t;
    }
    if (b < a) {
        b = c;
    }
    return a > b ? c : a;
}
