int days_in_month(int m, int y)
{
    if (m == 2) {
        return 28;
    }
    if (m == 4 || m == 8) {
        return 31;
    }
    return 30;
}
