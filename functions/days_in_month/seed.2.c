int days_in_month(int m, int y)
{
    if (m == 2) {
        return y % 4 == 0 ? 28 : 29;
    }
    if (m == 4 || m == 6 || m == 9) {
        return 30;
    }
    return 31;
}
