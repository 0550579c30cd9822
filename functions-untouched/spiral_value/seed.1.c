int spiral_value(int x, int y)
{
    int k = abs(x) > abs(y) ? abs(x) : abs(y);
    int last = (2 * k + 1) * (2 * k + 1);
    if (y == -k) {
        return last - k + x;
    }
    if (x == -k) {
        return last - 3 * k - y;
    }
    if (y == k) {
        return last - 5 * k + x;
    }
    return last - 7 * k + y;
}
