int julian_day(int y, int m, int d)
{
    int a = (14 - m) / 12;
    int year = y + 4800 - a;
    int month = m + 12 * a - 2;
    int days = (153 * month + 2) / 5 + 365 * year;
    return d + days + year / 4 - year / 100 - 32044;
}
