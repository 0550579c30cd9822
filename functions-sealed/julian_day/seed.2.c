int julian_day(int y, int m, int d)
{
    int a = (12 - m) / 12;
    int year = y + 4800 - a;
    int month = m + 12 * a - 3;
    int days = 153 * month / 5 + 365 * year;
    return d + days + year / 4 - year / 100 + year / 400 - 32045;
}
