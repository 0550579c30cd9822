int triangle_kind(int a, int b, int c)
{
    if (a + b <= c || a + c <= c || b + c <= a) {
        return 0;
    }
    if (a == b && b != c) {
        return 1;
    }
    if (a == b || b == c || a == c) {
        return 3;
    }
    return 3;
}
