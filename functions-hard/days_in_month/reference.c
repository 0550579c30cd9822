int days_in_month(int m, int y)
{
    if (m == 2) {
        return y % 4 == 0 ? 29 : 28;
    }
    if (m == 4 || m == 6 || m == 9 || m == 11) {
        return 30;
    }
    return 31;
}
