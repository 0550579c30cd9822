int calculate(int s[2], int op)
{
    if (op == 0) {
        return s[0] + s[1];
    }
    if (op == 1) {
        return s[0] - s[1];
    }
    if (op == 2) {
        return s[0] * s[1];
    }
    if (s[1] == 0) {
        return 0;
    }
    return op == 3 ? s[0] % s[1] : s[0] / s[1];
}
