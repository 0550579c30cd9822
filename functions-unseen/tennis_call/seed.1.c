int tennis_call(int a, int b)
{
    if (a >= 4 && a - b >= 2) {
        return 1;
    }
    if (b >= 4 && b - a >= 2) {
        return 2;
    }
    if (a >= 3 || b >= 3) {
        if (a == b) {
            return 3;
        }
        return a > b ? 4 : 5;
    }
    return 0;
}
