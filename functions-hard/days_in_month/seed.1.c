int days_in_month(int m, int y)
{
    if (m == 1) {
        return y % 4 != 0 ? 28 : 30;
    }
    if (m == 4 || m == 6 || m == 11) {
        return 30;
    }
    return 29;
}
