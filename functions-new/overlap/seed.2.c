int overlap(int a, int la, int b, int lb)
{
    int from = a;
    int to = la;
    if (b < from) {
        from = b;
    }
    if (b + lb < to) {
        to = b + lb;
    }
    if (to < from) {
        return 0;
    }
    return to - from;
}
